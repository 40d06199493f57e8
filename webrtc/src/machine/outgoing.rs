//! What a stream sends next, whether all is sent, and when its channel can be closed.

use bytes::Bytes;
use n0_future::time::Instant;

use super::{CLOSE_PATIENCE, Machine, Reading, Writing};
use crate::{
    ends::Broken,
    frame::{self, Flag},
};

impl Machine {
    /// What message the channel should send next: a frame, or for a large one its length and then the rest.
    pub fn next_message(&mut self) -> Option<Bytes> {
        if let Some(rest) = self.unsent.pop_rest() {
            return Some(rest);
        }
        if std::mem::take(&mut self.owes_reset) {
            return Some(frame::signal(Flag::Reset));
        }
        if self.broken.is_some() {
            return None;
        }
        let told = !self.owes_fin && self.writing != Writing::Open;
        if self.owes_ack && (told || self.acknowledging.is_known()) {
            self.owes_ack = false;
            return Some(frame::signal(Flag::FinAck));
        }
        if std::mem::take(&mut self.owes_stop) {
            return Some(frame::signal(Flag::StopSending));
        }
        if let Some(data) = self.unsent.pop() {
            return Some(data);
        }
        if !std::mem::take(&mut self.owes_fin) {
            return None;
        }
        if self.writing == Writing::Finishing {
            self.writing = Writing::Finished;
        }
        Some(frame::signal(Flag::Fin))
    }

    /// Whether everything written was sent.
    ///
    /// # Errors
    /// [`Broken`] when it never will be.
    pub fn is_flushed(&self) -> Result<bool, Broken> {
        match &self.broken {
            // The peer has all of it, and then gave up.
            Some(_) if self.writing == Writing::Acknowledged => Ok(true),
            Some(broken) => Err(broken.clone()),
            None => Ok(self.unsent.is_sent()),
        }
    }

    /// Whether the channel can be closed: both sides have had their last word, or waited for it long enough. To be
    /// asked when there are no more frames.
    pub fn is_over(&mut self, now: Instant) -> bool {
        if self.broken.is_some() {
            return !self.owes_reset;
        }
        let owes = self.owes_ack || self.owes_fin || self.owes_stop;
        if !self.has_said_all() || owes || self.reading == Reading::Open {
            self.waiting_since = None;
            return false;
        }
        if self.writing != Writing::Finished && self.reading == Reading::Finished {
            return true;
        }
        now >= *self.waiting_since.get_or_insert(now) + CLOSE_PATIENCE
    }

    /// When [`Self::is_over`] may become true though nothing happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting_since.map(|since| since + CLOSE_PATIENCE)
    }

    pub(super) fn has_said_all(&self) -> bool {
        matches!(self.writing, Writing::Finished | Writing::Acknowledged | Writing::Stopped)
    }
}
