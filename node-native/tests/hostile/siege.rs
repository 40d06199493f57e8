//! A hub under attack: what it must hold while hundreds of hostile cases run against one of its listeners.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};

use super::{
    dice::Dice,
    memory::{MAX_GROWTH_KIB, Memory},
    talk::Talk,
};
use crate::support::{Hub, PATIENCE, left_out::count};

/// Cases against one listener at every change, unless `TINCAN_HOSTILE_CASES` says otherwise.
const CASES: usize = 60;
/// The same in a nightly run.
const NIGHTLY_CASES: usize = 500;
/// The seed, unless `TINCAN_SEED` says otherwise.
const SEED: u64 = 0x7411_ca11;
/// Cases of another seed before the first measurement: allocators, caches and tables find their size.
const WARM_UP: usize = 120;
/// Between two looks at the hub's memory.
const POLL: Duration = Duration::from_millis(500);
/// Lines a hub may log in one run at its default level.
const MAX_LOG_LINES: usize = 2000;

/// One listener's run.
#[derive(Debug)]
pub struct Siege {
    pub hub: Hub,
    name: &'static str,
    seed: u64,
    cases: usize,
    talk: Talk,
}

impl Siege {
    /// A hub, and two people who talk over it by this transport.
    pub fn lay(name: &'static str, talk_over: &str) -> Self {
        let number = |variable| std::env::var(variable).ok().map(|text| text.parse::<u64>().expect(variable));
        let seed = number("TINCAN_SEED").unwrap_or(SEED);
        let cases = number("TINCAN_HOSTILE_CASES")
            .map_or(count(CASES, NIGHTLY_CASES), |cases| usize::try_from(cases).expect("a count"));
        // Shown when a test fails.
        println!("{name}: TINCAN_SEED={seed} TINCAN_HOSTILE_CASES={cases}");
        let hub = Hub::start();
        let talk = Talk::start(&hub, talk_over);
        Self { hub, name, seed, cases, talk }
    }

    /// Runs the cases, so many at once; each is bounded in time and says what went wrong, if anything did.
    pub async fn run<F>(&self, at_once: usize, attack: impl Fn(Dice) -> F)
    where
        F: Future<Output = Result<(), String>>,
    {
        self.storm(!self.seed, WARM_UP.min(self.cases), at_once, &attack).await;
        let before = Memory::of(&self.hub);
        let start = Instant::now();
        self.storm(self.seed, self.cases, at_once, &attack).await;
        let (after, took) = (Memory::of(&self.hub), start.elapsed());
        println!("{}: {} cases in {took:?}; KiB before {before:?}, after {after:?}", self.name, self.cases);
        self.settle(before).await;
    }

    /// Waits until the hub has given up whoever vanished, and has given back what it held for them.
    async fn settle(&self, before: Memory) {
        let until = Instant::now() + PATIENCE;
        loop {
            let growth = Memory::of(&self.hub).now.saturating_sub(before.now);
            if growth <= MAX_GROWTH_KIB {
                return;
            }
            assert!(Instant::now() < until, "{}: the hub holds {growth} KiB more than before", self.name);
            tokio::time::sleep(POLL).await;
        }
    }

    async fn storm<F>(&self, seed: u64, cases: usize, at_once: usize, attack: &impl Fn(Dice) -> F)
    where
        F: Future<Output = Result<(), String>>,
    {
        let run = |case| async move { attack(Dice::of_case(seed, case)).await.map_err(|error| (case, error)) };
        let ended: Vec<Result<(), (usize, String)>> =
            stream::iter((0..cases).map(run)).buffer_unordered(at_once).collect().await;
        let failed: Vec<_> = ended.into_iter().filter_map(Result::err).collect();
        assert!(failed.is_empty(), "{}: of {cases} cases {} failed: {failed:#?}", self.name, failed.len());
    }

    /// The two have heard everything, the hub is as it was, and it ends when it is asked to.
    pub fn lift(self) {
        let lines = self.talk.end();
        self.hub.running.signal("TERM");
        let ended = self.hub.running.wait();
        println!("{}: {lines} lines of chat, {} of log", self.name, ended.err.len());
        assert!(
            ended.err.len() <= MAX_LOG_LINES,
            "{} lines of log, such as {:#?}",
            ended.err.len(),
            sample(&ended.err)
        );
        ended.assert_status(0);
    }
}

/// Some lines from all over a log.
fn sample(lines: &[String]) -> Vec<&String> {
    lines.iter().step_by(lines.len().div_ceil(40).max(1)).collect()
}
