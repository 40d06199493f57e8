//! Which addresses a page can dial, and why it cannot dial others. That depends on where the page was opened.

use std::net::{IpAddr, Ipv4Addr};

use libp2p::multiaddr::Protocol;
use tincan_shared::{Error, Multiaddr, PeerId, Reach, neutralise};
use tincan_webrtc::direct::address::{AddressError, Target};

use crate::websocket::Address;

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
