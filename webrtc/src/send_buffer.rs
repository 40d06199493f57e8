//! Frames that were written and not handed to the channel yet.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{frame, receive_buffer::ENTRY_BYTES};

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct SendBuffer {
    frames: VecDeque<Bytes>,
    /// Memory that the frames take, as [`cost`] counts it.
    bytes: usize,
    /// The rest of a frame whose length was sent: nothing may go between.
    rest: Option<Bytes>,
}

impl SendBuffer {
    /// Takes bytes to send in frames of this size, up to `bound` bytes of memory. Returns how many, none without room.
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

    /// The rest of a frame whose length was sent. It has to go before everything else.
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

    /// Drops everything but the rest of a frame whose length was sent.
    pub(crate) fn discard(&mut self) {
        (self.frames, self.bytes) = (VecDeque::new(), 0);
    }

    /// Whether no frame waits, apart from the rest of one.
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether everything was sent.
    pub(crate) fn is_sent(&self) -> bool {
        self.frames.is_empty() && self.rest.is_none()
    }

    /// Memory that the frames take, in bytes.
    pub(crate) fn cost(&self) -> usize {
        self.bytes
    }
}

/// Memory that a waiting frame takes, in bytes.
fn cost(frame: &Bytes) -> usize {
    frame.len() + ENTRY_BYTES
}
