//! Addresses: the defaults, what makes sense where, whether a port is free.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
};

use libp2p::{
    Multiaddr,
    multiaddr::{Protocol, multihash::Multihash},
};
use tincan_shared::IpNet;

use crate::Error;

/// TCP and QUIC of a hub.
pub const HUB_PORT: u16 = 4747;
/// WebSocket and WebRTC-direct of a hub.
pub const HUB_WEB_PORT: u16 = 4748;

/// A way to carry a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// TCP.
    Tcp,
    /// WebSocket over TCP.
    Ws,
    /// QUIC version 1.
    Quic,
    /// WebRTC-direct.
    WebRtcDirect,
}

/// An address this host can listen on, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// What is spoken there.
    pub kind: Kind,
    /// Where.
    pub socket: SocketAddr,
}

impl Point {
    /// Takes an address apart; nothing when it is none to listen on.
    #[must_use]
    pub fn of(address: &Multiaddr) -> Option<Self> {
        let mut parts = address.iter();
        let ip = match parts.next()? {
            Protocol::Ip4(ip) => IpAddr::V4(ip),
            Protocol::Ip6(ip) => IpAddr::V6(ip),
            _ => return None,
        };
        let (port, kind) = match parts.next()? {
            Protocol::Tcp(port) => match parts.next() {
                None => (port, Kind::Tcp),
                Some(Protocol::Ws(_)) => (port, Kind::Ws),
                Some(_) => return None,
            },
            Protocol::Udp(port) => match parts.next()? {
                Protocol::QuicV1 => (port, Kind::Quic),
                Protocol::WebRTCDirect => (port, Kind::WebRtcDirect),
                _ => return None,
            },
            _ => return None,
        };
        let rest_fits = match kind {
            Kind::WebRtcDirect => parts.all(|part| matches!(part, Protocol::Certhash(_))),
            _ => parts.next().is_none(),
        };
        rest_fits.then(|| Self { kind, socket: SocketAddr::new(ip, port) })
    }

    /// Whether an address the swarm listens on came from this one: wildcards and port 0 stand for others.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.socket, other.socket);
        self.kind == other.kind
            && mine.is_ipv4() == theirs.is_ipv4()
            && (mine.ip().is_unspecified() || mine.ip() == theirs.ip())
            && (mine.port() == 0 || mine.port() == theirs.port())
    }

    fn is_tcp(&self) -> bool {
        matches!(self.kind, Kind::Tcp | Kind::Ws)
    }
}

/// Reads an address to listen on.
///
/// # Errors
/// What is wrong with it.
pub fn parse_listen(text: &str) -> Result<Multiaddr, String> {
    let address = parse(text)?;
    if is_link_local(&address) {
        return Err(
            "nobody can dial a link-local address; listen on another address of this host, or on /ip6/::".to_owned()
        );
    }
    match Point::of(&address) {
        Some(_) => Ok(address),
        None => Err("it is not one to listen on, like /ip4/0.0.0.0/tcp/4747".to_owned()),
    }
}

/// Reads an address to announce.
///
/// # Errors
/// What is wrong with it.
pub fn parse_external(text: &str) -> Result<Multiaddr, String> {
    let address = parse(text)?;
    check_path(&address, false)?;
    Ok(address)
}

/// Reads an address to dial, with or without `/p2p/<id>`.
///
/// # Errors
/// What is wrong with it.
pub fn parse_dial(text: &str) -> Result<Multiaddr, String> {
    let address = parse(text).map_err(|error| host_of(text.trim()).map_or(error, |host| not_a_page(&host)))?;
    check_path(&address, true)?;
    Ok(address)
}

/// Reads a range of IP addresses, or one address.
///
/// # Errors
/// What is wrong with it.
pub fn parse_range(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let range = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| IpNet::from(ip.to_canonical())));
    range.map_err(|_| "write an address like 192.0.2.1 or a range like 192.0.2.0/24".to_owned())
}

fn parse(text: &str) -> Result<Multiaddr, String> {
    text.trim().parse().map_err(|error| format!("it is no multiaddr ({error}); write one like /ip4/192.0.2.1/tcp/4747"))
}

/// The host in what people paste instead of a multiaddr: a page's address, or `host:port`.
fn host_of(text: &str) -> Option<Multiaddr> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or(text);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => authority.split(':').next()?,
    };
    let is_pasted = rest.len() < text.len() || authority.contains([':', '.']);
    let is_name = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    match host.parse::<IpAddr>() {
        Ok(ip) => Some(Multiaddr::from(ip)),
        Err(_) if is_pasted && is_name => Some(Multiaddr::empty().with(Protocol::Dns(host.into()))),
        Err(_) => None,
    }
}

fn not_a_page(host: &Multiaddr) -> String {
    format!("it is no peer's address; write {host}/tcp/{HUB_PORT}, or another that the hub prints after `listening:`")
}

/// Host, transport, then whose it is and through whom: anything else no transport of ours takes.
fn check_path(address: &Multiaddr, dial: bool) -> Result<(), String> {
    let strange = || "it is not one to reach, like /ip4/192.0.2.1/tcp/4747".to_owned();
    if is_link_local(address) {
        return Err("link-local addresses cannot be dialled; give another address of that host".to_owned());
    }
    let mut parts = address.iter().peekable();
    match parts.next() {
        Some(Protocol::Dnsaddr(_)) => {}
        Some(Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_)) => {
            match (parts.next(), parts.peek()) {
                (Some(Protocol::Tcp(port)), _) if port > 0 => {
                    while parts
                        .next_if(|p| matches!(p, Protocol::Ws(_) | Protocol::Wss(_) | Protocol::Tls | Protocol::Sni(_)))
                        .is_some()
                    {}
                }
                (Some(Protocol::Udp(port)), Some(Protocol::QuicV1)) if port > 0 => {
                    parts.next();
                }
                (Some(Protocol::Udp(port)), Some(Protocol::WebRTCDirect)) if port > 0 => {
                    parts.next();
                    let mut hashes = 0;
                    while parts.next_if(|p| matches!(p, Protocol::Certhash(_))).is_some() {
                        hashes += 1;
                    }
                    if dial && hashes == 0 {
                        return Err("webrtc-direct needs the /certhash/ that the hub prints".to_owned());
                    }
                }
                _ => return Err(strange()),
            }
        }
        _ => return Err(strange()),
    }
    parts.next_if(|p| matches!(p, Protocol::P2p(_)));
    if parts.next_if(|p| matches!(p, Protocol::P2pCircuit)).is_some() {
        parts.next_if(|p| matches!(p, Protocol::P2p(_)));
    }
    parts.next().map_or(Ok(()), |_| Err(strange()))
}

/// Where a hub listens when nobody says otherwise.
#[must_use]
pub fn hub_defaults(ipv6: bool) -> Vec<Multiaddr> {
    let (v4, v6) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let mut all = vec![tcp(v4, HUB_PORT), quic(v4, HUB_PORT), ws(v4, HUB_WEB_PORT), webrtc_direct(v4, HUB_WEB_PORT)];
    if ipv6 {
        all.extend([tcp(v6, HUB_PORT), quic(v6, HUB_PORT), ws(v6, HUB_WEB_PORT)]);
        // The stock crate's sockets are not limited to one family, and two on one port collide.
        if cfg!(not(feature = "stock-webrtc")) {
            all.push(webrtc_direct(v6, HUB_WEB_PORT));
        }
    }
    all
}

/// Where anybody else listens when nobody says otherwise.
#[must_use]
pub fn peer_defaults(ipv6: bool) -> Vec<Multiaddr> {
    let families = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let used = if ipv6 { &families[..] } else { &families[..1] };
    let mut all: Vec<Multiaddr> = used.iter().flat_map(|ip| [tcp(*ip, 0), quic(*ip, 0)]).collect();
    // The stock crate dials from a listener's socket only.
    if cfg!(feature = "stock-webrtc") {
        all.push(webrtc_direct(families[0], 0));
    }
    all
}

fn tcp(ip: IpAddr, port: u16) -> Multiaddr {
    Multiaddr::from(ip).with(Protocol::Tcp(port))
}

fn quic(ip: IpAddr, port: u16) -> Multiaddr {
    Multiaddr::from(ip).with(Protocol::Udp(port)).with(Protocol::QuicV1)
}

fn ws(ip: IpAddr, port: u16) -> Multiaddr {
    tcp(ip, port).with(Protocol::Ws("/".into()))
}

fn webrtc_direct(ip: IpAddr, port: u16) -> Multiaddr {
    Multiaddr::from(ip).with(Protocol::Udp(port)).with(Protocol::WebRTCDirect)
}

/// Whether this host has IPv6 at all.
#[must_use]
pub fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() && UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok()
}

/// Sees to it that nobody else holds the ports.
///
/// libp2p's TCP shares its ports with any program of the same user, so the system would not complain.
///
/// # Errors
/// [`Error::InUse`], [`Error::Listen`]; [`Error::Usage`] for one port asked for twice.
pub fn check_free(listen: &[Multiaddr]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for address in listen {
        let Some(point) = Point::of(address) else { continue };
        if point.socket.port() != 0 && !seen.insert((point.is_tcp(), point.socket)) {
            return Err(Error::Usage(format!("{address} is on a port that is listed already; give each its own")));
        }
        let free = match point.is_tcp() {
            true => TcpListener::bind(point.socket).map(drop),
            false => UdpSocket::bind(point.socket).map(drop),
        };
        free.map_err(|error| refused(address.to_string(), &error, "--listen"))?;
    }
    Ok(())
}

/// What a failed bind means.
#[must_use]
pub fn refused(address: String, error: &io::Error, flag: &'static str) -> Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => Error::InUse { address, flag },
        _ => Error::Listen { address, reason: error.to_string(), flag },
    }
}

/// Whether others can dial an address as it stands: no wildcard, and no link-local one.
#[must_use]
pub fn is_dialable(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => !ip.is_unspecified(),
        Some(Protocol::Ip6(ip)) => !ip.is_unspecified() && !is_link_local(address),
        _ => !is_link_local(address),
    }
}

/// An address to announce, with the hub's own certificate where it is one of WebRTC-direct and names none: nobody could
/// dial it without.
#[must_use]
pub fn with_certhash(address: &Multiaddr, own: Multihash<64>) -> Multiaddr {
    let named: Vec<Multihash<64>> =
        address.iter().filter_map(|part| if let Protocol::Certhash(hash) = part { Some(hash) } else { None }).collect();
    if !named.is_empty() {
        if !named.contains(&own) {
            tracing::warn!(%address, "the certificate of this address is not this hub's; leave out /certhash/ for its own");
        }
        return address.clone();
    }
    let mut whole = Multiaddr::empty();
    for part in address {
        let direct = part == Protocol::WebRTCDirect;
        whole.push(part);
        if direct {
            whole.push(Protocol::Certhash(own));
        }
    }
    whole
}

/// Whether it is an IPv6 address that means something on one network interface only. No transport takes the interface,
/// which stands in an `/ip6zone/` where the address names it at all.
fn is_link_local(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip6zone(_)) => true,
        Some(Protocol::Ip6(ip)) => ip.is_unicast_link_local(),
        _ => false,
    }
}

#[cfg(test)]
#[path = "addresses_tests.rs"]
mod tests;
