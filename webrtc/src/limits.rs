//! The limits of streams, and whether a peer supports FIN_ACK.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::frame::MAX_FRAME_BYTES;

/// Bytes that the streams of one connection hold at most, all of them.
const MAX_CONNECTION_BYTES: usize = 16 * 1024 * 1024;
/// The same until the other side is authenticated.
const MAX_UNAUTHENTICATED_BYTES: usize = 64 * 1024;
/// The same of all connections of a transport.
const MAX_TRANSPORT_BYTES: usize = 256 * 1024 * 1024;
/// Bytes of one stream that were written and not handed to its channel yet.
const MAX_UNSENT_BYTES: usize = 128 * 1024;

/// Limits of a transport's streams. What they hold is counted as memory: bytes that were received and not read, or written
/// and not sent, with the overhead of each piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a frame that is sent. Defaults to [`MAX_FRAME_BYTES`]; on a relayed path it has to be
    /// [`MAX_RELAYED_FRAME_BYTES`](crate::frame::MAX_RELAYED_FRAME_BYTES).
    pub frame_bytes: usize,
    /// Bytes that all streams of one connection may hold. A data channel has no back-pressure towards its sender, so beyond
    /// this the stream that holds most is reset. Defaults to 16 MiB.
    pub connection_bytes: usize,
    /// The same until the other side is authenticated. Defaults to 64 KiB.
    pub unauthenticated_bytes: usize,
    /// Bytes that all connections of one transport may hold, with the fixed memory of their streams and queued datagrams.
    /// Beyond this, the connection whose streams hold most resets them, largest first. Defaults to 256 MiB.
    pub transport_bytes: usize,
    /// Bytes of one stream that were written and not handed to its channel yet; beyond this, writers wait. Defaults to
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

/// Whether the peer of a connection is known to support FIN_ACK; shared by the connection's streams. See
/// [`machine`](crate::machine) for why that matters.
#[derive(Debug, Clone, Default)]
pub struct FinAckSupport(Arc<AtomicBool>);

impl FinAckSupport {
    /// The peer supports it: it has sent one, or uses version 2 of `/webrtc-direct`.
    pub fn confirm(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
