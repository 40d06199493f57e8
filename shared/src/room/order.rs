//! Each author's lines in the order in which they were said.
//!
//! Gossip delivers in any order and loses lines where a connection is slow, and who has just joined hears the middle of a
//! conversation. So each line carries its number, which grows from line to line of one author in one room, and the number of
//! the author's line before it (`previous`, 0 for none). For each author the highest number shown is remembered (`last`), and
//! that tells whether something is missing between it and a line that comes:
//!
//! - Nothing is missing (`previous <= last`): the line is shown at once, and with it those that waited for it.
//! - The line before it is missing: it is held, for `ORDER_HOLD` at most. Meanwhile whoever handed it over is asked for the
//!   missing one (`gaps.rs`). When the time is over it is shown with a gap; what comes later still is shown then, out of
//!   order, rather than never.
//! - Nothing was shown of this author, as after joining: a sync that is under way may bring what is before. When the last sync
//!   has ended the first line no longer waits for what the log cannot have (`show_synced`).
//! - `previous` is more than `LONGEST_GAP` below: that line has left everybody's log, and nothing waits for it.
//!
//! Lines of different authors are not put into an order: their clocks differ, and the slowest connection would hold up
//! everybody's lines.

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

    /// Whether lines of this author up to this one's number were shown.
    pub(super) fn has_shown(&self, frame: &Frame) -> bool {
        let last = self.authors.get(&frame.author).map_or(0, |author| author.last);
        frame.line_number().is_some_and(|number| number <= last)
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
#[path = "order_tests.rs"]
mod tests;
