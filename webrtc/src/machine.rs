//! The protocol of one stream: what each side may do when, without input or output.
//!
//! Whoever owns a [`Machine`] hands it the channel's messages ([`Machine::receive`]) and sends the messages that it
//! asks for ([`Machine::next_message`]) until there are none.
//!
//! **Acknowledgements.** Current peers answer FIN by FIN_ACK; peers of older programs take a FIN_ACK for garbage and
//! break the stream when they read it. They stop reading once they have both sent and received a FIN. So a FIN_ACK
//! follows our own FIN, unless the peer has shown on this connection that it knows them ([`Acknowledging`]): then it
//! goes at once.

use std::time::Duration;

use bytes::Bytes;
use n0_future::time::Instant;

use crate::{
    ends::{Broken, Unwritable},
    frame::{self, Decoder, Flag},
    limits::{Acknowledging, Limits},
    unread::Unread,
    unsent::Unsent,
};

mod outgoing;

/// How long the peer gets to acknowledge the end before the channel is closed without.
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// FIN has come.
    Finished,
    /// Nobody here reads any more.
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Open,
    /// FIN follows what is unsent.
    Finishing,
    /// FIN was sent.
    Finished,
    Acknowledged,
    /// The peer reads nothing more, and nothing more is sent.
    Stopped,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Machine {
    limits: Limits,
    acknowledging: Acknowledging,
    decoder: Decoder,
    unread: Unread,
    unsent: Unsent,
    reading: Reading,
    writing: Writing,
    broken: Option<Broken>,
    owes_ack: bool,
    owes_fin: bool,
    owes_stop: bool,
    owes_reset: bool,
    /// When nothing was left to do here but to wait for the peer's last word.
    waiting_since: Option<Instant>,
}

impl Machine {
    /// A stream that has just been opened by either side.
    #[must_use]
    pub fn new(limits: Limits, acknowledging: Acknowledging) -> Self {
        Self {
            limits,
            acknowledging,
            decoder: Decoder::default(),
            unread: Unread::default(),
            unsent: Unsent::default(),
            reading: Reading::Open,
            writing: Writing::Open,
            broken: None,
            owes_ack: false,
            owes_fin: false,
            owes_stop: false,
            owes_reset: false,
            waiting_since: None,
        }
    }

    /// A message of the channel has come.
    pub fn receive(&mut self, message: Bytes) {
        if self.broken.is_some() {
            return;
        }
        let mut frames = Vec::new();
        let read = self.decoder.read(message, |frame| frames.push(frame));
        let kept_alive = self.decoder.kept_alive();
        for frame in frames {
            self.take(frame, kept_alive);
        }
        if self.broken.is_some() {
            // A frame that has begun behind a reset never ends.
            self.decoder = Decoder::default();
        } else if let Err(malformed) = read {
            self.break_off(malformed.into());
        }
    }

    fn take(&mut self, frame: frame::Frame, kept_alive: usize) {
        if self.broken.is_some() {
            return;
        }
        if self.reading == Reading::Open {
            self.unread.push(frame.payload, kept_alive);
        }
        match frame.flag {
            Some(Flag::Fin) => {
                self.reading = Reading::Finished;
                self.owes_ack = true;
                self.owes_stop = false;
            }
            Some(Flag::FinAck) => {
                self.acknowledging.learn();
                if self.writing == Writing::Finished {
                    self.writing = Writing::Acknowledged;
                }
            }
            Some(Flag::StopSending) => {
                // It waits for our last word all the same.
                self.owes_fin |= matches!(self.writing, Writing::Open | Writing::Finishing);
                self.writing = Writing::Stopped;
                self.unsent.forget();
            }
            // What came before it is read first: who answers and drops its stream may send one.
            Some(Flag::Reset) => {
                self.unsent.forget();
                self.broken = Some(Broken::Reset);
            }
            None => {}
        }
    }

    /// Reads into a buffer: how many bytes, 0 at the end, nothing when more may come.
    ///
    /// # Errors
    /// [`Broken`]; after [`Broken::Closed`] and [`Broken::Reset`] what had arrived is read first. Once the peer's FIN has
    /// come, what came before it is whole, and nothing that follows makes an error of its end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
        if let Some(count) = self.unread.read(buffer) {
            return Ok(Some(count));
        }
        match (self.reading, &self.broken) {
            (Reading::Finished, _) => Ok(Some(0)),
            (_, Some(broken)) => Err(broken.clone()),
            (Reading::Stopped, None) => Err(Broken::ResetHere),
            (Reading::Open, None) => Ok(None),
        }
    }

    /// Takes bytes to send: how many, nothing when it takes none now.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Unwritable> {
        self.write_within(self.limits.unsent_bytes, bytes)
    }

    /// The same, but no more than a frame, and only when nothing else is unsent.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn write_frame(&mut self, bytes: &[u8]) -> Result<Option<usize>, Unwritable> {
        let bound = if self.unsent.is_empty() { frame::capacity(self.limits.frame_bytes) } else { 0 };
        self.write_within(bound, bytes)
    }

    fn write_within(&mut self, bound: usize, bytes: &[u8]) -> Result<Option<usize>, Unwritable> {
        self.writable()?;
        Ok(self.unsent.push(bytes, bound, self.limits.frame_bytes))
    }

    /// Whether [`Self::write`] would take bytes, or fail.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.writable().is_err() || self.unsent.cost() < self.limits.unsent_bytes
    }

    fn writable(&self) -> Result<(), Unwritable> {
        match (&self.broken, self.writing) {
            (Some(broken), _) => Err(broken.clone().into()),
            (None, Writing::Open) => Ok(()),
            (None, Writing::Stopped) => Err(Unwritable::Stopped),
            (None, _) => Err(Unwritable::Finished),
        }
    }

    /// Nothing more will be written. Says whether the peer was told, which comes after all that is unsent.
    ///
    /// # Errors
    /// [`Broken`] when the peer cannot be told any more.
    pub fn finish(&mut self) -> Result<bool, Broken> {
        if self.writing == Writing::Open && self.broken.is_none() {
            self.writing = Writing::Finishing;
            self.owes_fin = true;
        }
        match (self.writing, &self.broken) {
            (Writing::Finished | Writing::Acknowledged | Writing::Stopped, _) => Ok(true),
            (_, Some(broken)) => Err(broken.clone()),
            (_, None) => Ok(false),
        }
    }

    /// Bytes of memory that the stream holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.unread.cost() + self.decoder.held() + self.unsent.cost()
    }

    /// More is held than a bound allows: gives up both directions. Nothing is held then, also where the stream had ended
    /// before and kept what was unread: then its reader is told that bytes are missing.
    pub fn overflow(&mut self, bound: usize) {
        let owes_reset = self.owes_reset || self.broken.is_none();
        self.break_off(Broken::TooMuchUnread(bound));
        self.owes_reset = owes_reset;
    }

    /// Gives up both directions.
    pub fn reset(&mut self) {
        if self.broken.is_none() {
            self.break_off(Broken::ResetHere);
        }
    }

    /// Nobody will read or write here any more. What was written before [`Self::finish`] still goes out. A stream that was
    /// not finished is: after the peer's FIN, as the answer is all there is; before it, the stream is reset.
    pub fn abandon(&mut self) {
        match (&self.broken, self.writing, self.reading) {
            (Some(_), ..) => {}
            (None, Writing::Open, Reading::Finished) => drop(self.finish()),
            (None, Writing::Open, _) => self.reset(),
            (None, _, Reading::Open) => {
                self.reading = Reading::Stopped;
                self.owes_stop = true;
            }
            _ => {}
        }
        self.forget_unread();
    }

    /// The channel, or all of its connection, is gone. After both sides' last words nothing is lost by that.
    pub fn channel_closed(&mut self) {
        let over = self.has_said_all() && self.reading == Reading::Finished;
        if self.broken.is_none() && !over {
            self.broken = Some(Broken::Closed);
            self.unsent.forget();
        }
        // The rest of a frame that has begun cannot come any more.
        self.decoder = Decoder::default();
        self.owes_reset = false;
    }

    /// Whether it ended before its time.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Whether there is something to read, or nothing more to wait for.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        !self.unread.is_empty() || self.broken.is_some() || self.reading != Reading::Open
    }

    fn break_off(&mut self, broken: Broken) {
        if self.reading == Reading::Finished && !self.unread.is_empty() {
            // Bytes before the end are lost now: its reader is told why in place of the end.
            self.reading = Reading::Open;
        }
        self.forget_unread();
        self.decoder = Decoder::default();
        self.unsent.forget();
        self.broken = Some(broken);
        self.owes_reset = true;
    }

    fn forget_unread(&mut self) {
        self.unread = Unread::default();
    }
}

#[cfg(test)]
#[path = "machine_memory_tests.rs"]
mod memory_tests;
#[cfg(test)]
#[path = "machine_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
