//! What a stream may use, and what is known of its peer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::frame::MAX_FRAME_BYTES;

/// What one stream may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a frame that is sent. Defaults to [`MAX_FRAME_BYTES`]; where the path is relayed it is to be
    /// [`MAX_RELAYED_FRAME_BYTES`](crate::frame::MAX_RELAYED_FRAME_BYTES).
    pub frame_bytes: usize,
    /// Bytes that have arrived and nobody reads. A data channel cannot be told to wait: more reset the stream.
    /// Defaults to 16 MiB.
    pub unread_bytes: usize,
    /// Bytes that were written and the channel does not take yet; more make writers wait. Defaults to 128 KiB.
    pub unsent_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { frame_bytes: MAX_FRAME_BYTES, unread_bytes: 16 * 1024 * 1024, unsent_bytes: 128 * 1024 }
    }
}

/// Whether the peer of a connection reads FIN_ACK; shared by the connection's streams.
#[derive(Debug, Clone, Default)]
pub struct Acknowledging(Arc<AtomicBool>);

impl Acknowledging {
    /// The peer does, as whoever sends one.
    pub fn learn(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_known(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
