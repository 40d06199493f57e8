//! Saying no more than those who are there take.
//!
//! gossipsub drops what a connection does not take in time, and tells nobody. What it dropped comes by a sync, as long
//! as the hub still keeps it: the last 200 frames of a room. So an author sends at a pace at which two seconds of lines
//! are kept, and goes on only while few lines are on their way. A line is *taken* when a hub of the room, or where there is
//! none a member, names it in a sync: the question lists what we have, and the answer does not want it. The caller who
//! pipes a file asks for that; a person who types does not, and costs nobody a sync.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use n0_future::time::Instant;

use super::{
    Now,
    frame::{Frame, FrameId, Prefix},
    lines::message_of,
    state::{Output, Room},
    sync::{self, Question},
};
use crate::{Event, Message};

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
/// Gossip has this time to bring a line until it is handed over by sync: twice would be twice the bytes on a slow link.
const RESEND_AFTER: Duration = Duration::from_secs(2);
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
struct Untaken {
    line: Line,
    bytes: usize,
    at: Instant,
    receipts: bool,
}

#[derive(Debug)]
enum Line {
    Framed(Box<Frame>),
    Plain(Box<Message>),
}

impl Untaken {
    fn id(&self) -> Option<FrameId> {
        match &self.line {
            Line::Framed(frame) => Some(frame.id),
            Line::Plain(_) => None,
        }
    }

    /// When this line, if nobody takes it, no longer keeps others waiting.
    fn expiry(&self, careful: bool) -> Option<Instant> {
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
    untaken: VecDeque<Untaken>,
    bytes: usize,
    /// Until when the pace is used up.
    paced: Option<Instant>,
    /// When it was last asked whether lines were taken.
    asked: Option<Instant>,
    /// Whether lines wait although somebody is there.
    pub(super) held: bool,
    /// Whether the caller wants to know of every line whether it was taken.
    careful: bool,
    /// Whether the caller waits until all are taken.
    settling: bool,
}

impl Outbox {
    /// Whether a line of so many bytes may be sent now.
    pub(super) fn may_send(&self, bytes: usize, now: Instant) -> bool {
        self.has_room(bytes) && self.paced_until(bytes).is_none_or(|at| at <= now)
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.untaken.is_empty() || self.untaken.len() < MAX_UNTAKEN && self.bytes + bytes <= MAX_UNTAKEN_BYTES
    }

    /// When the pace allows a line of so many bytes.
    fn paced_until(&self, bytes: usize) -> Option<Instant> {
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

    fn sent(&mut self, bytes: usize, line: Line, receipts: bool, now: Instant) {
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
    fn ask_at(&self) -> Option<Instant> {
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
    fn remove(&mut self, gone: impl Fn(&Untaken) -> bool) -> bool {
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

impl Room {
    /// Whether [`Self::say`] would send a line of so many bytes at once, or with nobody there has a place for it.
    #[must_use]
    pub fn has_place(&self, bytes: usize, reach: Reach, now: Now) -> bool {
        let Some(voice) = &self.voice else { return true };
        match reach.members {
            0 => voice.waiting.len() < voice.max_waiting,
            _ => voice.waiting.is_empty() && voice.outbox.may_send(bytes, now.instant),
        }
    }

    /// When there is a place again for a line of so many bytes, as far as time decides that.
    #[must_use]
    pub fn place_at(&self, bytes: usize) -> Option<Instant> {
        self.voice.as_ref().and_then(|voice| voice.outbox.ready_at(bytes))
    }

    /// From now on the caller wants to know of every line whether it was taken.
    pub fn be_careful(&mut self) {
        if let Some(voice) = &mut self.voice {
            voice.outbox.careful = true;
        }
    }

    /// Asks soon, and again, until all lines are taken.
    pub fn settle(&mut self, now: Now, out: &mut Vec<Output>) {
        if let Some(voice) = &mut self.voice {
            voice.outbox.careful = true;
            voice.outbox.settling = !voice.outbox.untaken.is_empty();
        }
        self.ask_receipts(now.instant, out);
    }

    /// Whether nothing waits and everything was taken.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.voice.as_ref().is_none_or(|voice| voice.waiting.is_empty() && voice.outbox.untaken.is_empty())
    }

    /// Our lines that were sent and that nobody is known to have, oldest first.
    #[must_use]
    pub fn untaken(&self) -> Vec<Message> {
        let lines = self.voice.iter().flat_map(|voice| &voice.outbox.untaken);
        lines
            .map(|untaken| match &untaken.line {
                Line::Framed(frame) => message_of(frame, self.me),
                Line::Plain(message) => (**message).clone(),
            })
            .collect()
    }

    /// What to ask in a sync: everything we have, lines on their way first.
    pub(crate) fn question(&self) -> Question {
        let Question { room, have: kept, give, is_told } = sync::ask(&self.name, &self.ring);
        let mut have: Vec<Vec<u8>> = self.untaken_names().iter().map(|prefix| prefix.to_vec()).collect();
        let untaken: BTreeSet<Vec<u8>> = have.iter().cloned().collect();
        have.extend(kept.into_iter().filter(|prefix| !untaken.contains(prefix)));
        Question { room, have, give, is_told }
    }

    /// Names of the lines that are on their way.
    pub(crate) fn untaken_names(&self) -> Vec<Prefix> {
        let lines = self.voice.iter().flat_map(|voice| &voice.outbox.untaken);
        lines.filter_map(Untaken::id).map(|id| id.prefix()).collect()
    }

    /// Hands over what the answer to a question wants, but for lines that gossip may still bring when it was only asked
    /// whether they were taken.
    pub(crate) fn give(&self, want: &[Vec<u8>], only_receipt: bool, now: Now) -> Option<Question> {
        let mut wanted = sync::prefixes(want);
        let mut ours = Vec::new();
        for untaken in self.voice.iter().flat_map(|voice| &voice.outbox.untaken) {
            let Line::Framed(frame) = &untaken.line else { continue };
            if wanted.remove(&frame.id.prefix()) && !(only_receipt && now.instant < untaken.at + RESEND_AFTER) {
                ours.push(frame.bytes.clone());
            }
        }
        let wanted: Vec<Vec<u8>> = wanted.iter().map(|prefix| prefix.to_vec()).collect();
        let kept = sync::give(&self.name, &self.ring, &wanted);
        let give: Vec<Vec<u8>> = ours.into_iter().chain(kept.into_iter().flat_map(|kept| kept.give)).collect();
        (!give.is_empty()).then(|| Question { room: self.name.clone(), have: Vec::new(), give, is_told: false })
    }

    /// Somebody who was asked, or who asks, has these of our lines.
    pub(crate) fn taken(&mut self, has: impl Fn(&Prefix) -> bool, now: Now, out: &mut Vec<Output>) {
        let Some(voice) = &mut self.voice else { return };
        if voice.outbox.remove(|line| line.id().is_some_and(|id| has(&id.prefix()))) {
            self.tell_taken(out);
        }
        self.ask_receipts(now.instant, out);
    }

    /// What time does to lines on their way.
    pub(super) fn tick_outbox(&mut self, now: Instant, out: &mut Vec<Output>) {
        let Some(voice) = &mut self.voice else { return };
        let careful = voice.outbox.careful;
        let is_over = |line: &Untaken| line.expiry(careful).is_some_and(|at| at <= now);
        voice.outbox.remove(|line| line.receipts && is_over(line));
        if voice.outbox.remove(is_over) {
            self.tell_taken(out);
        }
        self.ask_receipts(now, out);
    }

    fn tell_taken(&self, out: &mut Vec<Output>) {
        let pending = self.voice.as_ref().map_or(0, |voice| voice.outbox.untaken.len());
        let pending = u32::try_from(pending).unwrap_or(u32::MAX);
        out.push(Output::Emit(Box::new(Event::Taken { room: self.name.clone(), pending })));
    }

    /// Has it asked whether lines were taken, if it is time.
    pub(super) fn ask_receipts(&mut self, now: Instant, out: &mut Vec<Output>) {
        let Some(voice) = &mut self.voice else { return };
        if voice.outbox.ask_at().is_some_and(|at| at <= now) {
            voice.outbox.asked = Some(now);
            out.push(Output::AskReceipts);
        }
    }
}
