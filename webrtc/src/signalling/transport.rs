//! The transport: dials `/webrtc` addresses, and brings connections that were offered to us.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures::{
    SinkExt, StreamExt,
    channel::{mpsc, oneshot},
    future::BoxFuture,
};
use libp2p::{
    Multiaddr, PeerId, Stream,
    core::{
        muxing::StreamMuxer,
        transport::{self, DialOpts, ListenerId, TransportEvent},
    },
    multiaddr::Protocol,
};

use super::{
    address::Target,
    behaviour::Behaviour,
    exchange::{ExchangeError, Side},
    limits::MAX_OFFERS,
    requests::{StreamRequest, TakenOffer, TransportError},
};

/// Dials that wait for the behaviour.
const DIAL_QUEUE: usize = 64;

/// Makes a connection of a signalling stream: what differs between hosts.
pub trait Connector: Clone + Send + Unpin + 'static {
    /// A connection.
    type Connection: StreamMuxer + Send + 'static;

    /// Makes one.
    fn connect(&self, stream: Stream, side: Side) -> BoxFuture<'static, Result<Self::Connection, ExchangeError>>;
}

/// See the [module](super). It brings offered connections while it listens on `/webrtc`.
#[derive(Debug)]
pub struct Transport<C> {
    connector: C,
    requests: mpsc::Sender<StreamRequest>,
    offers: mpsc::Receiver<TakenOffer>,
    listener: Option<ListenerId>,
    closed: VecDeque<ListenerId>,
    waker: Option<Waker>,
}

/// A transport and the behaviour that belongs to it: both have to be part of one swarm.
pub fn new<C: Connector>(connector: C) -> (Transport<C>, Behaviour) {
    let (requests, requested) = mpsc::channel(DIAL_QUEUE);
    let (offered, offers) = mpsc::channel(MAX_OFFERS);
    let transport = Transport { connector, requests, offers, listener: None, closed: VecDeque::new(), waker: None };
    (transport, Behaviour::new(requested, offered))
}

impl<C: Connector> transport::Transport for Transport<C> {
    type Output = (PeerId, C::Connection);
    type Error = TransportError;
    type ListenerUpgrade = BoxFuture<'static, Result<Self::Output, Self::Error>>;
    type Dial = BoxFuture<'static, Result<Self::Output, Self::Error>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), transport::TransportError<Self::Error>> {
        if address != Multiaddr::from(Protocol::WebRTC) || self.listener.is_some() {
            return Err(transport::TransportError::MultiaddrNotSupported(address));
        }
        self.listener = Some(id);
        self.waker.take().into_iter().for_each(Waker::wake);
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        let is_ours = self.listener.take_if(|listener| *listener == id).is_some();
        if is_ours {
            self.closed.push_back(id);
            self.waker.take().into_iter().for_each(Waker::wake);
        }
        is_ours
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, transport::TransportError<Self::Error>> {
        let target = Target::read(&address);
        let (Ok(Target { peer, circuit }), true) = (target, options.role.is_dialer()) else {
            return Err(transport::TransportError::MultiaddrNotSupported(address));
        };
        let (mut requests, connector) = (self.requests.clone(), self.connector.clone());
        Ok(Box::pin(async move {
            let (reply, opened) = oneshot::channel();
            let request = StreamRequest { peer, circuit, reply };
            requests.send(request).await.map_err(|_| TransportError::Ended)?;
            let stream = opened.await.map_err(|_| TransportError::Ended)??;
            Ok((peer, connector.connect(stream, Side::Dialer).await?))
        }))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        if let Some(listener_id) = self.closed.pop_front() {
            return Poll::Ready(TransportEvent::ListenerClosed { listener_id, reason: Ok(()) });
        }
        while let Poll::Ready(Some(TakenOffer { peer, stream, place })) = self.offers.poll_next_unpin(cx) {
            // Dropped, and so reset, where nobody listens.
            let Some(listener_id) = self.listener else { continue };
            let connector = self.connector.clone();
            let upgrade = Box::pin(async move {
                let _place = place;
                Ok((peer, connector.connect(stream, Side::Listener).await?))
            });
            let local_addr = Multiaddr::from(Protocol::WebRTC);
            let send_back_addr = local_addr.clone().with(Protocol::P2p(peer));
            return Poll::Ready(TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr });
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
