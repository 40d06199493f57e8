//! Whether connections still work after the page was not allowed to run, or the machine slept.
//!
//! A connection that died meanwhile tells nothing by itself: the other side's goodbye was lost, and the next ping may be a
//! quarter of a minute away, its time-out not counted. So each is asked at once, and one that does not answer soon is
//! closed; the node then dials anew. The question is a stream for a protocol that nobody has: every libp2p program
//! answers that with a no, and any answer will do.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{
        Endpoint,
        transport::PortUse,
        upgrade::{DeniedUpgrade, ReadyUpgrade},
    },
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
        behaviour::{ConnectionClosed, ConnectionEstablished},
        handler::{ConnectionEvent, DialUpgradeError},
    },
};
use tincan_shared::HostBehaviour;
use tokio::sync::mpsc;

/// What is asked for.
const PROTOCOL: StreamProtocol = StreamProtocol::new("/tincan/awake/1.0.0");
/// How long a connection that works may take to answer: longer than a phone needs to find its network.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Has the connections asked; clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Wake(mpsc::Sender<()>);

impl Wake {
    pub(crate) fn ask(&self) {
        // Full means that they are about to be asked.
        let _ = self.0.try_send(());
    }
}

/// Asks.
#[derive(Debug)]
pub(crate) struct Behaviour {
    wake: mpsc::Receiver<()>,
    connections: HashMap<ConnectionId, PeerId>,
    actions: VecDeque<ToSwarm<Infallible, Question>>,
}

/// Ask now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question;

/// Nothing answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silence;

impl Behaviour {
    pub(crate) fn new() -> (Self, Wake) {
        let (sender, wake) = mpsc::channel(1);
        (Self { wake, connections: HashMap::new(), actions: VecDeque::new() }, Wake(sender))
    }
}

impl HostBehaviour for Behaviour {}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

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
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, .. }) => {
                self.connections.insert(connection_id, peer_id);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.connections.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, peer_id: PeerId, id: ConnectionId, _: THandlerOutEvent<Self>) {
        tracing::debug!(%peer_id, "a connection did not outlive the pause");
        self.actions.push_back(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(id) });
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        while let Poll::Ready(Some(())) = self.wake.poll_recv(cx) {
            let ask = |(id, peer): (&ConnectionId, &PeerId)| ToSwarm::NotifyHandler {
                peer_id: *peer,
                handler: NotifyHandler::One(*id),
                event: Question,
            };
            self.actions.extend(self.connections.iter().map(ask));
        }
        self.actions.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// Asks on one connection, one question at a time.
#[derive(Debug, Default)]
pub(crate) struct Handler {
    state: State,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    ToAsk,
    Asked,
    Silent,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Question;
    type ToBehaviour = Silence;
    type InboundProtocol = DeniedUpgrade;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<DeniedUpgrade, ()> {
        SubstreamProtocol::new(DeniedUpgrade, ())
    }

    fn on_behaviour_event(&mut self, _: Question) {
        if self.state == State::Idle {
            self.state = State::ToAsk;
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, DeniedUpgrade, ReadyUpgrade<StreamProtocol>>) {
        self.state = match event {
            ConnectionEvent::DialUpgradeError(DialUpgradeError {
                error: StreamUpgradeError::Timeout | StreamUpgradeError::Io(_),
                ..
            }) => State::Silent,
            ConnectionEvent::DialUpgradeError(_) | ConnectionEvent::FullyNegotiatedOutbound(_) => State::Idle,
            _ => return,
        };
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<ReadyUpgrade<StreamProtocol>, (), Silence>> {
        match self.state {
            State::ToAsk => {
                self.state = State::Asked;
                let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(ANSWER_WAIT);
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
            }
            State::Silent => {
                self.state = State::Idle;
                Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Silence))
            }
            State::Idle | State::Asked => Poll::Pending,
        }
    }
}
