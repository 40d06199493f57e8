//! Which of our lines were taken, as syncs tell, and what goes on because of it. [`outbox`](super::outbox) says why.

use std::{collections::BTreeSet, time::Duration};

use n0_future::time::Instant;

use super::{
    frame::Prefix,
    lines::message_of,
    now::Now,
    outbox::{Line, Reach, Untaken},
    output::RoomOutput,
    state::Room,
    sync::{self, Question},
};
use crate::{Event, Message};

/// Gossip has this time to bring a line until it is handed over by sync: twice would be twice the bytes on a slow link.
const RESEND_AFTER: Duration = Duration::from_secs(2);

impl Room {
    /// Whether [`Self::say`] would send a line of so many bytes at once, or with nobody there has a place for it.
    #[must_use]
    pub fn has_place(&self, bytes: usize, reach: Reach, now: Now) -> bool {
        let Some(joined) = &self.joined else { return true };
        match reach.members {
            0 => joined.waiting.len() < joined.max_waiting,
            _ => joined.waiting.is_empty() && joined.outbox.may_send(bytes, now.instant),
        }
    }

    /// When there is a place again for a line of so many bytes, as far as time decides that.
    #[must_use]
    pub fn place_at(&self, bytes: usize) -> Option<Instant> {
        self.joined.as_ref().and_then(|joined| joined.outbox.ready_at(bytes))
    }

    /// From now on the caller wants to know of every line whether it was taken.
    pub fn be_careful(&mut self) {
        if let Some(joined) = &mut self.joined {
            joined.outbox.careful = true;
        }
    }

    /// Asks soon, and again, until all lines are taken.
    pub fn settle(&mut self, now: Now, out: &mut Vec<RoomOutput>) {
        if let Some(joined) = &mut self.joined {
            joined.outbox.careful = true;
            joined.outbox.settling = !joined.outbox.untaken.is_empty();
        }
        self.ask_receipts(now.instant, out);
    }

    /// Whether nothing waits and everything was taken.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.joined.as_ref().is_none_or(|joined| joined.waiting.is_empty() && joined.outbox.untaken.is_empty())
    }

    /// Our lines that were sent and that nobody is known to have, oldest first.
    #[must_use]
    pub fn untaken(&self) -> Vec<Message> {
        let lines = self.joined.iter().flat_map(|joined| &joined.outbox.untaken);
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
        let lines = self.joined.iter().flat_map(|joined| &joined.outbox.untaken);
        lines.filter_map(Untaken::id).map(|id| id.prefix()).collect()
    }

    /// Hands over what the answer to a question wants, but for lines that gossip may still bring when it was only asked
    /// whether they were taken.
    pub(crate) fn give(&self, want: &[Vec<u8>], only_receipt: bool, now: Now) -> Option<Question> {
        let mut wanted = sync::prefixes(want);
        let mut ours = Vec::new();
        for untaken in self.joined.iter().flat_map(|joined| &joined.outbox.untaken) {
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
    pub(crate) fn taken(&mut self, has: impl Fn(&Prefix) -> bool, now: Now, out: &mut Vec<RoomOutput>) {
        let Some(joined) = &mut self.joined else { return };
        if joined.outbox.remove(|line| line.id().is_some_and(|id| has(&id.prefix()))) {
            self.tell_taken(out);
        }
        self.ask_receipts(now.instant, out);
    }

    /// What time does to lines on their way.
    pub(super) fn tick_outbox(&mut self, now: Instant, out: &mut Vec<RoomOutput>) {
        let Some(joined) = &mut self.joined else { return };
        let careful = joined.outbox.careful;
        let is_over = |line: &Untaken| line.expiry(careful).is_some_and(|at| at <= now);
        joined.outbox.remove(|line| line.receipts && is_over(line));
        if joined.outbox.remove(is_over) {
            self.tell_taken(out);
        }
        self.ask_receipts(now, out);
    }

    fn tell_taken(&self, out: &mut Vec<RoomOutput>) {
        let pending = self.joined.as_ref().map_or(0, |joined| joined.outbox.untaken.len());
        let pending = u32::try_from(pending).unwrap_or(u32::MAX);
        out.push(RoomOutput::Emit(Box::new(Event::Taken { room: self.name.clone(), pending })));
    }

    /// Has it asked whether lines were taken, if it is time.
    pub(super) fn ask_receipts(&mut self, now: Instant, out: &mut Vec<RoomOutput>) {
        let Some(joined) = &mut self.joined else { return };
        if joined.outbox.ask_at().is_some_and(|at| at <= now) {
            joined.outbox.asked = Some(now);
            out.push(RoomOutput::AskReceipts);
        }
    }
}
