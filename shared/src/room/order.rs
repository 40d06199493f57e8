//! Each author's lines in the order they were said: a line that names one we lack waits a little for it.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use libp2p::PeerId;
use n0_future::time::Instant;

use super::frame::Frame;

/// Lines held back in one room; beyond it the oldest is shown out of order rather than lost.
const MAX_HELD: usize = 256;
/// Authors whose place is remembered in one room.
const MAX_AUTHORS: usize = 4096;

#[derive(Debug, Default)]
struct Author {
    /// The highest number shown, 0 if none.
    last: u64,
    held: BTreeMap<u64, (Frame, Instant)>,
}

/// The state of one room.
#[derive(Debug)]
pub(super) struct Order {
    hold: Duration,
    authors: HashMap<PeerId, Author>,
    held: usize,
}

impl Order {
    pub(super) fn new(hold: Duration) -> Self {
        Self { hold, authors: HashMap::new(), held: 0 }
    }

    /// A line that was never seen before. Returns what may be shown now, in order.
    pub(super) fn push(&mut self, frame: Frame, now: Instant) -> Vec<Frame> {
        if self.authors.len() >= MAX_AUTHORS && !self.authors.contains_key(&frame.author) {
            self.authors.retain(|_, author| !author.held.is_empty());
        }
        let (who, deadline) = (frame.author, now + self.hold);
        let author = self.authors.entry(who).or_default();
        author.held.insert(frame.sequence, (frame, deadline));
        self.held += 1;
        let mut shown = self.release(who, |_, _| false);
        if self.held > MAX_HELD {
            shown.extend(self.release(who, |_, _| true));
        }
        shown
    }

    /// A sync ended: authors never shown before wait for nothing that is still to come.
    pub(super) fn settle(&mut self) -> Vec<Frame> {
        let new: Vec<PeerId> = self.authors.iter().filter(|(_, a)| a.last == 0).map(|(who, _)| *who).collect();
        new.into_iter().flat_map(|who| self.release(who, |first, _| first)).collect()
    }

    /// Shows what has waited long enough.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Frame> {
        let late: Vec<PeerId> = self.authors.iter().filter(|(_, a)| !a.held.is_empty()).map(|(who, _)| *who).collect();
        late.into_iter().flat_map(|who| self.release(who, |_, deadline| deadline <= now)).collect()
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.authors.values().flat_map(|author| author.held.values().map(|(_, deadline)| *deadline)).min()
    }

    /// Takes lines off the front while nothing is missing before them, or `anyway` says not to wait
    /// (asked with "nothing shown yet" and the line's deadline).
    fn release(&mut self, who: PeerId, anyway: impl Fn(bool, Instant) -> bool) -> Vec<Frame> {
        let mut shown = Vec::new();
        let Some(author) = self.authors.get_mut(&who) else { return shown };
        while let Some(entry) = author.held.first_entry() {
            let (frame, deadline) = entry.get();
            if frame.previous > author.last && !anyway(author.last == 0, *deadline) {
                break;
            }
            let (frame, _) = entry.remove();
            author.last = author.last.max(frame.sequence);
            self.held -= 1;
            shown.push(frame);
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::{
        super::frame::{Body, Draft, sign},
        *,
    };

    fn line(sequence: u64, previous: u64) -> Frame {
        let key = Keypair::ed25519_from_bytes([1; 32]).unwrap();
        let body = Body::Message { nick: "a".into(), text: "x".into() };
        sign(&key, &Draft { room: "r", sequence, previous, time_ms: sequence, body: &body }).unwrap()
    }

    fn numbers(frames: &[Frame]) -> Vec<u64> {
        frames.iter().map(|frame| frame.sequence).collect()
    }

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_gap_is_waited_for_and_filled() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        assert_eq!(numbers(&order.push(line(1, 0), now)), [1]);
        assert_eq!(numbers(&order.push(line(3, 2), now)), [0u64; 0]);
        assert_eq!(numbers(&order.push(line(2, 1), now)), [2, 3]);
    }

    #[test]
    fn a_jump_that_names_its_predecessor_is_no_gap() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.push(line(1, 0), now);
        assert_eq!(numbers(&order.push(line(1000, 1), now)), [1000]);
    }

    #[test]
    fn what_never_comes_is_given_up_after_the_hold() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.push(line(1, 0), now);
        order.push(line(3, 2), now);
        assert_eq!(order.deadline(), Some(now + Duration::from_secs(2)));
        assert!(order.tick(now + Duration::from_millis(1999)).is_empty());
        assert_eq!(numbers(&order.tick(now + Duration::from_secs(2))), [3]);
        assert_eq!(numbers(&order.push(line(2, 1), now)), [2], "late is better than never");
    }

    #[test]
    fn a_sync_settles_strangers_only() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        assert!(order.push(line(5, 4), now).is_empty());
        assert_eq!(numbers(&order.settle()), [5]);
        assert!(order.push(line(8, 7), now).is_empty());
        assert!(order.settle().is_empty());
    }
}
