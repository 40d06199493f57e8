//! How a page reaches others: the only place that knows a browser's transports.

use std::{
    net::{IpAddr, Ipv4Addr},
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
use tincan_shared::{Error, Multiaddr, PeerId, Reach, neutralise};
use tincan_webrtc::{
    Limits, browser as webrtc,
    direct::address::{AddressError, Target},
};

use crate::{
    dial_order::{OrderedDials, PendingDials},
    websocket::{self, Address},
};

/// How long a dial may take, its wait for other addresses of the same peer included.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the page was opened, as far as it decides what can be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// `location.hostname`, an IPv6 address without its brackets.
    pub hostname: String,
    /// Opened over https, so that plain `ws://` is blocked.
    pub https: bool,
}

impl Surroundings {
    /// Of this window; of nowhere in particular when there is none.
    #[must_use]
    pub fn here() -> Self {
        let location = web_sys::window().map(|window| window.location());
        let read = |text: Option<Result<String, _>>| text.and_then(Result::ok).unwrap_or_default();
        let hostname = read(location.as_ref().map(web_sys::Location::hostname));
        let protocol = read(location.as_ref().map(web_sys::Location::protocol));
        Self { hostname: hostname.trim_matches(['[', ']']).to_owned(), https: protocol == "https:" }
    }

    /// Its IP address, where the name is one; WebRTC dials no other names.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        if self.hostname == "localhost" { Some(Ipv4Addr::LOCALHOST.into()) } else { self.hostname.parse().ok() }
    }

    /// Opened on the machine the browser runs on.
    #[must_use]
    pub fn on_loopback(&self) -> bool {
        is_loopback(&self.hostname)
    }
}

/// A host name or address that means the browser's own machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Why a page there cannot dial an address.
///
/// # Errors
/// The reason, and what to do.
pub fn check(address: &Multiaddr, surroundings: &Surroundings) -> Result<(), String> {
    match Address::of(address) {
        Some(ws) if !ws.tls && surroundings.https && !is_loopback(&ws.host) => {
            Err("this page is https and cannot dial ws://; use a wss address or another hub".into())
        }
        Some(_) => Ok(()),
        None => match direct(address) {
            Ok(_) => Ok(()),
            Err(AddressError::Other) => Err(format!(
                "a page has no transport for {}; it dials /ws, /wss and /webrtc-direct, and circuits through them",
                layers(address)
            )),
            Err(error) => Err(format!("{error}; copy the whole address that the hub prints")),
        },
    }
}

/// A `/webrtc-direct` address; of a circuit through one, the relay's.
fn direct(address: &Multiaddr) -> Result<Target, AddressError> {
    let relay: Multiaddr = address.iter().take_while(|part| *part != Protocol::P2pCircuit).collect();
    let target = Target::read(&relay)?;
    // A circuit without its relay's id cannot be told from a wrong one.
    if relay != *address && target.peer.is_none() { Err(AddressError::Other) } else { Ok(target) }
}

/// What a page of the public internet is told when it did not reach an address of a local network: browsers ask their
/// person first whether it may, or forbid it, and then say no more than that the connection failed.
#[must_use]
pub fn local_network_hint(host: &str, surroundings: &Surroundings) -> Option<&'static str> {
    let public = !surroundings.hostname.is_empty() && Reach::of_host(&surroundings.hostname) == Reach::World;
    (public && Reach::of_host(host) != Reach::World).then_some(
        "the browser may forbid this page to reach local addresses: allow it the local network in the site's settings, or \
         open the page from the hub itself",
    )
}

/// Whose address it is, when it says so; of a circuit, the relay's.
#[must_use]
pub fn peer(address: &Multiaddr) -> Option<PeerId> {
    match Address::of(address) {
        Some(ws) => ws.peer,
        None => direct(address).ok()?.peer,
    }
}

/// An address a page there can dial, from text.
///
/// # Errors
/// [`Error::Address`].
pub fn parse(text: &str, surroundings: &Surroundings) -> Result<Multiaddr, Error> {
    let refuse = |reason: String| Error::Address { address: neutralise(text.trim(), false), reason };
    let address: Multiaddr = text
        .trim()
        .parse()
        .map_err(|_| refuse("it is no multiaddr; write one like /dns4/hub.example/tcp/4748/ws".into()))?;
    check(&address, surroundings).map_err(refuse)?;
    Ok(address)
}

/// The protocols of an address without hosts and peers: `tcp`, `udp/quic-v1`.
fn layers(address: &Multiaddr) -> String {
    let tags: Vec<&str> = address
        .iter()
        .filter(|protocol| {
            !matches!(
                protocol,
                Protocol::Ip4(_)
                    | Protocol::Ip6(_)
                    | Protocol::Dns(_)
                    | Protocol::Dns4(_)
                    | Protocol::Dns6(_)
                    | Protocol::P2p(_)
                    | Protocol::Certhash(_)
            )
        })
        .map(|protocol| protocol.tag())
        .collect();
    if tags.is_empty() { "an address without one".into() } else { tags.join("/") }
}

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
    Ok(TransportTimeout::new(OrderedDials::new(either, pending), DIAL_TIMEOUT).boxed())
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
