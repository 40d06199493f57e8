//! `/floodsub/1.0.0` beside gossipsub: libp2p's behaviour, kept away from peers that do not speak it.
//!
//! Left to itself it tells its topics to every connected peer, closes the connections of those that do not know
//! the protocol, and dials without an address whoever went away.

use std::{
    collections::{BTreeSet, HashMap},
    task::{Context, Poll, ready},
};

use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{Endpoint, transport::PortUse},
    floodsub::{self, Event, FloodsubMessage, Topic},
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, behaviour::ConnectionClosed,
    },
};
use tincan_shared::{HostEvent, room::Elsewhere};

const PROTOCOL: &str = "/floodsub/1.0.0";
/// Topics one peer may be subscribed to; more of them cost it the connection.
const MAX_TOPICS_PER_PEER: usize = 64;

/// The behaviour.
pub struct Floodsub {
    inner: floodsub::Behaviour,
    /// Connected peers that speak it, and the rooms they are in.
    speakers: HashMap<PeerId, BTreeSet<String>>,
    rooms: BTreeSet<String>,
}

impl std::fmt::Debug for Floodsub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Floodsub").field("speakers", &self.speakers).finish_non_exhaustive()
    }
}

impl Floodsub {
    /// For the node with this id, which floodsub names as the source of what we say.
    #[must_use]
    pub fn new(me: PeerId) -> Self {
        Self { inner: floodsub::Behaviour::new(me), speakers: HashMap::new(), rooms: BTreeSet::new() }
    }

    /// A connected peer told its protocols.
    pub fn identified(&mut self, peer: PeerId, protocols: &[StreamProtocol]) {
        if protocols.iter().any(|protocol| protocol.as_ref() == PROTOCOL) {
            self.speaks(peer);
        }
    }

    /// In a room from now on.
    pub fn enter(&mut self, room: &str) {
        if self.rooms.insert(room.to_owned()) {
            self.inner.subscribe(Topic::new(room));
        }
    }

    /// No longer in it.
    pub fn leave(&mut self, room: &str) {
        if self.rooms.remove(room) {
            self.inner.unsubscribe(Topic::new(room));
        }
    }

    /// Says a line to those of the room who speak it.
    pub fn say(&mut self, room: &str, text: &str) {
        self.inner.publish(Topic::new(room), text.as_bytes().to_vec());
    }

    /// Who is in which room.
    pub fn attending(&self) -> impl Iterator<Item = (PeerId, String)> {
        self.speakers.iter().flat_map(|(peer, rooms)| rooms.iter().map(|room| (*peer, room.clone())))
    }

    fn speaks(&mut self, peer: PeerId) -> &mut BTreeSet<String> {
        // Tells it our rooms too.
        self.inner.add_node_to_partial_view(peer);
        self.speakers.entry(peer).or_default()
    }

    /// What an event of floodsub's means to the node, or that a peer goes too far.
    fn heard(&mut self, event: Event) -> Result<Option<HostEvent>, PeerId> {
        match event {
            Event::Subscribed { peer_id, topic } => {
                if !self.speakers.contains_key(&peer_id) {
                    self.speaks(peer_id);
                }
                let rooms = self.speakers.entry(peer_id).or_default();
                rooms.insert(topic.into());
                if rooms.len() > MAX_TOPICS_PER_PEER { Err(peer_id) } else { Ok(Some(HostEvent::Attending)) }
            }
            Event::Unsubscribed { peer_id, topic } => {
                self.speakers.entry(peer_id).or_default().remove(topic.id());
                Ok(Some(HostEvent::Attending))
            }
            Event::Message(message) => Ok(self.line(message).map(HostEvent::Elsewhere)),
        }
    }

    fn line(&self, message: FloodsubMessage) -> Option<Elsewhere> {
        let room = message.topics.iter().find(|topic| self.rooms.contains(topic.id()))?;
        let text = String::from_utf8(message.data.to_vec()).ok()?;
        Some(Elsewhere { room: room.id().to_owned(), source: message.source, number: message.sequence_number, text })
    }
}

impl NetworkBehaviour for Floodsub {
    type ConnectionHandler = <floodsub::Behaviour as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = HostEvent;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, remaining_established: 0, .. }) = &event {
            self.speakers.remove(peer_id);
            self.inner.remove_node_from_partial_view(peer_id);
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            return Poll::Ready(match ready!(self.inner.poll(cx)) {
                ToSwarm::GenerateEvent(event) => match self.heard(event) {
                    Ok(None) => continue,
                    Ok(Some(event)) => ToSwarm::GenerateEvent(event),
                    Err(peer_id) => ToSwarm::CloseConnection { peer_id, connection: CloseConnection::All },
                },
                ToSwarm::NotifyHandler { peer_id, handler, event } if self.speakers.contains_key(&peer_id) => {
                    ToSwarm::NotifyHandler { peer_id, handler, event }
                }
                // After a failed send its handler is of no more use.
                ToSwarm::CloseConnection { peer_id, connection } if self.speakers.contains_key(&peer_id) => {
                    ToSwarm::CloseConnection { peer_id, connection }
                }
                // Whom else to close, and whom to dial, is the node's to say.
                _ => continue,
            });
        }
    }
}
