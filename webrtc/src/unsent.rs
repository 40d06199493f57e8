//! Frames that were written and not sent.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{frame, unread::ENTRY_BYTES};

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    frames: VecDeque<Bytes>,
    /// Of memory, as [`cost`] counts it.
    bytes: usize,
    /// The rest of a frame whose length was sent: nothing may come between.
    rest: Option<Bytes>,
}

impl Unsent {
    /// Takes bytes to send in frames of this size, as long as less memory than `bound` is taken: how many, nothing when
    /// there is no room for any.
    pub(crate) fn push(&mut self, bytes: &[u8], bound: usize, frame_bytes: usize) -> Option<usize> {
        let room = bound.saturating_sub(self.bytes);
        if room == 0 && !bytes.is_empty() {
            return None;
        }
        let taken = &bytes[..bytes.len().min(room)];
        for payload in taken.chunks(frame::capacity(frame_bytes)) {
            let data = frame::data(payload);
            self.bytes += cost(&data);
            self.frames.push_back(data);
        }
        Some(taken.len())
    }

    /// The rest of a frame that has begun. It goes before everything else.
    pub(crate) fn pop_rest(&mut self) -> Option<Bytes> {
        self.rest.take()
    }

    /// The next message: a frame, or a large one's length.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let data = self.frames.pop_front()?;
        self.bytes -= cost(&data);
        let (first, rest) = frame::messages(data);
        self.rest = rest;
        Some(first)
    }

    /// Gives up all but the rest of a frame that has begun.
    pub(crate) fn forget(&mut self) {
        (self.frames, self.bytes) = (VecDeque::new(), 0);
    }

    /// Whether no frame waits; the rest of one that has begun may.
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether everything was sent.
    pub(crate) fn is_sent(&self) -> bool {
        self.frames.is_empty() && self.rest.is_none()
    }

    /// Bytes of memory that it takes.
    pub(crate) fn cost(&self) -> usize {
        self.bytes
    }
}

/// Bytes of memory that a frame takes while it waits.
fn cost(frame: &Bytes) -> usize {
    frame.len() + ENTRY_BYTES
}
