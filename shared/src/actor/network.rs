//! What the swarm and the streams tell, in the core's words.

use std::collections::HashMap;

use libp2p::{
    Multiaddr, PeerId,
    core::ConnectedPoint,
    gossipsub, identify, relay,
    swarm::{DialError, ListenError, SwarmEvent},
};

use tincan_webrtc::signalling;

use super::{Actor, wording::describe_dial_error};
use crate::{
    Event, HostBehaviour, HostEvent, Role,
    behaviour::BehaviourEvent,
    core::{Connection, DialFailure, Identified, Input, Payload, TurnedAway},
    gate::DeniedRange,
    paths::is_loopback,
    ping, probe,
    source::ip_of,
    streams::StreamEvent,
};

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn network(&mut self, event: SwarmEvent<BehaviourEvent<B>>) {
        match event {
            SwarmEvent::Behaviour(event) => self.behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let dial = self.dials.remove(&connection_id);
                self.handle(Input::Connected(Connection {
                    peer: peer_id,
                    id: connection_id,
                    address: address_of(&endpoint, peer_id),
                    is_dialled: endpoint.is_dialer(),
                    dial,
                }));
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, cause, .. } => {
                tracing::debug!(peer = %peer_id, ?cause, "connection closed");
                if num_established == 0 {
                    self.publisher.keeper_down(&peer_id);
                }
                let (peer, connection, left) = (peer_id, connection_id, num_established);
                self.handle(Input::Disconnected { peer, connection, left });
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                tracing::debug!(?peer_id, %error, "dial failed");
                if let Some(dial) = self.dials.remove(&connection_id) {
                    let (failure, reason) = (failure(&error), describe_dial_error(&error));
                    self.handle(Input::DialFailed { dial, failure, reason });
                }
            }
            SwarmEvent::IncomingConnectionError { error: ListenError::Denied { cause }, .. } => {
                let is_range = cause.downcast_ref::<DeniedRange>().is_some();
                tracing::debug!(%cause, "a connection was turned away");
                self.handle(Input::TurnedAway(if is_range { TurnedAway::Range } else { TurnedAway::Connection }));
            }
            SwarmEvent::NewListenAddr { listener_id, address } => match self.relay_of(listener_id) {
                Some(hub) => self.reserved_at(hub, address),
                None => self.listens(address),
            },
            SwarmEvent::ExpiredListenAddr { address, .. } => self.expires(&address),
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener has trouble"),
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                if let Some(hub) = self.relay_of(listener_id) {
                    return self.reservation_lost(hub, &addresses);
                }
                self.listener_closed(listener_id, &addresses, reason);
            }
            other => tracing::trace!(?other, "swarm"),
        }
    }

    fn behaviour_event(&mut self, event: BehaviourEvent<B>) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.swarm.behaviour_mut().host.identified(peer_id, &info.protocols);
                let identify::Info { protocols, agent_version: agent, listen_addrs: addresses, .. } = info;
                let identity = Identified { protocols, agent, addresses };
                self.handle(Input::Identified { peer: peer_id, identity });
            }
            BehaviourEvent::Identify(identify::Event::Error { peer_id, .. }) => {
                self.handle(Input::NotIdentified { peer: peer_id });
            }
            BehaviourEvent::Ping(ping::Event { peer, connection, result }) => match result {
                Ok(rtt) => self.handle(Input::Pinged { peer, connection, round_trip: Some(rtt) }),
                Err(ping::Failure::Unsupported) => {}
                Err(error) => {
                    tracing::debug!(%peer, %error, "no answer to a ping");
                    self.handle(Input::Pinged { peer, connection, round_trip: None });
                }
            },
            BehaviourEvent::Probe(probe::Event { peer, connection, is_answered }) => {
                self.handle(Input::Probed { peer, connection, is_answered });
            }
            BehaviourEvent::Kad(event) => self.kad_event(event),
            BehaviourEvent::Gossip(event) => self.gossip_event(event),
            BehaviourEvent::Relay(relay::Event::ReservationReqAccepted { src_peer_id: peer, .. }) => {
                self.handle(Input::Reserved { peer });
            }
            BehaviourEvent::Relay(relay::Event::ReservationReqDenied { src_peer_id: peer, .. }) => {
                self.handle(Input::ReservationDenied { peer });
            }
            BehaviourEvent::Relay(relay::Event::CircuitReqDenied { src_peer_id, status, .. }) => {
                self.handle(Input::TurnedAway(TurnedAway::Circuit));
                tracing::debug!(peer = %src_peer_id, ?status, "a circuit was denied");
            }
            BehaviourEvent::Signalling(signalling::Event::Offered { id: offer, peer, .. }) => {
                self.handle(Input::Offered { peer, offer });
            }
            BehaviourEvent::Host(event) => self.host_event(event.into()),
            // The rest is of use to its own protocol only.
            _ => {}
        }
    }

    fn gossip_event(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source: from, message_id: id, message } => {
                let gossipsub::Message { source, data: bytes, sequence_number, topic } = message;
                let (room, number) = (topic.into_string(), sequence_number.unwrap_or_default());
                self.handle(Input::Gossip(Payload { id, room, from, source, number, bytes }));
            }
            gossipsub::Event::Subscribed { peer_id: peer, topic, .. } => {
                self.handle(Input::Subscribed { peer, room: topic.into_string() });
            }
            gossipsub::Event::Unsubscribed { peer_id: peer, topic } => {
                self.handle(Input::Unsubscribed { peer, room: topic.into_string() });
            }
            gossipsub::Event::SlowPeer { peer_id: peer, failed_messages } => {
                tracing::debug!(%peer, ?failed_messages, "a slow peer missed messages");
                self.handle(Input::SlowPeer { peer });
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => {
                tracing::debug!(peer = %peer_id, "speaks no gossipsub");
            }
        }
    }

    fn host_event(&mut self, event: HostEvent) {
        match event {
            HostEvent::Discovered(found) => {
                for (peer, address) in &found {
                    self.kad().add_address(peer, address.clone());
                }
                self.handle(Input::Discovered(found));
            }
            HostEvent::Expired(gone) => self.handle(Input::Expired(gone)),
            HostEvent::Attending => {
                let attending = self.swarm.behaviour().host.attending();
                self.handle(Input::Attending(attending));
            }
            HostEvent::Elsewhere(line) => self.handle(Input::Elsewhere(line)),
        }
    }

    pub(super) fn stream_event(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::WatcherOpened { peer, serial, tell } => {
                self.watchers.insert((peer, serial), tell);
                self.handle(Input::WatcherOpened { peer, serial });
            }
            StreamEvent::HubOpened { hub, serial, tell } => {
                self.hubs.insert(hub, (serial, tell));
                self.handle(Input::HubOpened { hub, serial });
            }
            StreamEvent::Input(input) => {
                match &input {
                    Input::WatcherClosed { peer, serial } => drop(self.watchers.remove(&(*peer, *serial))),
                    Input::HubClosed { hub, serial } => forget_stream(&mut self.hubs, hub, *serial),
                    _ => {}
                }
                self.handle(input);
            }
        }
    }

    fn listens(&mut self, address: Multiaddr) {
        let config = self.core.config();
        if config.role == Role::Hub && config.external.is_empty() {
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
        self.listening_changed();
        self.emit(Event::Listening { address });
    }

    pub(super) fn listening_changed(&mut self) {
        let ips = self.listening.iter().filter_map(ip_of).collect();
        self.handle(Input::Listening(ips));
        self.push_soon();
    }
}

/// Where a peer is. One that comes over a relay's circuit is at that circuit.
fn address_of(endpoint: &ConnectedPoint, peer: PeerId) -> Multiaddr {
    match endpoint {
        ConnectedPoint::Listener { local_addr, .. } if endpoint.is_relayed() => {
            local_addr.clone().with_p2p(peer).unwrap_or_else(|as_it_is| as_it_is)
        }
        _ => endpoint.get_remote_address().clone(),
    }
}

/// Forgets a peer's stream, but not its successor.
pub(super) fn forget_stream<T>(streams: &mut HashMap<PeerId, (u64, T)>, peer: &PeerId, serial: u64) {
    if streams.get(peer).is_some_and(|(known, _)| *known == serial) {
        streams.remove(peer);
    }
}

/// Which kind of failure it is for the core.
pub(super) fn failure(error: &DialError) -> DialFailure {
    match error {
        DialError::WrongPeerId { .. } => DialFailure::WrongPeer,
        DialError::Aborted => DialFailure::Aborted,
        DialError::DialPeerConditionFalse(_) => DialFailure::NotNeeded,
        DialError::Denied { .. } => DialFailure::Denied,
        _ => DialFailure::Unreachable,
    }
}
