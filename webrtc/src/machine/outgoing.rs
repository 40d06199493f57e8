//! What a stream sends next, whether everything is sent, and when its channel can be closed.

use bytes::Bytes;
use n0_future::time::Instant;

use super::{FIN_ACK_TIMEOUT, Machine, Reading, Writing};
use crate::{
    error::StreamError,
    frame::{self, Flag},
};

impl Machine {
    /// The next message to send: a frame, or for a large one its length and then the rest.
    pub fn next_message(&mut self) -> Option<Bytes> {
        if let Some(rest) = self.unsent.pop_rest() {
            return Some(rest);
        }
        if std::mem::take(&mut self.reset_due) {
            return Some(frame::signal(Flag::Reset));
        }
        if self.failure.is_some() {
            return None;
        }
        let fin_is_sent = !self.fin_due && self.writing != Writing::Open;
        if self.fin_ack_due && (fin_is_sent || self.fin_ack.is_confirmed()) {
            self.fin_ack_due = false;
            return Some(frame::signal(Flag::FinAck));
        }
        if std::mem::take(&mut self.stop_sending_due) {
            return Some(frame::signal(Flag::StopSending));
        }
        if let Some(data) = self.unsent.pop() {
            return Some(data);
        }
        if !std::mem::take(&mut self.fin_due) {
            return None;
        }
        if self.writing == Writing::Finishing {
            self.writing = Writing::Finished;
        }
        Some(frame::signal(Flag::Fin))
    }

    /// Whether [`Self::write`] would take bytes, or fail.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.writable().is_err() || self.unsent.cost() < self.limits.unsent_bytes
    }

    /// Whether everything written was sent.
    ///
    /// # Errors
    /// [`StreamError`] when it never will be.
    pub fn is_flushed(&self) -> Result<bool, StreamError> {
        match &self.failure {
            // The peer has received everything before it gave up.
            Some(_) if self.writing == Writing::Acknowledged => Ok(true),
            Some(failure) => Err(failure.clone()),
            None => Ok(self.unsent.is_sent()),
        }
    }

    /// Whether the channel can be closed: the stream has failed, or both directions have ended and the peer has acknowledged
    /// that or had [`FIN_ACK_TIMEOUT`]. To be asked when [`Self::next_message`] has none.
    pub fn can_close(&mut self, now: Instant) -> bool {
        if self.failure.is_some() {
            return !self.reset_due;
        }
        let is_due = self.fin_ack_due || self.fin_due || self.stop_sending_due;
        if !self.has_finished_writing() || is_due || self.reading == Reading::Open {
            self.waiting_since = None;
            return false;
        }
        if self.writing != Writing::Finished && self.reading == Reading::Finished {
            return true;
        }
        now >= *self.waiting_since.get_or_insert(now) + FIN_ACK_TIMEOUT
    }

    /// When [`Self::can_close`] may become true by the passing of time.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting_since.map(|since| since + FIN_ACK_TIMEOUT)
    }

    pub(super) fn has_finished_writing(&self) -> bool {
        matches!(self.writing, Writing::Finished | Writing::Acknowledged | Writing::Stopped)
    }
}
