//! Connections: who came, who went, what each tells of itself.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};

use super::{
    Connection, Core, Identified, Output,
    peers::{Connected, Peer},
};
use crate::{
    Error, Event,
    access::{Action, Denied},
    hub::wire::{self, Reason},
    reach::Seen,
    room::sync,
};

/// Text of a stranger's agent version that is kept.
const MAX_AGENT_CHARS: usize = 128;
/// Addresses of one peer that are taken from its identify message.
pub(crate) const MAX_ADDRESSES_PER_PEER: usize = 16;

impl Core {
    pub(super) fn connected(&mut self, connection: Connection) {
        let Connection { peer, id, address, is_dialled, dial } = connection;
        let asked = dial.and_then(|dial| self.dials.take_asked(dial));
        if let Some(dial) = dial {
            self.dial_ended(dial);
            self.direct.tries.ended(dial);
        }
        let full = !is_dialled && !self.peers.is_connected(&peer) && self.is_full();
        let checked = self.access.check(&peer, Action::Connect, self.now.instant);
        if let Err(denied) = checked.and(if full { Err(Denied::Full) } else { Ok(()) }) {
            self.refuse(peer, denied);
            self.links.unwanted(&peer);
            if let Some(dial) = dial {
                let spread = self.spread();
                self.links.failed(dial, self.now.instant, spread);
            }
            if let Some(asked) = asked {
                let denied = Error::Denied { peer: peer.to_string(), reason: denied.to_string() };
                let _ = asked.reply.send(Err(denied));
            }
            return;
        }
        let chosen = asked.is_some();
        if let Some(asked) = asked {
            let _ = asked.reply.send(Ok(peer));
        }
        let older = self.older_connection(&peer, &address, is_dialled);
        self.out.push(Output::AdmitToStore { peer, address: address.clone() });
        self.links.up(peer, dial, self.now.instant);
        let first = self.peers.connected(peer, Connected { id, address, is_dialled }, self.now.unix_ms);
        if let Some(older) = older {
            self.doubled(peer, older);
        }
        self.went_direct(peer, id);
        if chosen {
            if let Some(known) = self.peers.get_mut(&peer) {
                known.chosen = true;
            }
            self.follow_chosen();
        }
        self.show_peer(&peer, first);
    }

    pub(super) fn disconnected(&mut self, peer: PeerId, connection: ConnectionId, left: u32) {
        if left > 0 {
            let was_arranged = self.peers.get(&peer).is_some_and(|known| known.is_arranged(connection));
            self.peers.disconnected(&peer, connection);
            self.double_lost(&peer, connection);
            self.show_peer(&peer, false);
            self.lost_direct(peer, connection, was_arranged);
            return;
        }
        self.forget_full(&peer);
        self.forget_double(&peer);
        let gone = self.peers.gone(&peer);
        let rooms = self.subscriptions.unsubscribe_all(&peer);
        let Some(gone) = gone else { return };
        self.unfollow(&peer);
        if self.direct.reservations.forget(&peer) {
            self.announce_directly();
        }
        self.lost_direct(peer, connection, gone.is_arranged(connection));
        self.clock.forget(&peer, gone.chosen || self.links.has(&peer));
        self.out.push(Output::DismissFromStore(peer));
        self.drop_watcher(&peer);
        self.forget_syncs(&peer);
        if rooms.iter().any(|room| self.is_joined(room)) {
            self.links.keep(&peer, self.now.instant);
        }
        let spread = self.spread();
        self.links.down(peer, self.now.instant, spread);
        self.emit(Event::PeerDown { peer });
        self.place_in(peer, rooms);
    }

    /// Describes a peer anew. `new`: for the first time.
    fn show_peer(&mut self, peer: &PeerId, new: bool) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        known.describe();
        let info = known.info.clone();
        self.emit(if new { Event::PeerUp(info) } else { Event::PeerChanged(info) });
    }

    pub(super) fn identified(&mut self, peer: PeerId, identity: Identified) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let Identified { protocols, agent, addresses } = identity;
        let hub = protocols.contains(&wire::PROTOCOL);
        known.identified = true;
        known.syncs = protocols.contains(&sync::PROTOCOL);
        known.info.hub = hub;
        known.info.agent = Some(agent.chars().take(MAX_AGENT_CHARS).collect());
        let told = addresses_told(known, addresses, &self.config.trusted_proxies, &self.own_ips);
        self.links.learnt(&peer, &told);
        if protocols.iter().any(|protocol| protocol.as_ref() == self.config.kad_protocol) {
            let in_use = known.connections().iter().map(|connection| connection.address.clone()).collect();
            self.out.push(Output::KeepsRecords { peer, told, in_use });
        }
        if hub {
            self.follow(peer);
        }
        self.ask_unasked(peer);
        self.show_peer(&peer, false);
        self.place(peer);
    }

    /// Who does not speak identify will never say more than what it is subscribed to.
    pub(super) fn not_identified(&mut self, peer: PeerId) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.identified = true;
            self.ask_unasked(peer);
            self.place(peer);
        }
    }

    pub(super) fn pinged(&mut self, peer: PeerId, connection: ConnectionId, round_trip: Option<Duration>) {
        let Some(round_trip) = round_trip else {
            // Whoever does not answer is gone, whatever the socket says.
            tracing::debug!(%peer, "no answer to a ping; closing");
            self.out.push(Output::Close(connection));
            return;
        };
        let rtt_us = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX);
        if let Some(known) = self.peers.get_mut(&peer) {
            known.info.rtt_us = Some(rtt_us);
        }
        self.emit(Event::Pong { peer, rtt_us });
        self.show_peer(&peer, false);
    }

    pub(super) fn reserved(&mut self, peer: PeerId) {
        if self.access.check(&peer, Action::Reserve, self.now.instant).is_err() {
            self.out.push(Output::Disconnect(peer));
        }
    }

    pub(super) fn reservation_denied(&mut self, peer: PeerId) {
        self.counters.reservations_refused += 1;
        let text = "this hub gives no more relay reservations for now; try another one, or later".to_owned();
        self.send_to_watcher(peer, Reason { code: "too_many_reservations".to_owned(), text });
    }
}

/// What a peer says of its addresses and may be true. A private address is believed of who is in its network: else a
/// stranger would have us dial our neighbours.
fn addresses_told(peer: &Peer, addresses: Vec<Multiaddr>, proxies: &[IpNet], own: &[IpAddr]) -> Vec<Multiaddr> {
    let connections = peer.connections().iter();
    let seen: Vec<Seen> = connections.map(|connection| Seen::through(&connection.address, proxies)).collect();
    let told = addresses.into_iter().take(MAX_ADDRESSES_PER_PEER);
    told.filter(|address| seen.iter().any(|seen| seen.is_told(address, own))).collect()
}
