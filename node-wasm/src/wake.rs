//! Whether connections still work after the page was not allowed to run, or the machine slept.
//!
//! A connection that died meanwhile tells nothing by itself: the other side's goodbye was lost, and the next ping may be a
//! quarter of a minute away, its time-out not counted. So each is asked at once, and one that is silent is closed; the node
//! then dials anew. On a slow line the answer waits behind what the peer is sending: one that brings something else is
//! asked again.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::{ConnectionClosed, ConnectionEstablished},
    },
};
use tincan_shared::{
    HostBehaviour,
    heard::Heard,
    probe::{Handler, Outcome, Question},
};
use tokio::sync::mpsc;

/// How long a connection that works may be silent after the question: longer than a phone needs to find its network.
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
    heard: Heard,
    connections: HashMap<ConnectionId, PeerId>,
    actions: VecDeque<ToSwarm<Infallible, Question>>,
}

impl Behaviour {
    pub(crate) fn new() -> (Self, Wake) {
        let (sender, wake) = mpsc::channel(1);
        let (heard, connections, actions) = Default::default();
        (Self { wake, heard, connections, actions }, Wake(sender))
    }

    fn ask(&mut self, peer_id: PeerId, connection: ConnectionId) {
        let handler = NotifyHandler::One(connection);
        self.actions.push_back(ToSwarm::NotifyHandler { peer_id, handler, event: Question });
    }
}

impl HostBehaviour for Behaviour {
    fn hears(&mut self, heard: Heard) {
        self.heard = heard;
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(ANSWER_WAIT, self.heard.ear(peer, remote)))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(ANSWER_WAIT, self.heard.ear(peer, remote)))
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

    fn on_connection_handler_event(&mut self, peer_id: PeerId, id: ConnectionId, outcome: THandlerOutEvent<Self>) {
        match outcome {
            Outcome::Answered => {}
            Outcome::Heard => self.ask(peer_id, id),
            Outcome::Silent => {
                tracing::debug!(%peer_id, "a connection did not outlive the pause");
                self.actions.push_back(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(id) });
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        while let Poll::Ready(Some(())) = self.wake.poll_recv(cx) {
            for (id, peer) in self.connections.clone() {
                self.ask(peer, id);
            }
        }
        self.actions.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
