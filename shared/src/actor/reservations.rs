//! Places at relays, by which others reach this node, and offers of direct connections.

use libp2p::{Multiaddr, PeerId, core::transport::ListenerId};
use tincan_webrtc::signalling::{OfferId, address::over};

use super::Actor;
use crate::{HostBehaviour, core::Input};

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn reserve(&mut self, hub: PeerId, address: Multiaddr) {
        match self.swarm.listen_on(address) {
            Ok(listener) => drop(self.reservations.insert(hub, listener)),
            Err(error) => {
                tracing::debug!(%hub, %error, "no place can be reserved there");
                self.handle(Input::ReservationDown { hub });
            }
        }
    }

    pub(super) fn unreserve(&mut self, hub: &PeerId) {
        // It is known until its listener has closed, which ends what is announced of it.
        if let Some(listener) = self.reservations.get(hub) {
            self.swarm.remove_listener(*listener);
        }
    }

    /// The relay whose circuits a listener takes.
    pub(super) fn relay_of(&self, listener: ListenerId) -> Option<PeerId> {
        self.reservations.iter().find(|(_, known)| **known == listener).map(|(hub, _)| *hub)
    }

    /// A relay keeps a place for us: peers are told.
    pub(super) fn reserved_at(&mut self, hub: PeerId, circuit: Multiaddr) {
        if let Some(direct) = over(&circuit, self.me()) {
            self.swarm.add_external_address(direct);
        }
        self.push_soon();
        self.handle(Input::ReservationUp { hub });
    }

    /// It no longer does.
    pub(super) fn reservation_lost(&mut self, hub: PeerId, circuits: &[Multiaddr]) {
        self.reservations.remove(&hub);
        let me = self.me();
        for direct in circuits.iter().filter_map(|circuit| over(circuit, me)) {
            self.swarm.remove_external_address(&direct);
        }
        self.push_soon();
        self.handle(Input::ReservationDown { hub });
    }

    pub(super) fn answer_offer(&mut self, offer: OfferId, is_taken: bool) {
        let Some(signalling) = self.swarm.behaviour_mut().signalling.as_mut() else { return };
        if is_taken { signalling.take(offer) } else { signalling.refuse(offer) }
    }
}
