//! Lines said while nobody was there: queued, sent when somebody comes, and sent once.
//!
//! A line gets its number when it is said, and is stored with it. If the removal of a sent line does not reach the
//! storage (a full disk, a killed process), the next run finds the line waiting, and sends it under the same number:
//! receivers know it by that. Before it does so, it asks those who are there, as they may hand the sent line back.

use std::{collections::VecDeque, time::Duration};

use n0_future::time::Instant;

use super::{
    Now,
    frame::Frame,
    lines::{message_of, remember, waiting_message},
    outbox::Reach,
    saved,
    state::{Me, Output, Room},
};
use crate::{Error, Event, Said};

/// How long lines of an earlier run are held back for the first sync, when somebody is there.
const RECHECK_WAIT: Duration = Duration::from_secs(5);

/// A line that waits for somebody to appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Unique in the room; sorts by when it was said.
    pub id: String,
    /// The line.
    pub text: String,
    /// When it was said, unix time in milliseconds.
    pub time_ms: u64,
    /// Its number among the author's lines. 0 in entries of a version that numbered lines when it sent them.
    pub sequence: u64,
    /// The number of the author's line before this one, 0 if there is none.
    pub previous: u64,
}

/// Whether lines of an earlier run may be sent, or were perhaps sent by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recheck {
    /// No sync has ended yet.
    Needed,
    /// Somebody is there. Without a sync until then, the lines are sent anyway.
    Until(Instant),
    /// A sync has ended, or there was nothing to check.
    Done,
}

/// What an earlier run left, with numbers for those lines that have none, which are the changes.
pub(super) fn restore(saved: Vec<Waiting>, last_line: &mut u64) -> (VecDeque<Waiting>, Vec<Waiting>) {
    let mut numbered = Vec::new();
    *last_line = saved.iter().map(|line| line.sequence).fold(*last_line, u64::max);
    let number = |mut line: Waiting| {
        if line.sequence == 0 {
            (line.sequence, line.previous) = next_number(last_line, line.time_ms);
            numbered.push(line.clone());
        }
        line
    };
    let waiting = saved.into_iter().map(number).collect();
    (waiting, numbered)
}

/// The next line's number, and that of the line before it.
pub(super) fn next_number(last_line: &mut u64, now_ms: u64) -> (u64, u64) {
    let previous = *last_line;
    *last_line = now_ms.max(previous.saturating_add(1));
    (*last_line, previous)
}

impl Room {
    /// How many lines wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.voice.as_ref().map_or(0, |voice| voice.waiting.len())
    }

    /// Puts a line into the queue.
    pub(super) fn queue(&mut self, text: String, me: Me<'_>, now: Now, out: &mut Vec<Output>) -> Result<Said, Error> {
        let Some(voice) = &mut self.voice else { return Err(Error::NotInRoom { room: self.name.clone() }) };
        if voice.waiting.len() >= voice.max_waiting {
            return Err(Error::TooManyWaiting { limit: voice.max_waiting });
        }
        let (sequence, previous) = next_number(&mut voice.last_line, now.unix_ms);
        let id = format!("w{sequence:016x}");
        let line = Waiting { id: id.clone(), text, time_ms: now.unix_ms, sequence, previous };
        out.push(Output::Store(saved::put_waiting(&self.name, &line)));
        out.push(Output::Emit(Box::new(Event::Message(waiting_message(&self.name, &line, voice.plain, me)))));
        out.push(Output::Changed);
        voice.waiting.push_back(line);
        Ok(Said::Queued { id })
    }

    /// Sends what waits, when somebody is there, and as much as is taken.
    pub fn flush(&mut self, reach: Reach, me: Me<'_>, now: Now, out: &mut Vec<Output>) {
        let Some(voice) = self.voice.as_mut() else { return };
        voice.outbox.held = false;
        if reach.members == 0 || voice.waiting.is_empty() {
            return;
        }
        if voice.recheck == Recheck::Needed {
            voice.recheck = Recheck::Until(now.instant + RECHECK_WAIT);
        }
        if voice.recheck != Recheck::Done {
            return;
        }
        while let Some(line) = self.next_waiting(now.instant) {
            out.push(Output::Store(saved::drop_waiting(&self.name, &line.id)));
            match self.send(line.text, (line.sequence, line.previous), reach, me, now, out) {
                Ok(message) => out.push(Output::Emit(Box::new(Event::Sent { waiting_id: line.id, message }))),
                Err(error) => tracing::error!(%error, "a waiting line cannot be signed"),
            }
        }
        self.ask_receipts(now.instant, out);
        out.push(Output::Changed);
    }

    /// Takes the first waiting line off the queue, if it may be sent now.
    fn next_waiting(&mut self, now: Instant) -> Option<Waiting> {
        let voice = self.voice.as_mut()?;
        let bytes = voice.waiting.front()?.text.len();
        if voice.outbox.may_send(bytes, now) {
            return voice.waiting.pop_front();
        }
        voice.outbox.held = true;
        None
    }

    /// When the pace allows the next waiting line, if that is what holds it back.
    pub(super) fn flush_deadline(&self) -> Option<Instant> {
        let voice = self.voice.as_ref().filter(|voice| voice.outbox.held)?;
        voice.outbox.ready_at(voice.waiting.front()?.text.len())
    }

    /// A sync of this room has ended: what an earlier run sent would have come back by now.
    pub fn rechecked(&mut self) {
        if let Some(voice) = &mut self.voice {
            voice.recheck = Recheck::Done;
        }
    }

    /// Lines that were held back for long enough may be sent with the next [`Self::flush`].
    pub(super) fn end_recheck(&mut self, now: Instant) {
        if self.recheck_deadline().is_some_and(|until| until <= now) {
            self.rechecked();
        }
    }

    pub(super) fn recheck_deadline(&self) -> Option<Instant> {
        match self.voice.as_ref()?.recheck {
            Recheck::Until(until) => Some(until),
            Recheck::Needed | Recheck::Done => None,
        }
    }

    /// Takes a line off the queue that this frame shows to have been sent by an earlier run.
    pub(super) fn drop_sent(&mut self, frame: &Frame, out: &mut Vec<Output>) -> Option<Waiting> {
        let voice = self.voice.as_mut().filter(|_| frame.author == self.me)?;
        let index = voice.waiting.iter().position(|line| frame.says(line.sequence, &line.text))?;
        let line = voice.waiting.remove(index)?;
        out.push(Output::Store(saved::drop_waiting(&self.name, &line.id)));
        Some(line)
    }

    /// Tells that a waiting line was sent, in this frame.
    pub(super) fn show_sent(&mut self, waiting_id: String, frame: &Frame, out: &mut Vec<Output>) {
        let Some(voice) = &mut self.voice else { return };
        let message = message_of(frame, self.me);
        remember(&mut voice.history, message.clone());
        out.push(Output::Emit(Box::new(Event::Sent { waiting_id, message })));
        out.push(Output::Changed);
    }
}
