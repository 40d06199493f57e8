//! Streams for whoever wants one: opened on request, as many at once as asked for; none that comes is dropped.

use std::{
    collections::VecDeque,
    io,
    task::{Context, Poll},
};

use futures::{
    SinkExt, StreamExt,
    channel::{mpsc, oneshot},
    future::{Ready, ready},
};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol,
    core::{
        Endpoint,
        transport::PortUse,
        upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo},
    },
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
        NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandlerInEvent, ToSwarm,
        handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};

use crate::protocol::{ASK, BULK, ECHO};

/// Requests that wait for the behaviour.
const REQUESTS: usize = 16;

type Reply = oneshot::Sender<io::Result<Stream>>;

/// A stream that is wanted.
#[derive(Debug)]
pub struct Request {
    peer: PeerId,
    protocol: StreamProtocol,
    reply: Reply,
}

/// A stream that has come.
#[derive(Debug)]
pub struct Incoming {
    /// Who opened it.
    pub peer: PeerId,
    /// For what.
    pub protocol: StreamProtocol,
    /// Itself.
    pub stream: Stream,
}

/// Opens streams to peers that are connected.
#[derive(Debug, Clone)]
pub struct Opener(mpsc::Sender<Request>);

impl Opener {
    /// A stream of this protocol.
    ///
    /// # Errors
    /// The peer is not connected, does not know the protocol, or the connection fails.
    pub async fn open(&self, peer: PeerId, protocol: StreamProtocol) -> io::Result<Stream> {
        let (reply, opened) = oneshot::channel();
        let gone = || io::Error::new(io::ErrorKind::NotConnected, "not connected");
        self.0.clone().send(Request { peer, protocol, reply }).await.map_err(|_| gone())?;
        opened.await.map_err(|_| gone())?
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Behaviour {
    requests: mpsc::Receiver<Request>,
    came: VecDeque<Incoming>,
}

impl Behaviour {
    /// And what it is asked by.
    #[must_use]
    pub fn new() -> (Self, Opener) {
        let (sender, requests) = mpsc::channel(REQUESTS);
        (Self { requests, came: VecDeque::new() }, Opener(sender))
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Incoming;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, peer: PeerId, _: ConnectionId, (protocol, stream): Came) {
        self.came.push_back(Incoming { peer, protocol, stream });
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Incoming, THandlerInEvent<Self>>> {
        if let Some(incoming) = self.came.pop_front() {
            return Poll::Ready(ToSwarm::GenerateEvent(incoming));
        }
        match self.requests.poll_next_unpin(cx) {
            // Of a peer that is not connected nobody keeps the reply, and its asker hears that.
            Poll::Ready(Some(request)) => Poll::Ready(ToSwarm::NotifyHandler {
                peer_id: request.peer,
                handler: NotifyHandler::Any,
                event: request,
            }),
            _ => Poll::Pending,
        }
    }
}

type Came = (StreamProtocol, Stream);

/// One connection's part. It is polled after whatever it is told, so nothing lies in its queues for long.
#[derive(Debug, Default)]
pub struct Handler {
    wanted: VecDeque<Request>,
    came: VecDeque<Came>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Request;
    type ToBehaviour = Came;
    type InboundProtocol = OneOf;
    type OutboundProtocol = OneOf;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Reply;

    fn listen_protocol(&self) -> SubstreamProtocol<OneOf> {
        SubstreamProtocol::new(OneOf(vec![ECHO, ASK, BULK]), ())
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<OneOf, Reply, Came>> {
        if let Some(came) = self.came.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(came));
        }
        self.wanted.pop_front().map_or(Poll::Pending, |Request { protocol, reply, .. }| {
            let protocol = SubstreamProtocol::new(OneOf(vec![protocol]), reply);
            Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
        })
    }

    fn on_behaviour_event(&mut self, request: Request) {
        self.wanted.push_back(request);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, OneOf, OneOf, (), Reply>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                self.came.push_back(protocol);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: (_, stream), info }) => {
                // Nobody may wait for it any more.
                let _ = info.send(Ok(stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, info }) => {
                let _ = info.send(Err(io_error(error)));
            }
            _ => {}
        }
    }
}

fn io_error(error: StreamUpgradeError<std::convert::Infallible>) -> io::Error {
    match error {
        StreamUpgradeError::Io(error) => error,
        StreamUpgradeError::Timeout => io::ErrorKind::TimedOut.into(),
        StreamUpgradeError::NegotiationFailed => {
            io::Error::new(io::ErrorKind::Unsupported, "the other side does not know the protocol")
        }
    }
}

/// The stream as it is, and which of these protocols it is of.
#[derive(Debug)]
pub struct OneOf(Vec<StreamProtocol>);

impl UpgradeInfo for OneOf {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for OneOf {
    type Output = Came;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Came, Self::Error>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((protocol, stream)))
    }
}

impl OutboundUpgrade<Stream> for OneOf {
    type Output = Came;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Came, Self::Error>>;

    fn upgrade_outbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((protocol, stream)))
    }
}
