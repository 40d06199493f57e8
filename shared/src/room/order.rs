//! Each author's lines in the order they were said: a line that names one we lack waits a little for it.

use std::{collections::BTreeMap, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

use super::frame::Frame;

/// Lines held back in one room. Beyond it, all of the author who has most of them are shown, with a gap, rather than
/// lost: nobody ends the hold of others.
const MAX_HELD: usize = 256;
/// Authors whose place is remembered in one room.
const MAX_AUTHORS: usize = 4096;
/// Beyond it, one in so many is forgotten at once: those who spoke longest ago.
const FORGOTTEN_SHARE: usize = 8;
/// Predecessors older than this come no more. Numbers are about milliseconds.
pub(super) const LONGEST_GAP: u64 = 3_600_000;

/// How a line came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// Said just now.
    Live,
    /// Handed over by a sync, with what else there was.
    Synced,
}

#[derive(Debug)]
struct Held {
    frame: Frame,
    until: Instant,
    came: Came,
}

#[derive(Debug, Default)]
struct Author {
    /// The highest number shown, 0 if none.
    last: u64,
    held: BTreeMap<u64, Held>,
}

/// The state of one room.
#[derive(Debug)]
pub(super) struct Order {
    hold: Duration,
    authors: BTreeMap<PeerId, Author>,
    held: usize,
    /// Whether somebody was asked for earlier lines and has not answered: authors never shown before may have some.
    is_syncing: bool,
}

impl Order {
    pub(super) fn new(hold: Duration) -> Self {
        Self { hold, authors: BTreeMap::new(), held: 0, is_syncing: false }
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        use crate::bounded::bounded;
        let held: usize = self.authors.values().map(|author| author.held.len()).sum();
        vec![
            bounded("MAX_HELD", self.held, MAX_HELD),
            bounded("the count of held lines", self.held.abs_diff(held), 0),
            bounded("MAX_AUTHORS", self.authors.len(), MAX_AUTHORS + MAX_HELD),
        ]
    }

    /// A line that was never seen before. Returns what may be shown now, in order.
    pub(super) fn push(&mut self, frame: Frame, came: Came, now: Instant) -> Vec<Frame> {
        if self.authors.len() >= MAX_AUTHORS && !self.authors.contains_key(&frame.author) {
            self.forget_oldest();
        }
        let (who, until) = (frame.author, now + self.hold);
        let author = self.authors.entry(who).or_default();
        let twin = author.held.insert(frame.sequence, Held { frame, until, came });
        let mut shown = Vec::new();
        match twin {
            // Two lines of one number: an author's own fault, but no line is lost.
            Some(twin) => shown.push(twin.frame),
            None => self.held += 1,
        }
        shown.extend(self.release(who, 0));
        if self.held > MAX_HELD {
            let most = self.authors.iter().max_by_key(|(_, author)| author.held.len()).map(|(who, _)| *who);
            shown.extend(most.into_iter().flat_map(|who| self.release(who, u64::MAX)));
        }
        shown
    }

    /// Makes place for authors: those go who spoke longest ago and have no line held back. Numbers are about
    /// milliseconds, so the last one tells when an author spoke.
    fn forget_oldest(&mut self) {
        let idle = self.authors.iter().filter(|(_, author)| author.held.is_empty());
        let mut idle: Vec<(u64, PeerId)> = idle.map(|(who, author)| (author.last, *who)).collect();
        idle.sort_unstable();
        for (_, who) in idle.into_iter().take(MAX_AUTHORS / FORGOTTEN_SHARE) {
            self.authors.remove(&who);
        }
    }

    /// Whether this line waits for one before it.
    pub(super) fn holds(&self, frame: &Frame) -> bool {
        self.authors.get(&frame.author).is_some_and(|author| author.held.contains_key(&frame.sequence))
    }

    /// Whether a sync is under way. When the last one ends, [`Self::show_synced`] has something to show.
    pub(super) fn set_syncing(&mut self, is_syncing: bool) {
        self.is_syncing = is_syncing;
    }

    /// Shows what syncs brought of authors who were never shown before, up to the first gap, unless one is under way. Their
    /// first line waits for the one before it only if that `should_come`: mostly it was said before the log begins.
    pub(super) fn show_synced(&mut self, should_come: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        if self.is_syncing {
            return Vec::new();
        }
        let first = |author: &Author| {
            let (number, held) = author.held.first_key_value()?;
            (held.came == Came::Synced && !should_come(&held.frame)).then_some(*number)
        };
        let new = self.authors.iter().filter(|(_, author)| author.last == 0);
        let new: Vec<(PeerId, u64)> = new.filter_map(|(who, author)| Some((*who, first(author)?))).collect();
        new.into_iter().flat_map(|(who, number)| self.release(who, number)).collect()
    }

    /// Shows what has waited long enough, and what stands before it.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Frame> {
        let due = |author: &Author| {
            let late = author.held.iter().filter(|(_, held)| held.until <= now);
            late.map(|(number, _)| *number).max()
        };
        let late: Vec<(PeerId, u64)> = self.authors.iter().filter_map(|(who, a)| Some((*who, due(a)?))).collect();
        late.into_iter().flat_map(|(who, number)| self.release(who, number)).collect()
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.authors.values().flat_map(|author| author.held.values().map(|held| held.until)).min()
    }

    /// Takes lines off the front while nothing is missing before them, and those up to a number anyway.
    fn release(&mut self, who: PeerId, anyway: u64) -> Vec<Frame> {
        let mut shown = Vec::new();
        let Some(author) = self.authors.get_mut(&who) else { return shown };
        while let Some(entry) = author.held.first_entry() {
            if *entry.key() > anyway && is_missing(author.last, &entry.get().frame) {
                break;
            }
            let Held { frame, .. } = entry.remove();
            author.last = author.last.max(frame.sequence);
            self.held -= 1;
            shown.push(frame);
        }
        shown
    }
}

/// Whether the line before this one may still come.
fn is_missing(last: u64, frame: &Frame) -> bool {
    frame.previous > last && frame.sequence - frame.previous <= LONGEST_GAP
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::{
        super::frame::{Body, Draft, sign},
        *,
    };

    fn line(sequence: u64, previous: u64) -> Frame {
        line_of(1, sequence, previous)
    }

    fn line_of(author: u8, sequence: u64, previous: u64) -> Frame {
        let key = Keypair::ed25519_from_bytes([author; 32]).unwrap();
        let body = Body::Message { nick: "a".into(), text: "x".into() };
        sign(&key, &Draft { room: "r", sequence, previous, time_ms: sequence, body: &body }).unwrap()
    }

    /// What is shown when no sync is under way any more.
    fn settled(order: &mut Order) -> Vec<Frame> {
        order.set_syncing(false);
        order.show_synced(|_| false)
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
        assert_eq!(numbers(&order.push(line(1, 0), Came::Live, now)), [1]);
        assert_eq!(numbers(&order.push(line(3, 2), Came::Live, now)), [0u64; 0]);
        assert_eq!(numbers(&order.push(line(2, 1), Came::Live, now)), [2, 3]);
    }

    #[test]
    fn a_jump_that_names_its_predecessor_is_no_gap() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.push(line(1, 0), Came::Live, now);
        assert_eq!(numbers(&order.push(line(1000, 1), Came::Live, now)), [1000]);
    }

    #[test]
    fn what_never_comes_is_given_up_after_the_hold() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.push(line(1, 0), Came::Live, now);
        order.push(line(3, 2), Came::Live, now);
        assert_eq!(order.deadline(), Some(now + Duration::from_secs(2)));
        assert!(order.tick(now + Duration::from_millis(1999)).is_empty());
        assert_eq!(numbers(&order.tick(now + Duration::from_secs(2))), [3]);
        assert_eq!(numbers(&order.push(line(2, 1), Came::Live, now)), [2], "late is better than never");
    }

    #[test]
    fn a_later_deadline_never_hides_an_earlier_one() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.push(line(1, 0), Came::Live, now);
        order.push(line(9, 8), Came::Live, now);
        order.push(line(7, 6), Came::Live, now + Duration::from_secs(1));
        assert_eq!(numbers(&order.tick(now + Duration::from_secs(2))), [7, 9]);
        assert_eq!(order.deadline(), None);
    }

    #[test]
    fn a_stranger_who_spoke_long_ago_is_not_waited_for() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        assert_eq!(numbers(&order.push(line(LONGEST_GAP + 6, 5), Came::Live, now)), [LONGEST_GAP + 6]);
    }

    #[test]
    fn two_lines_of_one_number_are_both_shown() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.push(line(1, 0), Came::Live, now);
        let mut twin = line(3, 2);
        twin.time_ms += 1;
        let mut shown = order.push(line(3, 2), Came::Live, now);
        shown.extend(order.push(twin, Came::Live, now));
        shown.extend(order.tick(now + Duration::from_secs(2)));
        assert_eq!(numbers(&shown), [3, 3]);
        assert_eq!(order.held, 0);
    }

    #[test]
    fn who_leaves_out_many_lines_ends_the_hold_for_nobody_else() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        for n in 1..=MAX_HELD as u64 {
            assert!(order.push(line_of(2, 2 * n + 1, 2 * n), Came::Live, now).is_empty());
        }
        order.push(line(1, 0), Came::Live, now);
        let mut shown = order.push(line(3, 2), Came::Live, now);
        shown.extend(order.push(line(2, 1), Came::Live, now));
        let author = line(1, 0).author;
        shown.retain(|frame| frame.author == author);
        assert_eq!(numbers(&shown), [2, 3]);
        assert!(order.held <= MAX_HELD);
    }

    #[test]
    fn a_crowd_of_newcomers_makes_the_room_forget_who_spoke_longest_ago() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        let mut crowd = |from: u64, count: usize| {
            for n in 0..count as u64 {
                let mut line = line(from + n, 0);
                line.author = PeerId::random();
                order.push(line, Came::Live, now);
            }
        };
        crowd(1, MAX_AUTHORS - 1);
        crowd(MAX_AUTHORS as u64, 1);
        let (mut first, second) = (line(90_001, 0), line(90_003, 90_002));
        first.author = second.author;
        order.push(first, Came::Live, now);
        for n in 0..100 {
            let mut line = line(80_000 + n, 0);
            line.author = PeerId::random();
            order.push(line, Came::Live, now);
        }
        assert!(order.authors.len() <= MAX_AUTHORS);
        assert_eq!(order.authors[&second.author].last, 90_001, "it spoke just now");
        assert!(order.push(second, Came::Live, now).is_empty(), "and its next line but one waits");
    }

    #[test]
    fn the_last_sync_settles_what_it_brought_of_strangers() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.set_syncing(true);
        assert!(order.push(line(5, 4), Came::Synced, now).is_empty());
        assert!(order.push(line(9, 8), Came::Live, now).is_empty());
        assert!(order.show_synced(|_| false).is_empty(), "another answer may bring what is before it");
        assert_eq!(numbers(&settled(&mut order)), [5], "what was said just now may be asked for");
        assert!(order.push(line(7, 6), Came::Synced, now).is_empty());
        assert!(order.show_synced(|_| false).is_empty(), "this author is no stranger any more");
    }

    #[test]
    fn a_gap_in_what_a_sync_brought_of_a_stranger_is_waited_for() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.set_syncing(true);
        for frame in [line(5, 4), line(6, 5), line(8, 7)] {
            order.push(frame, Came::Synced, now);
        }
        assert_eq!(numbers(&settled(&mut order)), [5, 6]);
        assert_eq!(numbers(&order.push(line(7, 6), Came::Synced, now)), [7, 8]);
    }

    #[test]
    fn a_live_line_of_a_stranger_waits_whatever_a_sync_brings_after_it() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.push(line(5, 4), Came::Live, now);
        order.push(line(6, 5), Came::Synced, now);
        assert!(order.show_synced(|_| false).is_empty());
        assert_eq!(numbers(&order.tick(now + Duration::from_secs(2))), [5, 6]);
    }

    #[test]
    fn a_strangers_first_line_waits_for_the_one_before_it_that_should_come() {
        let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
        order.push(line(5, 4), Came::Synced, now);
        assert!(order.show_synced(|frame| frame.previous == 4).is_empty());
        assert_eq!(numbers(&order.push(line(4, 3), Came::Synced, now)), [] as [u64; 0]);
        assert_eq!(numbers(&order.show_synced(|frame| frame.previous == 4)), [4, 5]);
    }
}
