//! libp2p's ping, except that pings of the other side are answered here.
//!
//! libp2p-ping 0.48 keeps the future that reads the next ping without polling it, so that ping wakes nobody. Over TCP
//! any traffic of the connection wakes it; over QUIC a stream wakes only whoever polled it, and a pong waited up to
//! 8 s. See `docs/decisions/0005-answer-pings-ourselves.md`.
//!
//! And on a slow line a pong waits behind what the peer sends: a ping without an answer in time is no failure while
//! something else comes.

use std::{
    fmt, io,
    task::{Context, Poll},
    time::Duration,
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

use crate::heard::{Ear, Heard};

/// Who was heard within this time is there, even if a pong is late. It is longer than the time between the tries of a
/// ping: who receives much is still heard to try.
const PRESUMED_THERE: Duration = Duration::from_secs(15);
/// Pongs one after the other that may be late: a full log of a room on a line of 4 KiB/s delays them for a minute or two.
const MAX_LATE_PONGS: u32 = 18;
/// Bytes of a ping and of its pong.
const PING_BYTES: usize = 32;

type Inner = THandler<ping::Behaviour>;

/// Pings every peer and answers its pings.
pub(crate) struct Behaviour(ping::Behaviour, Heard);

impl Behaviour {
    pub(crate) fn new(config: Config, heard: Heard) -> Self {
        Self(ping::Behaviour::new(config), heard)
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
        let inner = self.0.handle_established_inbound_connection(id, peer, local, remote)?;
        Ok(Handler::new(inner, self.1.ear(peer, remote)))
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        let inner = self.0.handle_established_outbound_connection(id, peer, address, role, port_use)?;
        Ok(Handler::new(inner, self.1.ear(peer, address)))
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
    ear: Ear,
    /// Pongs that were late since one was not.
    late: u32,
}

impl Handler {
    fn new(inner: Inner, ear: Ear) -> Self {
        Self { inner, answer: None, ear, late: 0 }
    }

    /// Whether the answer to this ping may only wait behind what the peer sends.
    fn is_late(&mut self, failure: &Failure) -> bool {
        let is_timeout = match failure {
            Failure::Timeout => true,
            // No answer to the request for a stream.
            Failure::Other { error } => {
                error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == io::ErrorKind::TimedOut)
            }
            Failure::Unsupported => false,
        };
        self.late += 1;
        is_timeout && self.late <= MAX_LATE_PONGS && self.ear.silence() < PRESUMED_THERE
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
        loop {
            match self.inner.poll(cx) {
                Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Err(failure))) if self.is_late(&failure) => {
                    tracing::debug!("a pong is late");
                }
                Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Ok(round_trip))) => {
                    self.late = 0;
                    return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Ok(round_trip)));
                }
                polled => return polled,
            }
        }
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
