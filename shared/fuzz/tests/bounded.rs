//! Every target for a second, in a nightly run for ten: its examples, mutated. `TINCAN_SEED` repeats a run,
//! `TINCAN_FUZZ_SECONDS` sets how long.

use std::{
    panic::{self, AssertUnwindSafe},
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tincan_fuzz::TARGETS;

const DEFAULT_SECONDS: u64 = 1;
const NIGHTLY_SECONDS: u64 = 10;
const DEFAULT_SEED: u64 = 1;
/// However slow the machine, so much is tried.
const LEAST_CASES: u64 = 2_000;
const MAX_BYTES: usize = 16 * 1024;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn no_bytes_break_a_promise() {
    let seed = setting("TINCAN_SEED", DEFAULT_SEED);
    let nightly = std::env::var_os("TINCAN_NIGHTLY").is_some();
    let seconds = if nightly { NIGHTLY_SECONDS } else { DEFAULT_SECONDS };
    let time = Duration::from_secs(setting("TINCAN_FUZZ_SECONDS", seconds));
    for target in TARGETS {
        let mut rng = StdRng::seed_from_u64(seed);
        let examples = (target.examples)();
        examples.iter().for_each(|example| (target.run)(example));
        #[allow(clippy::disallowed_methods, reason = "the test's own time")]
        let start = Instant::now();
        let mut cases = 0;
        while cases < LEAST_CASES || start.elapsed() < time {
            let case = mutated(&examples, &mut rng);
            if panic::catch_unwind(AssertUnwindSafe(|| (target.run)(&case))).is_err() {
                panic!("{}: TINCAN_SEED={seed}, case {cases}: {}", target.name, hex(&case));
            }
            cases += 1;
        }
        println!("{}: {cases} cases", target.name);
    }
}

fn mutated(examples: &[Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = examples[rng.random_range(0..examples.len())].clone();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..=bytes.len());
        match rng.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = rng.random(),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, rng.random()),
            4 if at < bytes.len() => drop(bytes.remove(at)),
            5 => {
                let other = &examples[rng.random_range(0..examples.len())];
                let from = rng.random_range(0..=other.len());
                bytes.splice(at..at, other[from..].iter().copied());
            }
            _ => {
                let length = rng.random_range(0..64);
                let piece: Vec<u8> = (0..length).map(|_| rng.random()).collect();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes.truncate(MAX_BYTES);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
