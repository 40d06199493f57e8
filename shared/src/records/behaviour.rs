//! Kademlia, with a store that knows who asks.
//!
//! libp2p-kad calls the store in the very turn in which a request arrives, but does not say whose request it is. So the
//! peer is noted before the request is handed on, and forgotten after.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    kad,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};

use super::{
    handler::{Command, Handler},
    store::Store,
};

pub(crate) struct Kademlia {
    pub(crate) inner: kad::Behaviour<Store>,
    /// Handlers that may go on when everything has been answered. One entry a connection at most, as it waits then.
    answered: VecDeque<(PeerId, ConnectionId)>,
}

impl Kademlia {
    pub(crate) fn new(inner: kad::Behaviour<Store>) -> Self {
        Self { inner, answered: VecDeque::new() }
    }
}

impl NetworkBehaviour for Kademlia {
    type ConnectionHandler = Handler;
    type ToSwarm = kad::Event;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote).map(Handler::new)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner.handle_pending_outbound_connection(connection, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let made = self.inner.handle_established_outbound_connection(connection, peer, address, role, port_use);
        made.map(Handler::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.store_mut().set_asking(Some(peer));
        self.inner.on_connection_handler_event(peer, connection, event);
        self.inner.store_mut().set_asking(None);
        self.answered.push_back((peer, connection));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Poll::Ready(event) = self.inner.poll(cx) {
            return Poll::Ready(event.map_in(Command::Inner));
        }
        // By now all answers are out.
        let Some((peer_id, connection)) = self.answered.pop_front() else { return Poll::Pending };
        Poll::Ready(ToSwarm::NotifyHandler {
            peer_id,
            handler: NotifyHandler::One(connection),
            event: Command::Continue,
        })
    }
}
