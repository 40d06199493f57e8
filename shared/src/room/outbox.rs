//! Saying no more than those who are there take.
//!
//! gossipsub drops what a connection does not take in time, and tells nobody. What it dropped comes by a sync, as long
//! as the hub still keeps it: the last 200 frames of a room. So an author sends at a pace at which two seconds of lines
//! are kept, and goes on only while few lines are on their way. A line is *taken* when a hub of the room, or where there is
//! none a member, names it in a sync: the question lists what we have, and the answer does not want it. The caller who
//! pipes a file asks for that; a person who types does not, and costs nobody a sync.

use std::{collections::VecDeque, time::Duration};

use n0_future::time::Instant;

use super::frame::{Frame, FrameId};
use crate::Message;

/// Lines of ours in a room that are on their way, not known to be taken; further ones wait.
const MAX_UNTAKEN: usize = 64;
/// Bytes of such lines: a slow connection carries them before gossipsub drops what waits for it.
const MAX_UNTAKEN_BYTES: usize = 32 * 1024;
/// A line takes this much of [`BURST`], however short: 100 lines a second.
const LINE_COST: Duration = Duration::from_millis(10);
/// Bytes that take one second of [`BURST`].
const BYTES_PER_SECOND: usize = 128 * 1024;
/// Lines said within this time of pace go at once after a pause.
const BURST: Duration = Duration::from_secs(1);
/// Time between two questions whether lines were taken.
const RECEIPT_EVERY: Duration = Duration::from_millis(250);
/// A caller who wants to know has a single line asked about after this.
const RECEIPT_AFTER: Duration = Duration::from_secs(2);
/// Lines that nobody takes keep a person's next ones waiting for so long.
const UNTAKEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Where nobody can say what was taken, as in a room of another program, lines count as taken after this.
const TAKEN_UNSEEN: Duration = Duration::from_secs(2);

/// Who would get a line that is said now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Members, hubs not counted.
    pub members: u32,
    /// Whether somebody connected who is there, or carries the room, can say what it has.
    pub receipts: bool,
}

/// A line on its way.
#[derive(Debug)]
pub(super) struct Untaken {
    pub(super) line: Line,
    pub(super) bytes: usize,
    pub(super) at: Instant,
    pub(super) receipts: bool,
}

#[derive(Debug)]
pub(super) enum Line {
    Framed(Box<Frame>),
    Plain(Box<Message>),
}

impl Untaken {
    pub(super) fn id(&self) -> Option<FrameId> {
        match &self.line {
            Line::Framed(frame) => Some(frame.id),
            Line::Plain(_) => None,
        }
    }

    /// When this line, if nobody takes it, no longer keeps others waiting.
    pub(super) fn expiry(&self, careful: bool) -> Option<Instant> {
        match (self.receipts, careful) {
            (false, _) => Some(self.at + TAKEN_UNSEEN),
            (true, false) => Some(self.at + UNTAKEN_TIMEOUT),
            (true, true) => None,
        }
    }
}

/// The lines of one room that are on their way.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) untaken: VecDeque<Untaken>,
    pub(super) bytes: usize,
    /// Until when the pace is used up.
    pub(super) paced: Option<Instant>,
    /// When it was last asked whether lines were taken.
    pub(super) asked: Option<Instant>,
    /// Whether lines wait although somebody is there.
    pub(super) held: bool,
    /// Whether the caller wants to know of every line whether it was taken.
    pub(super) careful: bool,
    /// Whether the caller waits until all are taken.
    pub(super) settling: bool,
}

impl Outbox {
    /// Whether a line of so many bytes may be sent now.
    pub(super) fn may_send(&self, bytes: usize, now: Instant) -> bool {
        self.has_room(bytes) && self.paced_until(bytes).is_none_or(|at| at <= now)
    }

    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.untaken.is_empty() || self.untaken.len() < MAX_UNTAKEN && self.bytes + bytes <= MAX_UNTAKEN_BYTES
    }

    /// When the pace allows a line of so many bytes.
    pub(super) fn paced_until(&self, bytes: usize) -> Option<Instant> {
        self.paced.and_then(|paced| (paced + cost(bytes)).checked_sub(BURST))
    }

    /// When a line of so many bytes may be sent, as far as time decides that.
    pub(super) fn ready_at(&self, bytes: usize) -> Option<Instant> {
        self.has_room(bytes).then(|| self.paced_until(bytes)).flatten()
    }

    pub(super) fn sent_frame(&mut self, frame: Frame, receipts: bool, now: Instant) {
        self.sent(frame.bytes.len(), Line::Framed(Box::new(frame)), receipts, now);
    }

    pub(super) fn sent_plain(&mut self, message: Message, now: Instant) {
        self.sent(message.text.len(), Line::Plain(Box::new(message)), false, now);
    }

    pub(super) fn sent(&mut self, bytes: usize, line: Line, receipts: bool, now: Instant) {
        self.paced = Some(self.paced.map_or(now, |paced| paced.max(now)) + cost(bytes));
        self.bytes += bytes;
        self.untaken.push_back(Untaken { line, bytes, at: now, receipts });
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        use crate::bounded::bounded;
        let one = self.untaken.iter().map(|line| line.bytes).max().unwrap_or_default();
        vec![
            bounded("MAX_UNTAKEN", self.untaken.len(), MAX_UNTAKEN),
            // What is asked for is the text's length, and what is kept is the frame.
            bounded("MAX_UNTAKEN_BYTES", self.bytes, MAX_UNTAKEN_BYTES + one),
        ]
    }

    /// When to ask whether lines were taken.
    pub(super) fn ask_at(&self) -> Option<Instant> {
        let oldest = self.untaken.iter().find(|line| line.receipts)?;
        let half = self.untaken.len() >= MAX_UNTAKEN / 2 || self.bytes >= MAX_UNTAKEN_BYTES / 2;
        let wanted = match (half || self.settling, self.careful) {
            (true, _) => oldest.at,
            (false, true) => oldest.at + RECEIPT_AFTER,
            (false, false) => return None,
        };
        Some(self.asked.map_or(wanted, |asked| wanted.max(asked + RECEIPT_EVERY)))
    }

    /// Takes lines off. Says whether there were any.
    pub(super) fn remove(&mut self, gone: impl Fn(&Untaken) -> bool) -> bool {
        let before = self.untaken.len();
        self.untaken.retain(|line| !gone(line));
        self.bytes = self.untaken.iter().map(|line| line.bytes).sum();
        self.settling &= !self.untaken.is_empty();
        self.untaken.len() < before
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let expiry = self.untaken.iter().filter_map(|line| line.expiry(self.careful)).min();
        expiry.into_iter().chain(self.ask_at()).min()
    }
}

/// What a line takes of the pace.
fn cost(bytes: usize) -> Duration {
    LINE_COST.max(Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND as f64))
}
