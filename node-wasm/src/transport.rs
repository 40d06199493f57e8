//! How a page reaches others: the only place that knows a browser's transports.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::{
    core::{
        muxing::StreamMuxerBox,
        transport::{
            Boxed, DialOpts, ListenerId, Transport, TransportError, TransportEvent, timeout::TransportTimeout,
        },
        upgrade::Version,
    },
    identity::Keypair,
    multiaddr::Protocol,
    noise, yamux,
};
use tincan_shared::{Error, Multiaddr, PeerId};
use tincan_webrtc::{Limits, browser as webrtc};

pub use crate::dialable::{Surroundings, check, is_loopback, local_network_hint, parse, peer};
use crate::{
    dial_order::{OrderedDials, PendingDials},
    websocket,
};

/// How long one address of a dial may take, its wait for other addresses of the same peer included. It is shorter than
/// the node's own `DIAL_TIMEOUT`, which stands around every host's transport.
const PAGE_DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// The page's transports, authenticated and multiplexed.
///
/// # Errors
/// A key that noise cannot use.
pub fn build(keypair: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, Error> {
    let noise = noise::Config::new(keypair)
        .map_err(|error| Error::Setting { name: "keypair", reason: format!("{error}; use an ed25519 key") })?;
    let pending = PendingDials::default();
    let opened = pending.clone();
    let websocket = Dialable { inner: websocket::Transport, surroundings: Surroundings::here() }
        .map(move |stream, point| {
            opened.answered(point.get_remote_address());
            stream
        })
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let direct = webrtc::Transport::new(keypair.clone(), Limits::default())
        .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)));
    let either = websocket.or_transport(direct).map(|made, _| made.into_inner());
    Ok(TransportTimeout::new(OrderedDials::new(either, pending), PAGE_DIAL_TIMEOUT).boxed())
}

/// Refuses at once what cannot work from this page: the browser blocks `ws://` on https pages, and
/// circuits are the relay client's.
struct Dialable<T> {
    inner: T,
    surroundings: Surroundings,
}

impl<T: Transport + Unpin> Transport for Dialable<T> {
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = T::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<Self::Error>> {
        let circuit = address.iter().any(|protocol| protocol == Protocol::P2pCircuit);
        if circuit || check(&address, &self.surroundings).is_err() {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        self.inner.dial(address, options)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}
