//! What streams may use, and what is known of their peer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::frame::MAX_FRAME_BYTES;

/// Bytes that the streams of one connection hold at most, all of them.
const MAX_CONNECTION_BYTES: usize = 16 * 1024 * 1024;
/// The same until the other side has proved who it is.
const MAX_UNAUTHENTICATED_BYTES: usize = 64 * 1024;
/// The same of all connections of a transport.
const MAX_TRANSPORT_BYTES: usize = 256 * 1024 * 1024;
/// Bytes of one stream that were written and the channel does not take yet.
const MAX_UNSENT_BYTES: usize = 128 * 1024;

/// What streams may use. What they hold is counted as memory: bytes that have arrived and nobody has read, or that were
/// written and not sent, with the overhead of each piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a frame that is sent. Defaults to [`MAX_FRAME_BYTES`]; where the path is relayed it is to be
    /// [`MAX_RELAYED_FRAME_BYTES`](crate::frame::MAX_RELAYED_FRAME_BYTES).
    pub frame_bytes: usize,
    /// Bytes that all streams of one connection hold. A data channel cannot be told to wait: with more, the stream that
    /// holds most is reset. Defaults to 16 MiB.
    pub connection_bytes: usize,
    /// The same until the other side has proved who it is. Defaults to 64 KiB.
    pub unauthenticated_bytes: usize,
    /// Bytes that all connections of one transport hold, with what their streams take by themselves and the datagrams that
    /// wait for them. With more, the connection whose streams hold most resets them, those that hold most first. Defaults
    /// to 256 MiB.
    pub transport_bytes: usize,
    /// Bytes of one stream that were written and the channel does not take yet; more make writers wait. Defaults to
    /// 128 KiB.
    pub unsent_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: MAX_FRAME_BYTES,
            connection_bytes: MAX_CONNECTION_BYTES,
            unauthenticated_bytes: MAX_UNAUTHENTICATED_BYTES,
            transport_bytes: MAX_TRANSPORT_BYTES,
            unsent_bytes: MAX_UNSENT_BYTES,
        }
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
