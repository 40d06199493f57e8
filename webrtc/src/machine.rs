//! The state machine of one stream, without input or output.
//!
//! Its owner hands it the channel's messages ([`Machine::receive`]), and sends the messages that it wants sent
//! ([`Machine::next_message`]) until there are none.
//!
//! Each direction ends by itself: FIN ends what its sender writes, STOP_SENDING what its sender reads. RESET gives up both.
//! The channel is closed when both directions have ended and the peer has acknowledged our FIN by FIN_ACK, or did not in
//! time: a channel that is closed earlier may lose what is on its way.
//!
//! **FIN_ACK and older peers.** Older libp2p programs do not know FIN_ACK: to them it is garbage, and they reset the stream
//! when they read it. But they stop reading once they have both sent and received a FIN. So we send FIN_ACK only after our
//! own FIN, unless the peer is known to support it ([`FinAckSupport`]): then we send it at once.

use std::time::Duration;

use bytes::Bytes;
use n0_future::time::Instant;

use crate::{
    error::{StreamError, WriteError},
    frame::{self, Decoder, Flag},
    limits::{FinAckSupport, Limits},
    receive_buffer::ReceiveBuffer,
    send_buffer::SendBuffer,
};

mod outgoing;

/// How long the peer may take to acknowledge our FIN, before the channel is closed all the same.
pub const FIN_ACK_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// FIN was received.
    Finished,
    /// We read no more.
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Open,
    /// FIN will follow what is unsent.
    Finishing,
    /// FIN was sent.
    Finished,
    /// FIN_ACK was received.
    Acknowledged,
    /// STOP_SENDING was received: the peer reads no more.
    Stopped,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Machine {
    limits: Limits,
    fin_ack: FinAckSupport,
    decoder: Decoder,
    unread: ReceiveBuffer,
    unsent: SendBuffer,
    reading: Reading,
    writing: Writing,
    failure: Option<StreamError>,
    fin_ack_due: bool,
    fin_due: bool,
    stop_sending_due: bool,
    reset_due: bool,
    /// Since when there is nothing left to do but to wait for the peer's FIN or FIN_ACK.
    waiting_since: Option<Instant>,
}

impl Machine {
    /// A stream that either side has just opened.
    #[must_use]
    pub fn new(limits: Limits, fin_ack: FinAckSupport) -> Self {
        Self {
            limits,
            fin_ack,
            decoder: Decoder::default(),
            unread: ReceiveBuffer::default(),
            unsent: SendBuffer::default(),
            reading: Reading::Open,
            writing: Writing::Open,
            failure: None,
            fin_ack_due: false,
            fin_due: false,
            stop_sending_due: false,
            reset_due: false,
            waiting_since: None,
        }
    }

    /// Handles a message of the channel.
    pub fn receive(&mut self, message: Bytes) {
        if self.failure.is_some() {
            return;
        }
        let mut frames = Vec::new();
        let read = self.decoder.read(message, |frame| frames.push(frame));
        let kept_alive = self.decoder.kept_alive();
        for frame in frames {
            self.handle_frame(frame, kept_alive);
        }
        if self.failure.is_some() {
            // A frame that begins after a reset never ends.
            self.decoder = Decoder::default();
        } else if let Err(malformed) = read {
            self.fail(malformed.into());
        }
    }

    fn handle_frame(&mut self, frame: frame::Frame, kept_alive: usize) {
        if self.failure.is_some() {
            return;
        }
        if self.reading == Reading::Open {
            self.unread.push(frame.payload, kept_alive);
        }
        match frame.flag {
            Some(Flag::Fin) => {
                self.reading = Reading::Finished;
                self.fin_ack_due = true;
                self.stop_sending_due = false;
            }
            Some(Flag::FinAck) => {
                self.fin_ack.confirm();
                if self.writing == Writing::Finished {
                    self.writing = Writing::Acknowledged;
                }
            }
            Some(Flag::StopSending) => {
                // The peer waits for our FIN all the same.
                self.fin_due |= matches!(self.writing, Writing::Open | Writing::Finishing);
                self.writing = Writing::Stopped;
                self.unsent.discard();
            }
            // What came before it can still be read: a peer that has answered and drops its stream may send a reset.
            Some(Flag::Reset) => {
                self.unsent.discard();
                self.failure = Some(StreamError::Reset);
            }
            None => {}
        }
    }

    /// Reads into a buffer. Returns how many bytes, 0 at the end, none if there are none yet.
    ///
    /// # Errors
    /// [`StreamError`]; after [`StreamError::Closed`] and [`StreamError::Reset`] what had arrived is read first. Once the peer's FIN has
    /// come, what came before it is whole, and nothing that follows makes an error of its end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, StreamError> {
        if let Some(count) = self.unread.read(buffer) {
            return Ok(Some(count));
        }
        match (self.reading, &self.failure) {
            (Reading::Finished, _) => Ok(Some(0)),
            (_, Some(failure)) => Err(failure.clone()),
            (Reading::Stopped, None) => Err(StreamError::ResetLocally),
            (Reading::Open, None) => Ok(None),
        }
    }

    /// Takes bytes to send. Returns how many, none if it takes none now.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, WriteError> {
        self.write_within(self.limits.unsent_bytes, bytes)
    }

    /// The same, but takes at most one frame, and only when nothing else is unsent.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_frame(&mut self, bytes: &[u8]) -> Result<Option<usize>, WriteError> {
        let bound = if self.unsent.is_empty() { frame::capacity(self.limits.frame_bytes) } else { 0 };
        self.write_within(bound, bytes)
    }

    fn write_within(&mut self, bound: usize, bytes: &[u8]) -> Result<Option<usize>, WriteError> {
        self.writable()?;
        Ok(self.unsent.push(bytes, bound, self.limits.frame_bytes))
    }

    fn writable(&self) -> Result<(), WriteError> {
        match (&self.failure, self.writing) {
            (Some(failure), _) => Err(failure.clone().into()),
            (None, Writing::Open) => Ok(()),
            (None, Writing::Stopped) => Err(WriteError::Stopped),
            (None, _) => Err(WriteError::Finished),
        }
    }

    /// Ends writing. Returns whether FIN was sent, which goes after everything unsent.
    ///
    /// # Errors
    /// [`StreamError`] if FIN cannot be sent any more.
    pub fn finish(&mut self) -> Result<bool, StreamError> {
        if self.writing == Writing::Open && self.failure.is_none() {
            self.writing = Writing::Finishing;
            self.fin_due = true;
        }
        match (self.writing, &self.failure) {
            (Writing::Finished | Writing::Acknowledged | Writing::Stopped, _) => Ok(true),
            (_, Some(failure)) => Err(failure.clone()),
            (_, None) => Ok(false),
        }
    }

    /// Memory that the stream holds, in bytes.
    #[must_use]
    pub fn held(&self) -> usize {
        self.unread.cost() + self.decoder.held() + self.unsent.cost()
    }

    /// Gives up both directions, as more is held than a bound allows. Nothing is held then. If the stream had ended before
    /// with bytes unread, its reader is told that they are lost.
    pub fn overflow(&mut self, bound: usize) {
        let reset_due = self.reset_due || self.failure.is_none();
        self.fail(StreamError::TooMuchUnread(bound));
        self.reset_due = reset_due;
    }

    /// Gives up both directions.
    pub fn reset(&mut self) {
        if self.failure.is_none() {
            self.fail(StreamError::ResetLocally);
        }
    }

    /// The stream was dropped: nobody will read or write any more. If it was finished, what was written is still sent. If
    /// not, it is finished when the peer's FIN has come, since then what was written is a whole answer; else it is reset.
    pub fn abandon(&mut self) {
        match (&self.failure, self.writing, self.reading) {
            (Some(_), ..) => {}
            (None, Writing::Open, Reading::Finished) => drop(self.finish()),
            (None, Writing::Open, _) => self.reset(),
            (None, _, Reading::Open) => {
                self.reading = Reading::Stopped;
                self.stop_sending_due = true;
            }
            _ => {}
        }
        self.discard_unread();
    }

    /// The channel or its connection is closed. Once both sides have sent FIN, nothing is lost by that.
    pub fn channel_closed(&mut self) {
        let is_complete = self.has_finished_writing() && self.reading == Reading::Finished;
        if self.failure.is_none() && !is_complete {
            self.failure = Some(StreamError::Closed);
            self.unsent.discard();
        }
        // The rest of an incomplete frame cannot come any more.
        self.decoder = Decoder::default();
        self.reset_due = false;
    }

    /// Whether the stream has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Whether [`Self::read`] would return something: bytes, the end or an error.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        !self.unread.is_empty() || self.failure.is_some() || self.reading != Reading::Open
    }

    fn fail(&mut self, failure: StreamError) {
        if self.reading == Reading::Finished && !self.unread.is_empty() {
            // Bytes before the end are lost now: its reader is told why in place of the end.
            self.reading = Reading::Open;
        }
        self.discard_unread();
        self.decoder = Decoder::default();
        self.unsent.discard();
        self.failure = Some(failure);
        self.reset_due = true;
    }

    fn discard_unread(&mut self) {
        self.unread = ReceiveBuffer::default();
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
