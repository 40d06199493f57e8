//! Inbound connections, from the DTLS handshake on until the listener takes them.

use std::{io, net::SocketAddr, time::Instant};

use tokio::sync::{mpsc, oneshot};

use super::{admission::ConnectionId, connection::Connection, routes::SharedRoutes};
use crate::{
    Stream,
    direct::{address::Fingerprint, credentials::Version},
};

/// Connections that are encrypted and wait for the listener to take them.
const MAX_INCOMING_CONNECTIONS: usize = 256;

/// An inbound connection with DTLS up; who the peer is has yet to be proven by Noise.
pub(super) struct IncomingConnection {
    pub(super) connection: Connection,
    /// Carries the Noise handshake.
    pub(super) handshake: Stream,
    /// Of the dialer's certificate.
    pub(super) dialer: Fingerprint,
    pub(super) version: Version,
    pub(super) ours: SocketAddr,
    pub(super) theirs: SocketAddr,
    /// Dropped when the handshake is over.
    pub(super) slot: HandshakeSlot,
}

/// The slot that an inbound handshake takes among those in flight, freed on drop.
pub(super) struct HandshakeSlot {
    id: ConnectionId,
    routes: SharedRoutes,
}

impl HandshakeSlot {
    /// For a handshake that [`Admission::admit`](super::admission::Admission::admit) has let in.
    pub(super) fn new(id: ConnectionId, routes: SharedRoutes) -> Self {
        Self { id, routes }
    }

    /// DTLS is up; Noise comes next.
    pub(super) fn encrypted(&self, now: Instant) {
        self.routes.lock().admission.encrypted(self.id, now);
    }
}

impl Drop for HandshakeSlot {
    fn drop(&mut self) {
        self.routes.lock().admission.finished(self.id);
    }
}

/// What a listener takes from its endpoint.
pub(super) struct Incoming {
    pub(super) connections: mpsc::Receiver<IncomingConnection>,
    /// Why the socket failed, if it does.
    pub(super) failed: oneshot::Receiver<io::Error>,
}

/// The channels between an endpoint and its listener.
pub(super) fn incoming() -> (mpsc::Sender<IncomingConnection>, oneshot::Sender<io::Error>, Incoming) {
    let (inbound, connections) = mpsc::channel(MAX_INCOMING_CONNECTIONS);
    let (failing, failed) = oneshot::channel();
    (inbound, failing, Incoming { connections, failed })
}
