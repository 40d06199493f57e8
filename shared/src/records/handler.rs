//! Kademlia's connection handler, which waits for the behaviour after each thing it tells it.
//!
//! libp2p-kad 0.49 ends the stream of a refused PUT by marking it for closing, without waking the task that would close
//! it. Once that task has been polled again, the stream stays open: the other side waits 10 s, and after 32 such streams
//! no further request of that peer is answered. When the mark is made first, the next poll closes the stream. So between
//! an event to the behaviour and [`Command::Continue`], which comes after the behaviour's answer, nothing is polled.

use std::task::{Context, Poll};

use libp2p::{
    kad,
    swarm::{ConnectionHandler, ConnectionHandlerEvent, NetworkBehaviour, SubstreamProtocol, handler::ConnectionEvent},
};

use super::store::Store;

type Inner = <kad::Behaviour<Store> as NetworkBehaviour>::ConnectionHandler;

/// From the behaviour to a handler.
#[derive(Debug)]
pub(crate) enum Command {
    /// libp2p-kad's own.
    Inner(<Inner as ConnectionHandler>::FromBehaviour),
    /// The behaviour has answered everything that it was told.
    Continue,
}

pub(crate) struct Handler {
    inner: Inner,
    /// An event is on its way to the behaviour, or its answer on its way back.
    waits: bool,
}

impl Handler {
    pub(super) fn new(inner: Inner) -> Self {
        Self { inner, waits: false }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Command;
    type ToBehaviour = <Inner as ConnectionHandler>::ToBehaviour;
    type InboundProtocol = <Inner as ConnectionHandler>::InboundProtocol;
    type OutboundProtocol = <Inner as ConnectionHandler>::OutboundProtocol;
    type InboundOpenInfo = <Inner as ConnectionHandler>::InboundOpenInfo;
    type OutboundOpenInfo = <Inner as ConnectionHandler>::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        self.inner.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.inner.connection_keep_alive()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        if self.waits {
            // The command that ends this wakes the connection.
            return Poll::Pending;
        }
        let polled = self.inner.poll(cx);
        self.waits = matches!(polled, Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(_)));
        polled
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        self.inner.poll_close(cx)
    }

    fn on_behaviour_event(&mut self, command: Command) {
        match command {
            Command::Inner(event) => self.inner.on_behaviour_event(event),
            Command::Continue => self.waits = false,
        }
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<
            Self::InboundProtocol,
            Self::OutboundProtocol,
            Self::InboundOpenInfo,
            Self::OutboundOpenInfo,
        >,
    ) {
        self.inner.on_connection_event(event);
    }
}
