//! What the inspector of a connection's SCTP packets and the rest of the connection tell each other. The inspector sits
//! inside the DTLS that str0m drives, so they share this.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
};

use super::in_flight::InFlightCounts;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct SctpState {
    pub(super) listens: bool,
    /// What the connection may cost until the other side is authenticated, in bytes.
    pub(super) unauthenticated_bytes: usize,
    /// Messages that we sent on the handshake's channel.
    handshake_messages: AtomicU32,
    authenticated: AtomicBool,
    gap_blocks: AtomicUsize,
    /// See [`InFlightCounts`].
    chunks: AtomicUsize,
    messages: AtomicUsize,
}

impl SctpState {
    /// For a connection that begins.
    pub(super) fn new(listens: bool, unauthenticated_bytes: usize) -> Arc<Self> {
        Arc::new(Self { listens, unauthenticated_bytes, ..Self::default() })
    }

    /// We sent a message on the handshake's channel.
    pub(super) fn handshake_message_sent(&self) {
        self.handshake_messages.fetch_add(1, Ordering::Relaxed);
    }

    /// The other side has proven who it is.
    pub(super) fn set_authenticated(&self) {
        self.authenticated.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_authenticated(&self) -> bool {
        self.authenticated.load(Ordering::Relaxed)
    }

    /// How many gap blocks our next SACK has.
    pub(super) fn gap_blocks(&self) -> usize {
        self.gap_blocks.load(Ordering::Relaxed)
    }

    pub(super) fn set_gap_blocks(&self, count: usize) {
        self.gap_blocks.store(count, Ordering::Relaxed);
    }

    /// What we sent and is not acknowledged.
    pub(super) fn in_flight(&self) -> InFlightCounts {
        InFlightCounts { chunks: self.chunks.load(Ordering::Relaxed), messages: self.messages.load(Ordering::Relaxed) }
    }

    pub(super) fn set_in_flight(&self, InFlightCounts { chunks, messages }: InFlightCounts) {
        self.chunks.store(chunks, Ordering::Relaxed);
        self.messages.store(messages, Ordering::Relaxed);
    }

    /// Whether we have sent our part of Noise: two messages of the listener, one of the dialer. From then on the other side
    /// may have finished the handshake and may open streams, even if we have not finished it yet.
    pub(super) fn has_sent_handshake(&self) -> bool {
        self.handshake_messages.load(Ordering::Relaxed) > u32::from(self.listens)
    }
}
