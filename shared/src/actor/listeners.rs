//! Listeners: those that fail are opened anew.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId, TransportError, core::transport::ListenerId};
use n0_future::time::Instant;

use super::Actor;
use crate::HostBehaviour;

/// Changes of this node's addresses are gathered for so long before peers are told.
const PUSH_AFTER: Duration = Duration::from_millis(250);

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn listen_on(&mut self, address: Multiaddr) -> Result<(), TransportError<std::io::Error>> {
        let id = self.swarm.listen_on(address.clone())?;
        self.listeners.opened(id, address);
        Ok(())
    }

    /// Nobody listens on an address any more.
    pub(super) fn expires(&mut self, address: &Multiaddr) {
        self.listening.retain(|known| known != address);
        self.swarm.remove_external_address(address);
        self.listening_changed();
    }

    /// A listener has ended, and with it its addresses. It is told once, however often opening it again fails.
    pub(super) fn listener_closed(&mut self, id: ListenerId, bound: &[Multiaddr], reason: Result<(), std::io::Error>) {
        bound.iter().for_each(|address| self.expires(address));
        let now = self.now().instant;
        let again = self.listeners.closed(id, bound, now);
        if let Some(address) = again {
            let error = reason.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string());
            tracing::error!(%address, %error, "a listener failed; it is opened again until it stays");
        }
    }

    /// Peers are told soon that this node's addresses have changed.
    pub(super) fn push_soon(&mut self) {
        let due = self.now().instant + PUSH_AFTER;
        self.push_due.get_or_insert(due);
    }

    /// Tells all peers at which addresses this node is, if that has changed.
    pub(super) fn push_addresses(&mut self, now: Instant) {
        if self.push_due.is_some_and(|due| due <= now) {
            self.push_due = None;
            let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
            self.swarm.behaviour_mut().identify.push(peers);
        }
    }

    pub(super) fn reopen_listeners(&mut self, now: Instant) {
        for lost in self.listeners.due(now) {
            match self.listen_on(lost.address.clone()) {
                Ok(()) => tracing::info!(address = %lost.address, "a listener that failed is open again"),
                Err(error) => {
                    tracing::debug!(address = %lost.address, %error, "a listener cannot be opened yet");
                    self.listeners.failed(lost, now);
                }
            }
        }
    }
}
