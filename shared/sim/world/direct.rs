//! Direct connections, arranged over a hub where both sides have a place, or over a connection that stands.

use libp2p::multiaddr::Protocol;
use tincan_webrtc::signalling::OfferId;

use super::{Happening, World, name, wires::Dialled};
use crate::{
    core::{Dial, DialFailure, Input},
    room_id::RoomId,
};

/// How long it takes until nobody's silence counts as a failure.
const SILENT_EXCHANGE_MS: u64 = 30_000;

impl World {
    /// A hub keeps a place for a node, as soon as both have heard of it.
    pub(super) fn reserve(&mut self, node: usize, hub: libp2p::PeerId) {
        let at = self.node_of(node, &hub);
        match at.and_then(|at| Some((at, self.network.between(node, at)?))) {
            Some((at, over)) => {
                self.nodes[node].reserved.insert(at);
                let latency = 2 * self.network.latency(node, at);
                self.send(at, node, over, latency, super::network::What::Input(Input::ReservationUp { hub }));
            }
            None => self.tell(node, Input::ReservationDown { hub }),
        }
    }

    pub(super) fn dial_directly(&mut self, from: usize, dial: Dial) {
        let run = self.nodes[from].run;
        let Some(to) = dial.peer.and_then(|peer| self.node_of(from, &peer)) else {
            return self.dial_failed(from, dial.id, DialFailure::Unreachable);
        };
        let Some(way) = self.way(from, to, &dial) else {
            return self.dial_failed(from, dial.id, DialFailure::Unreachable);
        };
        self.after(way, Happening::Offered(Dialled { from, run, to, dial }));
    }

    /// How long an offer is on its way, if there is one.
    fn way(&self, from: usize, to: usize, dial: &Dial) -> Option<u64> {
        if self.network.between(from, to).is_some() {
            return Some(self.network.latency(from, to));
        }
        let relay = dial.addresses.first()?.iter().find_map(|part| match part {
            Protocol::P2p(relay) => self.node_of(from, &relay),
            _ => None,
        })?;
        let is_open = self.network.between(from, relay).is_some() && self.network.between(relay, to).is_some();
        let is_reserved = self.nodes[to].reserved.contains(&relay) && self.nodes[relay].is_up();
        (is_open && is_reserved).then(|| self.network.latency(from, relay) + self.network.latency(relay, to))
    }

    /// An offer reaches a node.
    pub(super) fn offer(&mut self, dialled: Dialled) {
        let (from, to) = (dialled.from, dialled.to);
        if !self.nodes[to].is_up() || self.nodes[to].frozen_until > self.now_ms {
            return self.give_up(dialled);
        }
        self.offers += 1;
        let (number, peer) = (self.offers, self.nodes[from].peer);
        self.offered.insert(OfferId::new(number), dialled);
        self.tell(to, Input::Offered { peer, offer: OfferId::new(number) });
    }

    pub(super) fn answer_offer(&mut self, node: usize, offer: OfferId, is_taken: bool) {
        let Some(dialled) = self.offered.remove(&offer) else { return };
        self.note(|| {
            format!("{} {} {} directly", name(node), if is_taken { "takes" } else { "refuses" }, name(dialled.from))
        });
        let wait = 4 * self.network.latency(dialled.from, dialled.to);
        match is_taken && !self.network.is_cut(dialled.from, dialled.to, self.now_ms) {
            true => self.after(wait, Happening::Established(dialled)),
            false => self.give_up(dialled),
        }
    }

    fn give_up(&mut self, Dialled { from, run, dial, .. }: Dialled) {
        self.after(SILENT_EXCHANGE_MS, Happening::NotArranged { node: from, run, dial: dial.id });
    }

    /// A node lets the others in a room connect directly.
    pub(super) fn agree(&mut self, node: usize, room: &RoomId) {
        let room = room.to_string();
        let _ = self.ask(node, |reply| crate::command::Command::SetDirect { room, direct: true, reply });
    }
}
