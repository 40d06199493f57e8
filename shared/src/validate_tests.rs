use prost::Message;

use super::*;
use crate::room::sync::{Answer, MAX_FRAMES, Question};

fn refused(change: impl Fn(&mut Limits)) -> Option<String> {
    let mut config = Config::hub();
    change(&mut config.limits);
    config.validate().err().map(|error| error.to_string())
}

#[test]
fn defaults_are_valid() {
    for config in [Config::hub(), Config::peer(), Config::page()] {
        config.validate().unwrap();
    }
}

#[test]
fn what_is_kept_at_its_bounds_fits_into_one_sync() {
    assert_eq!(MAX_PREFIXES, MAX_FRAMES);
    for (frames, presences) in [(1, 1), (1, 1023), (1023, 1), (768, 256)] {
        let change = |bytes: usize| {
            move |limits: &mut Limits| {
                (limits.kept_frames, limits.kept_presences, limits.kept_bytes) = (frames, presences, bytes);
            }
        };
        let (mut works, mut fails) = (MAX_FRAME_BYTES, MAX_BYTES);
        while works + 1 < fails {
            let middle = usize::midpoint(works, fails);
            *(if refused(change(middle)).is_none() { &mut works } else { &mut fails }) = middle;
        }
        let lines = (0..frames).map(|n| vec![0; works / frames + usize::from(n < works % frames)]);
        let kept: Vec<Vec<u8>> = lines.chain((0..presences).map(|_| vec![0; MAX_PRESENCE_BYTES])).collect();
        let prefixes = vec![vec![0; 8]; MAX_PREFIXES];
        let answer = Answer { frames: kept.clone(), want: prefixes.clone() }.encoded_len();
        let question = Question { room: "r".repeat(64), have: prefixes, give: Vec::new(), is_told: true }.encoded_len();
        let given = Question { room: "r".repeat(64), have: Vec::new(), give: kept, is_told: false }.encoded_len();
        assert!(answer.max(question).max(given) <= MAX_BYTES, "{frames} frames and {presences} presences: {answer}");
        // The bound is no narrower than it has to be.
        assert!(answer + 1024 > MAX_BYTES || works / frames >= MAX_FRAME_BYTES, "{works} bytes: {answer}");
    }
}

#[test]
fn times_never_overflow_a_clock() {
    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    let now = n0_future::time::Instant::now();
    for change in [
        |limits: &mut Limits, time| limits.refuse_for = time,
        |limits: &mut Limits, time| limits.carry_linger = time,
        |limits: &mut Limits, time| limits.circuit_duration = time,
    ] {
        assert!(now.checked_add(MAX_SETTING_TIME).is_some());
        assert!(refused(|limits| change(limits, MAX_SETTING_TIME)).is_none());
        let error = refused(|limits| change(limits, MAX_SETTING_TIME + Duration::from_secs(1))).unwrap();
        assert!(error.contains("_secs") && error.contains("; "), "{error}");
        assert!(refused(|limits| change(limits, Duration::MAX)).is_some());
    }
    let pinging = |ping_interval| Config { ping_interval, ..Config::peer() }.validate().is_ok();
    assert!(pinging(MIN_PING_INTERVAL) && !pinging(Duration::ZERO) && !pinging(Duration::MAX));
}
