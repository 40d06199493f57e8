//! Lines wait, and are sent when somebody is there.

use std::time::Duration;

use n0_future::time::Instant;

use super::{
    frame::Frame,
    identity::Identity,
    lines::{message_of, remember},
    now::Now,
    outbox::Reach,
    output::RoomOutput,
    saved,
    state::Room,
    waiting::{Recheck, Waiting},
};
use crate::Event;

/// How long lines of an earlier run are held back for the first sync, when somebody is there.
const RECHECK_WAIT: Duration = Duration::from_secs(5);

impl Room {
    /// How many lines wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.joined.as_ref().map_or(0, |joined| joined.waiting.len())
    }

    /// Sends what waits, when somebody is there, and as much as is taken.
    pub fn flush(&mut self, reach: Reach, me: Identity<'_>, now: Now, out: &mut Vec<RoomOutput>) {
        let Some(joined) = self.joined.as_mut() else { return };
        joined.outbox.held = false;
        if reach.members == 0 || joined.waiting.is_empty() {
            return;
        }
        if joined.recheck == Recheck::Needed {
            joined.recheck = Recheck::Until(now.instant + RECHECK_WAIT);
        }
        if joined.recheck != Recheck::Done {
            return;
        }
        while let Some(line) = self.next_waiting(now.instant) {
            out.push(RoomOutput::Store(saved::drop_waiting(&self.name, &line.id)));
            match self.send(line.text, (line.sequence, line.previous), reach, me, now, out) {
                Ok(message) => out.push(RoomOutput::Emit(Box::new(Event::Sent { waiting_id: line.id, message }))),
                Err(error) => tracing::error!(%error, "a waiting line cannot be signed"),
            }
        }
        self.ask_receipts(now.instant, out);
        out.push(RoomOutput::Changed);
    }

    /// Takes the first waiting line off the queue, if it may be sent now.
    fn next_waiting(&mut self, now: Instant) -> Option<Waiting> {
        let joined = self.joined.as_mut()?;
        let bytes = joined.waiting.front()?.text.len();
        if joined.outbox.may_send(bytes, now) {
            return joined.waiting.pop_front();
        }
        joined.outbox.held = true;
        None
    }

    /// When the pace allows the next waiting line, if that is what holds it back.
    pub(super) fn flush_deadline(&self) -> Option<Instant> {
        let joined = self.joined.as_ref().filter(|joined| joined.outbox.held)?;
        joined.outbox.ready_at(joined.waiting.front()?.text.len())
    }

    /// A sync of this room has ended: what an earlier run sent would have come back by now.
    pub fn rechecked(&mut self) {
        if let Some(joined) = &mut self.joined {
            joined.recheck = Recheck::Done;
        }
    }

    /// Lines that were held back for long enough may be sent with the next [`Self::flush`].
    pub(super) fn end_recheck(&mut self, now: Instant) {
        if self.recheck_deadline().is_some_and(|until| until <= now) {
            self.rechecked();
        }
    }

    pub(super) fn recheck_deadline(&self) -> Option<Instant> {
        match self.joined.as_ref()?.recheck {
            Recheck::Until(until) => Some(until),
            Recheck::Needed | Recheck::Done => None,
        }
    }

    /// Takes a line off the queue that this frame shows to have been sent by an earlier run.
    pub(super) fn drop_sent(&mut self, frame: &Frame, out: &mut Vec<RoomOutput>) -> Option<Waiting> {
        let joined = self.joined.as_mut().filter(|_| frame.author == self.me)?;
        let index = joined.waiting.iter().position(|line| frame.says(line.sequence, &line.text))?;
        let line = joined.waiting.remove(index)?;
        out.push(RoomOutput::Store(saved::drop_waiting(&self.name, &line.id)));
        Some(line)
    }

    /// Tells that a waiting line was sent, in this frame.
    pub(super) fn show_sent(&mut self, waiting_id: String, frame: &Frame, out: &mut Vec<RoomOutput>) {
        let Some(joined) = &mut self.joined else { return };
        let message = message_of(frame, self.me);
        remember(&mut joined.history, message.clone());
        out.push(RoomOutput::Emit(Box::new(Event::Sent { waiting_id, message })));
        out.push(RoomOutput::Changed);
    }
}
