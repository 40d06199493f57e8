//! What the swarm tells: connections, identity, pings, discovery, and how their words become ours.

use super::{
    Actor, Connected,
    wording::{how, is_loopback},
};
use crate::{
    Counters, Error, Event, HostBehaviour, HostEvent, Path, PeerInfo,
    access::{Action, Denied},
    behaviour::BehaviourEvent,
    gate::DeniedRange,
    hub::wire::{self, Reason},
    ping,
    reach::Seen,
    room::sync,
    source::ip_of,
};
use std::net::IpAddr;

use libp2p::{
    Multiaddr, PeerId,
    core::Endpoint,
    identify, relay,
    swarm::{ConnectionId, ListenError, SwarmEvent},
};

/// Text of a stranger's agent version that is kept.
const MAX_AGENT_CHARS: usize = 128;
/// Addresses of one peer that are taken from its identify message.
const MAX_ADDRESSES_PER_PEER: usize = 16;

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn network(&mut self, event: SwarmEvent<BehaviourEvent<B>>) {
        match event {
            SwarmEvent::Behaviour(event) => self.behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let role = if endpoint.is_dialer() { Endpoint::Dialer } else { Endpoint::Listener };
                self.connected(peer_id, connection_id, endpoint.get_remote_address().clone(), role);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, cause, .. } => {
                tracing::debug!(peer = %peer_id, ?cause, "connection closed");
                self.disconnected(peer_id, connection_id, num_established);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                tracing::debug!(?peer_id, %error, "dial failed");
                self.dial_failed(connection_id, &error);
            }
            SwarmEvent::IncomingConnectionError { error: ListenError::Denied { cause }, .. } => {
                let range = cause.downcast_ref::<DeniedRange>().is_some();
                let Counters { addresses_refused, connections_refused, .. } = &mut self.counters;
                *if range { addresses_refused } else { connections_refused } += 1;
                tracing::debug!(%cause, "a connection was turned away");
            }
            SwarmEvent::NewListenAddr { address, .. } => self.listens(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => self.expires(&address),
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener has trouble"),
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                self.listener_closed(listener_id, &addresses, reason);
            }
            other => tracing::trace!(?other, "swarm"),
        }
    }

    fn behaviour_event(&mut self, event: BehaviourEvent<B>) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => self.identified(peer_id, info),
            // Who does not speak identify will never say more than what it is subscribed to.
            BehaviourEvent::Identify(identify::Event::Error { peer_id, .. }) => {
                if let Some(known) = self.peers.get_mut(&peer_id) {
                    known.identified = true;
                    self.ask_unasked(peer_id);
                    self.members_changed();
                }
            }
            BehaviourEvent::Ping(ping) => self.pinged(ping),
            BehaviourEvent::Kad(event) => self.kad_event(event),
            BehaviourEvent::Gossip(event) => self.gossip_event(event),
            BehaviourEvent::Relay(relay::Event::ReservationReqAccepted { src_peer_id, .. }) => {
                let now = self.now().instant;
                if self.access.check(&src_peer_id, Action::Reserve, now).is_err() {
                    let _ = self.swarm.disconnect_peer_id(src_peer_id);
                }
            }
            BehaviourEvent::Relay(relay::Event::ReservationReqDenied { src_peer_id, .. }) => {
                self.counters.reservations_refused += 1;
                let text = "this hub gives no more relay reservations for now; try another one, or later".to_owned();
                self.tell(src_peer_id, Reason { code: "too_many_reservations".to_owned(), text });
            }
            BehaviourEvent::Relay(relay::Event::CircuitReqDenied { src_peer_id, status, .. }) => {
                self.counters.circuits_refused += 1;
                tracing::debug!(peer = %src_peer_id, ?status, "a circuit was denied");
            }
            BehaviourEvent::Host(event) => self.host_event(event.into()),
            // The rest is of use to its own protocol only.
            _ => {}
        }
    }

    fn connected(&mut self, peer: PeerId, connection: ConnectionId, address: Multiaddr, role: Endpoint) {
        let now = self.now();
        self.dial_ended(&connection);
        let full = role == Endpoint::Listener && !self.peers.contains_key(&peer) && self.is_full();
        let checked = self.access.check(&peer, Action::Connect, now.instant);
        if let Err(denied) = checked.and(if full { Err(Denied::Full) } else { Ok(()) }) {
            self.refuse(peer, denied);
            self.links.unwanted(&peer);
            self.links.failed(connection, now.instant, rand::random());
            if let Some(dial) = self.pending.take_dial(&connection) {
                let _ = dial.reply.send(Err(Error::Denied { peer: peer.to_string(), reason: denied.to_string() }));
            }
            return;
        }
        let asked = self.pending.take_dial(&connection);
        let chosen = asked.is_some();
        if let Some(dial) = asked {
            let _ = dial.reply.send(Ok(peer));
        }
        if role == Endpoint::Listener && self.has_returned(&peer, &address) {
            tracing::debug!(%peer, "came back before its old connection was found dead; starting anew with it");
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        self.admit_to_store(peer, &address);
        self.links.up(peer, connection, now.instant);
        let known = self.peers.get_mut(&peer);
        let first = known.is_none();
        if let Some(known) = known {
            known.connections.push((connection, address, role));
            known.chosen |= chosen;
            self.follow_chosen();
        } else {
            let (path, transport) = how(&address);
            let since_ms = now.unix_ms;
            let info = PeerInfo {
                peer,
                address: address.clone(),
                hub: false,
                path,
                transport,
                agent: None,
                rtt_us: None,
                since_ms,
            };
            self.peers.insert(
                peer,
                Connected {
                    info,
                    identified: false,
                    welcome: false,
                    syncs: false,
                    chosen,
                    connections: vec![(connection, address, role)],
                },
            );
        }
        self.show_peer(&peer, first);
    }

    /// Whether a Tincan peer dials a hub that still holds an older connection it dialled: it has lost that one.
    /// gossipsub tells its rooms only on a peer's first connection, so the new one alone would stay mute.
    fn has_returned(&self, peer: &PeerId, address: &Multiaddr) -> bool {
        let Some(known) = self.peers.get(peer) else { return false };
        let dialled_here =
            |role: &Endpoint, address: &Multiaddr| *role == Endpoint::Listener && how(address).0 == Path::Direct;
        let tincan = known.info.agent.as_deref().is_some_and(|agent| agent.starts_with("tincan/"));
        self.is_hub()
            && tincan
            && !known.info.hub
            && dialled_here(&Endpoint::Listener, address)
            && known.connections.iter().any(|(_, old, role)| dialled_here(role, old))
    }

    fn disconnected(&mut self, peer: PeerId, connection: ConnectionId, left: u32) {
        if left > 0 {
            if let Some(known) = self.peers.get_mut(&peer) {
                known.connections.retain(|(id, ..)| *id != connection);
            }
            self.show_peer(&peer, false);
            return;
        }
        self.forget_full(&peer);
        if self.peers.remove(&peer).is_none() {
            return;
        }
        self.unfollow(&peer);
        self.dismiss_from_store(&peer);
        self.publisher.keeper_down(&peer);
        self.drop_watcher(&peer);
        self.forget_syncs(&peer);
        let (now, spread) = (self.now().instant, rand::random());
        self.links.down(peer, now, spread);
        self.emit(Event::PeerDown { peer });
        self.members_changed();
    }

    /// Describes a peer by its best connection: a direct one goes before a relayed one.
    fn show_peer(&mut self, peer: &PeerId, new: bool) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        let best = known.connections.iter().min_by_key(|(_, address, _)| how(address).0 == Path::Relayed);
        if let Some((_, address, _)) = best {
            (known.info.path, known.info.transport) = how(address);
            known.info.address = address.clone();
        }
        let info = known.info.clone();
        self.emit(if new { Event::PeerUp(info) } else { Event::PeerChanged(info) });
    }

    pub(super) fn dialled(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|known| known.connections.iter().any(|(.., role)| *role == Endpoint::Dialer))
    }

    fn identified(&mut self, peer: PeerId, info: identify::Info) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        self.swarm.behaviour_mut().host.identified(peer, &info.protocols);
        let hub = info.protocols.contains(&wire::PROTOCOL);
        known.identified = true;
        known.syncs = info.protocols.contains(&sync::PROTOCOL);
        known.info.hub = hub;
        known.info.agent = Some(info.agent_version.chars().take(MAX_AGENT_CHARS).collect());
        let in_use: Vec<Multiaddr> = known.connections.iter().map(|(_, address, _)| address.clone()).collect();
        // A private address is believed of who is in its network: else a stranger would have us dial our neighbours.
        let proxies = &self.config.trusted_proxies;
        let seen: Vec<Seen> = in_use.iter().map(|address| Seen::through(address, proxies)).collect();
        let own: Vec<IpAddr> = self.listening.iter().filter_map(ip_of).collect();
        let said = info.listen_addrs.into_iter().take(MAX_ADDRESSES_PER_PEER);
        let said: Vec<Multiaddr> = said.filter(|address| seen.iter().any(|seen| seen.is_told(address, &own))).collect();
        self.links.learnt(&peer, &said);
        if info.protocols.iter().any(|protocol| protocol.as_ref() == self.config.kad_protocol) {
            self.found_at(&peer, said, in_use);
            let now = self.now().instant;
            self.publisher.keeper_up(peer, now);
        }
        if hub {
            self.follow(peer);
        }
        self.ask_unasked(peer);
        self.show_peer(&peer, false);
        self.members_changed();
    }

    /// Kademlia knows a peer under what it says of itself now; without this it would add up all it ever said.
    fn found_at(&mut self, peer: &PeerId, said: Vec<Multiaddr>, in_use: Vec<Multiaddr>) {
        for address in &said {
            self.kad().add_address(peer, address.clone());
        }
        let kept: Vec<Multiaddr> =
            said.into_iter().chain(in_use).filter_map(|address| address.with_p2p(*peer).ok()).collect();
        let known = self.kad().kbucket(*peer).map(|bucket| {
            let entry = bucket.iter().find(|entry| entry.node.key.preimage() == peer);
            entry.map(|entry| entry.node.value.iter().cloned().collect()).unwrap_or_default()
        });
        let known: Vec<Multiaddr> = known.unwrap_or_default();
        for old in known.iter().filter(|known| !kept.contains(known)) {
            self.kad().remove_address(peer, old);
        }
    }

    fn pinged(&mut self, event: ping::Event) {
        match event.result {
            Ok(rtt) => {
                let rtt_us = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX);
                if let Some(known) = self.peers.get_mut(&event.peer) {
                    known.info.rtt_us = Some(rtt_us);
                }
                self.emit(Event::Pong { peer: event.peer, rtt_us });
                self.show_peer(&event.peer, false);
            }
            Err(ping::Failure::Unsupported) => {}
            // Whoever does not answer is gone, whatever the socket says.
            Err(error) => {
                tracing::debug!(peer = %event.peer, %error, "no answer to a ping; closing");
                self.swarm.close_connection(event.connection);
            }
        }
    }

    fn host_event(&mut self, event: HostEvent) {
        match event {
            HostEvent::Discovered(found) => self.discovered(found),
            HostEvent::Attending => self.members_changed(),
            HostEvent::Elsewhere(line) => self.elsewhere(line),
            HostEvent::Expired(gone) => {
                for (peer, address) in gone {
                    tracing::info!(%peer, %address, "expired");
                    self.links.expired(&peer, &address);
                    self.emit(Event::Expired { peer, address });
                }
            }
        }
    }

    fn listens(&mut self, address: Multiaddr) {
        if self.is_hub() && self.config.external.is_empty() {
            // Loopback is announced only by a hub that has nothing else.
            let first = !self.listening.iter().any(|known| !is_loopback(known));
            if !is_loopback(&address) {
                for loopback in self.listening.iter().filter(|known| is_loopback(known)) {
                    self.swarm.remove_external_address(loopback);
                }
                self.swarm.add_external_address(address.clone());
            } else if first {
                self.swarm.add_external_address(address.clone());
            }
        }
        self.listening.push(address.clone());
        self.emit(Event::Listening { address });
    }
}
