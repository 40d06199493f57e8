//! Those who dial a listener, from their handshake on until the listener takes them.

use std::{io, net::SocketAddr, time::Instant};

use tokio::sync::{mpsc, oneshot};

use super::{admission::Id, connection::Connection, routes::SharedRoutes};
use crate::{
    Stream,
    direct::{address::Fingerprint, credentials::Version},
};

/// Connections that are encrypted and wait for the listener to take them.
const MAX_ARRIVED: usize = 256;

/// An encrypted connection of somebody who dialled.
pub(super) struct Arrived {
    pub(super) connection: Connection,
    pub(super) handshake: Stream,
    pub(super) dialer: Fingerprint,
    pub(super) version: Version,
    pub(super) ours: SocketAddr,
    pub(super) theirs: SocketAddr,
    /// Dropped when the handshake is over.
    pub(super) slot: HandshakeSlot,
}

/// The place that an inbound handshake takes among those in flight. It is free for another one once this is dropped.
pub(super) struct HandshakeSlot {
    id: Id,
    routes: SharedRoutes,
}

impl HandshakeSlot {
    /// For a handshake that was admitted.
    pub(super) fn new(id: Id, routes: SharedRoutes) -> Self {
        Self { id, routes }
    }

    /// The connection is encrypted; the other side still has to prove who it is.
    pub(super) fn encrypted(&self, now: Instant) {
        self.routes.lock().admission.encrypted(self.id, now);
    }
}

impl Drop for HandshakeSlot {
    fn drop(&mut self) {
        self.routes.lock().admission.ended(self.id);
    }
}

/// Those who dial a listener, and why its socket failed if it does.
pub(super) struct Arrivals {
    pub(super) arrived: mpsc::Receiver<Arrived>,
    pub(super) failed: oneshot::Receiver<io::Error>,
}

/// Where an endpoint puts those who dial it, and where its listener finds them and why the socket failed.
pub(super) fn arrivals() -> (mpsc::Sender<Arrived>, oneshot::Sender<io::Error>, Arrivals) {
    let (arriving, arrived) = mpsc::channel(MAX_ARRIVED);
    let (failing, failed) = oneshot::channel();
    (arriving, failing, Arrivals { arrived, failed })
}
