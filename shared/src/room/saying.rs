//! Lines of ours: numbered, signed and sent, or put into the queue.

use super::{
    frame::{Body, Draft, sign},
    identity::Identity,
    lines::{blank, message_of, remember, waiting_message},
    now::Now,
    outbox::Reach,
    output::RoomOutput,
    saved,
    state::Room,
    waiting::{self, Waiting},
};
use crate::{Error, Event, Message, MessageState, Said};

impl Room {
    /// Says a line, now when somebody is there and takes it, else later.
    ///
    /// # Errors
    /// Text out of bounds, a room that is not joined, too many waiting lines.
    pub fn say(
        &mut self,
        text: String,
        reach: Reach,
        me: Identity<'_>,
        now: Now,
        out: &mut Vec<RoomOutput>,
    ) -> Result<Said, Error> {
        crate::text::check_text(&text)?;
        let Some(joined) = &mut self.joined else { return Err(Error::NotInRoom { room: self.name.clone() }) };
        if reach.members > 0 && joined.waiting.is_empty() && joined.outbox.may_send(text.len(), now.instant) {
            let number = waiting::next_number(&mut joined.last_line, now.unix_ms);
            let message = self.send(text, number, reach, me, now, out)?;
            let id = message.id.clone();
            out.push(RoomOutput::Emit(Box::new(Event::Message(message))));
            self.ask_receipts(now.instant, out);
            return Ok(Said::Sent { members: reach.members, id });
        }
        self.queue(text, me, now, out)
    }

    /// Signs and publishes a line of ours under its number, with the number of the line before it.
    pub(super) fn send(
        &mut self,
        text: String,
        (sequence, previous): (u64, u64),
        reach: Reach,
        me: Identity<'_>,
        now: Now,
        out: &mut Vec<RoomOutput>,
    ) -> Result<Message, Error> {
        let Some(joined) = &mut self.joined else { return Err(Error::NotInRoom { room: self.name.clone() }) };
        if joined.plain {
            joined.counter += 1;
            out.push(RoomOutput::Publish(text.clone().into_bytes()));
            let message = Message {
                id: format!("p{:016x}", joined.counter),
                text,
                state: MessageState::Sent,
                plain: true,
                ..blank(&self.name, self.me, me.nick, now.unix_ms)
            };
            remember(&mut joined.history, message.clone());
            joined.outbox.sent_plain(message.clone(), now.instant);
            return Ok(message);
        }
        let body = Body::Message { nick: me.nick.to_owned(), text };
        let draft = Draft { room: &self.name, sequence, previous, time_ms: now.unix_ms, body: &body };
        let frame = sign(me.keypair, &draft)
            .map_err(|error| Error::Setting { name: "key", reason: format!("cannot sign: {error}") })?;
        let message = message_of(&frame, self.me);
        remember(&mut joined.history, message.clone());
        joined.outbox.sent_frame(frame.clone(), reach.receipts, now.instant);
        self.store_numbers(out);
        out.push(RoomOutput::Publish(frame.bytes.clone()));
        out.push(RoomOutput::Spoken(Box::new(frame.clone())));
        self.keep(frame, now, out);
        Ok(message)
    }

    /// Puts a line into the queue.
    pub(super) fn queue(
        &mut self,
        text: String,
        me: Identity<'_>,
        now: Now,
        out: &mut Vec<RoomOutput>,
    ) -> Result<Said, Error> {
        let Some(joined) = &mut self.joined else { return Err(Error::NotInRoom { room: self.name.clone() }) };
        if joined.waiting.len() >= joined.max_waiting {
            return Err(Error::TooManyWaiting { limit: joined.max_waiting });
        }
        let (sequence, previous) = waiting::next_number(&mut joined.last_line, now.unix_ms);
        let id = format!("w{sequence:016x}");
        let line = Waiting { id: id.clone(), text, time_ms: now.unix_ms, sequence, previous };
        out.push(RoomOutput::Store(saved::put_waiting(&self.name, &line)));
        out.push(RoomOutput::Emit(Box::new(Event::Message(waiting_message(&self.name, &line, joined.plain, me)))));
        out.push(RoomOutput::Changed);
        joined.waiting.push_back(line);
        Ok(Said::Queued { id })
    }
}
