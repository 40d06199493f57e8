//! Lines that did not come, though a later line of their author names them.
//!
//! A frame names the author's line before it. When that one is missing, whoever handed over the later line is asked for
//! it: that peer most likely has it, or will have it soon. It may lack it as well and get it later, so it is asked
//! again, at growing intervals, until the line has come or all tries are used up. Hubs do so too in rooms that they
//! carry: what a hub lacks, everybody lacks who is connected to this hub alone.
//!
//! How long a line on the screen waits for the one before it is a matter of [`super::order`]; questions go on after that.

use std::{collections::BTreeMap, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{frame::Frame, order::LONGEST_GAP, ring::Ring};
use crate::config::FRAME_TIME_WINDOW;

/// Missing lines of one room that are asked for again. Further ones are asked for once.
const MAX_GAPS: usize = 64;
/// Of these, lines of one author.
const MAX_GAPS_PER_AUTHOR: usize = 8;
/// Waits before a missing line is asked for again.
const ASK_AGAIN: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20)];

#[derive(Debug)]
struct Missing {
    /// Who handed over the line after it.
    from: PeerId,
    asked: usize,
    ask_at: Instant,
}

/// Those of one room, by author and number.
#[derive(Debug, Default)]
pub(super) struct Gaps(BTreeMap<(PeerId, u64), Missing>);

impl Gaps {
    /// The line before this one is missing; it is about to be asked for.
    pub(super) fn found(&mut self, frame: &Frame, from: PeerId, now: Instant) {
        let theirs = self.0.range((frame.author, 0)..=(frame.author, u64::MAX)).count();
        if self.0.len() < MAX_GAPS && theirs < MAX_GAPS_PER_AUTHOR {
            let missing = Missing { from, asked: 0, ask_at: now + ASK_AGAIN[0] };
            self.0.entry((frame.author, frame.previous)).or_insert(missing);
        }
    }

    /// A line has come.
    pub(super) fn filled(&mut self, frame: &Frame) {
        if let Some(number) = frame.line_number() {
            self.0.remove(&(frame.author, number));
        }
    }

    /// Whom to ask again.
    pub(super) fn due(&mut self, now: Instant) -> Vec<PeerId> {
        let mut whom = Vec::new();
        self.0.retain(|_, missing| {
            if missing.ask_at > now {
                return true;
            }
            whom.push(missing.from);
            missing.asked += 1;
            let next = ASK_AGAIN.get(missing.asked).map(|wait| now + *wait);
            missing.ask_at = next.unwrap_or(now);
            next.is_some()
        });
        whom.dedup();
        whom
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.values().map(|missing| missing.ask_at).min()
    }
}

/// Whether the line before this one should be among those that are kept, and is not.
pub(super) fn lacks_previous(ring: &Ring, frame: &Frame) -> bool {
    // Numbers are about milliseconds.
    let is_recent = frame.previous > 0 && frame.sequence - frame.previous <= LONGEST_GAP;
    let is_previous = |kept: &Frame| kept.line_number() == Some(frame.previous) && kept.author == frame.author;
    frame.line_number().is_some() && is_recent && ring.reaches_back_to(frame.previous) && !ring.lines().any(is_previous)
}

/// The same, where it is young enough for everybody to keep it.
pub(super) fn should_come(ring: &Ring, frame: &Frame, now_ms: u64) -> bool {
    u128::from(now_ms.saturating_sub(frame.previous)) < FRAME_TIME_WINDOW.as_millis() && lacks_previous(ring, frame)
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::{
        super::frame::{Body, Draft, sign},
        *,
    };

    fn line(author: u8, sequence: u64, previous: u64) -> Frame {
        let key = Keypair::ed25519_from_bytes([author; 32]).unwrap();
        let body = Body::Message { nick: "a".into(), text: "x".into() };
        sign(&key, &Draft { room: "r", sequence, previous, time_ms: sequence, body: &body }).unwrap()
    }

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn who_handed_over_the_later_line_is_asked_again_until_it_has_come() {
        let (mut gaps, from, now) = (Gaps::default(), PeerId::random(), start());
        gaps.found(&line(1, 3, 2), from, now);
        gaps.found(&line(1, 9, 8), from, now);
        assert_eq!(gaps.deadline(), Some(now + ASK_AGAIN[0]));
        assert_eq!(gaps.due(now + ASK_AGAIN[0]), [from], "once for both");
        gaps.filled(&line(1, 2, 1));
        let mut at = now + ASK_AGAIN[0];
        for wait in &ASK_AGAIN[1..] {
            at += *wait;
            assert_eq!(gaps.due(at), [from]);
        }
        assert_eq!((gaps.deadline(), gaps.0.len()), (None, 0), "given up");
    }

    #[test]
    fn one_author_does_not_use_up_the_questions_of_others() {
        let (mut gaps, from, now) = (Gaps::default(), PeerId::random(), start());
        for n in 1..100 {
            gaps.found(&line(1, 10 * n, 10 * n - 1), from, now);
        }
        assert_eq!(gaps.0.len(), MAX_GAPS_PER_AUTHOR);
        for author in 2..100 {
            gaps.found(&line(author, 10, 9), from, now);
        }
        assert_eq!(gaps.0.len(), MAX_GAPS);
    }

    #[test]
    fn a_line_is_missed_only_where_it_would_be_kept() {
        let mut ring = Ring::new(2, 10_000, 2);
        assert!(lacks_previous(&ring, &line(1, 103, 102)));
        for number in [90, 100, 101] {
            ring.insert(line(2, number, 0), 200);
        }
        assert!(lacks_previous(&ring, &line(1, 103, 102)));
        assert!(!lacks_previous(&ring, &line(1, 103, 99)), "older than what is kept");
        assert!(!lacks_previous(&ring, &line(1, 103, 0)), "the first");
        assert!(!lacks_previous(&ring, &line(1, LONGEST_GAP + 103, 102)), "of an hour ago");
        ring.insert(line(1, 102, 0), 200);
        assert!(!lacks_previous(&ring, &line(1, 103, 102)));
    }
}
