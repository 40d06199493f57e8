//! The behaviour: knows the connections on which signalling streams can be opened, and those that peers open.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Weak},
    task::{Context, Poll},
};

use futures::{StreamExt, channel::mpsc};
use libp2p::{
    Multiaddr, PeerId, Stream,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionId, DialFailure, FromSwarm, NetworkBehaviour, NotifyHandler,
        THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::ConnectionEstablished,
        dial_opts::{DialOpts, PeerCondition},
    },
};

use super::{
    address::is_webrtc,
    handler::{Handler, Open},
    limits::{MAX_OFFERS, MAX_OFFERS_PER_PEER},
    requests::{Place, StreamRequest, TakenOffer, TransportError},
};

/// An offer that waits for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferId(u64);

impl OfferId {
    /// For tests and simulations, in which nobody offers by a stream.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }
}

/// What the behaviour tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A peer offers a direct connection. [`Behaviour::take`] or [`Behaviour::refuse`] decides; an answer tells it our addresses.
    Offered {
        /// The offer.
        id: OfferId,
        /// Who.
        peer: PeerId,
        /// Over which connection.
        connection: ConnectionId,
    },
}

/// See the [module](super).
#[derive(Debug)]
pub struct Behaviour {
    requests: mpsc::Receiver<StreamRequest>,
    offers: mpsc::Sender<TakenOffer>,
    /// On which streams can be opened: all but those that were arranged themselves.
    connections: HashMap<PeerId, Vec<ConnectionId>>,
    /// Dials that wait for a connection, by the dial that brings it.
    waiting: HashMap<ConnectionId, StreamRequest>,
    held: BTreeMap<OfferId, Held>,
    places: Vec<Weak<PeerId>>,
    last: u64,
    events: VecDeque<ToSwarm<Event, Open>>,
}

#[derive(Debug)]
struct Held {
    peer: PeerId,
    stream: Stream,
    place: Place,
}

impl Behaviour {
    pub(super) fn new(requests: mpsc::Receiver<StreamRequest>, offers: mpsc::Sender<TakenOffer>) -> Self {
        Self {
            requests,
            offers,
            connections: HashMap::new(),
            waiting: HashMap::new(),
            held: BTreeMap::new(),
            places: Vec::new(),
            last: 0,
            events: VecDeque::new(),
        }
    }

    /// Takes an offer: the transport brings the connection if it comes about.
    pub fn take(&mut self, id: OfferId) {
        if let Some(Held { peer, stream, place }) = self.held.remove(&id) {
            // Fails never: there are no more offers than places.
            let _ = self.offers.try_send(TakenOffer { peer, stream, place });
        }
    }

    /// Refuses an offer: its stream is reset.
    pub fn refuse(&mut self, id: OfferId) {
        self.held.remove(&id);
    }

    /// Opens a stream on a connection that stands, or has one made.
    fn open(&mut self, request: StreamRequest) {
        let StreamRequest { peer, circuit, reply } = request;
        // Who dialled may have given up.
        if reply.is_canceled() {
            return;
        }
        if let Some(connection) = self.connections.get(&peer).and_then(|connections| connections.first()) {
            self.open_on(peer, *connection, reply);
            return;
        }
        let Some(address) = circuit else {
            let _ = reply.send(Err(TransportError::Unreachable("the peer is not connected".to_owned())));
            return;
        };
        let dial = DialOpts::peer_id(peer).addresses(vec![address.clone()]).condition(PeerCondition::Always).build();
        self.waiting.insert(dial.connection_id(), StreamRequest { peer, circuit: Some(address), reply });
        self.events.push_back(ToSwarm::Dial { opts: dial });
    }

    fn open_on(&mut self, peer_id: PeerId, connection: ConnectionId, reply: Reply) {
        let handler = NotifyHandler::One(connection);
        self.events.push_back(ToSwarm::NotifyHandler { peer_id, handler, event: Open(reply) });
    }

    /// A place for one more offer of this peer.
    fn place(&mut self, peer: PeerId) -> Option<Place> {
        self.places.retain(|place| place.strong_count() > 0);
        let theirs = self.places.iter().filter_map(Weak::upgrade).filter(|place| **place == peer).count();
        if theirs >= MAX_OFFERS_PER_PEER || self.places.len() >= MAX_OFFERS {
            return None;
        }
        let place = Arc::new(peer);
        self.places.push(Arc::downgrade(&place));
        Some(Place(place))
    }
}

type Reply = futures::channel::oneshot::Sender<Result<Stream, TransportError>>;

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. }) => {
                if is_webrtc(endpoint.get_remote_address()) {
                    return;
                }
                self.connections.entry(peer_id).or_default().push(connection_id);
                if let Some(request) = self.waiting.remove(&connection_id) {
                    self.open_on(peer_id, connection_id, request.reply);
                }
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                if let Some(connections) = self.connections.get_mut(&peer_id) {
                    connections.retain(|known| *known != connection_id);
                    if connections.is_empty() {
                        self.connections.remove(&peer_id);
                    }
                }
            }
            FromSwarm::DialFailure(DialFailure { connection_id, error, .. }) => {
                if let Some(request) = self.waiting.remove(&connection_id) {
                    let _ = request.reply.send(Err(TransportError::Unreachable(error.to_string())));
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, stream: THandlerOutEvent<Self>) {
        let Some(place) = self.place(peer) else {
            tracing::debug!(%peer, "more direct connections are offered than are taken at once; one is refused");
            return;
        };
        self.last += 1;
        let id = OfferId(self.last);
        self.held.insert(id, Held { peer, stream, place });
        self.events.push_back(ToSwarm::GenerateEvent(Event::Offered { id, peer, connection }));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            match self.requests.poll_next_unpin(cx) {
                Poll::Ready(Some(request)) => self.open(request),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}
