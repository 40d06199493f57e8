//! libp2p's ping, except that pings of the other side are answered here.
//!
//! libp2p-ping 0.48 keeps the future that reads the next ping without polling it, so that ping wakes nobody. Over TCP
//! any traffic of the connection wakes it; over QUIC a stream wakes only whoever polled it, and a pong waited up to
//! 8 s. See `docs/decisions/0005-answer-pings-ourselves.md`.

use std::{
    fmt, io,
    task::{Context, Poll},
};

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future::BoxFuture};
use libp2p::{
    Multiaddr, PeerId, Stream,
    core::{Endpoint, transport::PortUse},
    ping,
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
        SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{ConnectionEvent, FullyNegotiatedInbound},
    },
};

pub(crate) use libp2p::ping::{Config, Event, Failure};

/// Bytes of a ping and of its pong.
const PING_BYTES: usize = 32;

type Inner = THandler<ping::Behaviour>;

/// Pings every peer and answers its pings.
pub(crate) struct Behaviour(ping::Behaviour);

impl Behaviour {
    pub(crate) fn new(config: Config) -> Self {
        Self(ping::Behaviour::new(config))
    }
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Behaviour")
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        self.0.handle_established_inbound_connection(id, peer, local, remote).map(Handler::new)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        self.0.handle_established_outbound_connection(id, peer, address, role, port_use).map(Handler::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.0.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.0.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        self.0.poll(cx)
    }
}

/// The pings of one connection.
pub(crate) struct Handler {
    inner: Inner,
    /// Answers the next ping of the other side's stream. A second stream takes the place of the first.
    answer: Option<BoxFuture<'static, io::Result<Stream>>>,
}

impl Handler {
    fn new(inner: Inner) -> Self {
        Self { inner, answer: None }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("answers", &self.answer.is_some()).finish_non_exhaustive()
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = <Inner as ConnectionHandler>::FromBehaviour;
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

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        self.inner.on_behaviour_event(event);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            // The swarm polls us after this.
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: mut stream, .. }) => {
                stream.ignore_for_keep_alive();
                self.answer = Some(pong(stream).boxed());
            }
            event => self.inner.on_connection_event(event),
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        if let Some(answer) = &mut self.answer
            && let Poll::Ready(answered) = answer.poll_unpin(cx)
        {
            self.answer = answered.ok().map(|stream| pong(stream).boxed());
            // Polls the new future, but lets the connection's other protocols go first: a flood of pings is no
            // reason to serve nothing else.
            cx.waker().wake_by_ref();
        }
        self.inner.poll(cx)
    }
}

/// Waits for one ping and answers it.
async fn pong(mut stream: Stream) -> io::Result<Stream> {
    let mut payload = [0; PING_BYTES];
    stream.read_exact(&mut payload).await?;
    stream.write_all(&payload).await?;
    stream.flush().await?;
    Ok(stream)
}
