//! A hub's addresses, as seen from this page.

use std::net::IpAddr;

use libp2p::multiaddr::Protocol;
use tincan_shared::{Multiaddr, PeerId};
use tincan_webrtc::direct::address::Target;

use crate::{
    dialable::{self, Surroundings, is_loopback},
    websocket::Address,
};

/// Addresses of one hub that are kept.
pub const MAX_ADDRESSES: usize = 16;
/// Servers that are asked how this browser is seen: more make ICE slower.
pub const MAX_STUN_SERVERS: usize = 2;
/// Hubs that `?hub=` may name.
pub const MAX_HUBS: usize = 16;

/// What a hub says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The hub.
    pub peer: PeerId,
    /// Where it says it is.
    pub addresses: Vec<Multiaddr>,
    /// Where others can open its page, as far as it knows.
    pub page: Option<String>,
}

/// The addresses worth dialling from here, best first: by WebSocket before WebRTC, and of each the page's own host name
/// with the announced ports, as a hub behind a port mapping does not know that name, before the announced ones.
#[must_use]
pub fn seen_from(surroundings: &Surroundings, hub: &Announced) -> Vec<Multiaddr> {
    let theirs = || hub.addresses.iter().filter(|address| dialable::peer(address).is_none_or(|peer| peer == hub.peer));
    let ws: Vec<(Multiaddr, Address)> =
        theirs().filter_map(|address| Some((bare(address), Address::of(address).filter(|ws| !ws.circuit)?))).collect();
    let direct: Vec<Target> = theirs().filter_map(|address| Target::read(address).ok()).collect();
    let here = direct.iter().filter_map(|target| Some(Target { ip: surroundings.ip()?, ..*target }.address()));
    let there = direct.iter().filter(|target| reaches(&target.ip.to_string(), surroundings)).map(Target::address);
    let own = ws.iter().filter_map(|(_, ws)| at(&surroundings.hostname, ws));
    let announced = ws.iter().filter(|(_, ws)| reaches(&ws.host, surroundings)).map(|(address, _)| address.clone());
    let mut seen = Vec::new();
    for address in own.chain(announced).chain(here).chain(there) {
        let address = address.with(Protocol::P2p(hub.peer));
        if !seen.contains(&address) && dialable::check(&address, surroundings).is_ok() {
            seen.push(address);
        }
    }
    seen.truncate(MAX_ADDRESSES);
    seen
}

/// One list of addresses per hub, in the order of their first address. Addresses that do not say
/// whose they are stand alone.
#[must_use]
pub fn by_hub(addresses: impl IntoIterator<Item = Multiaddr>) -> Vec<Vec<Multiaddr>> {
    let mut hubs: Vec<(Option<PeerId>, Vec<Multiaddr>)> = Vec::new();
    for address in addresses {
        let peer = dialable::peer(&address);
        match hubs.iter().position(|(hub, _)| peer.is_some() && *hub == peer) {
            Some(index) => hubs[index].1.push(address),
            None if hubs.len() < MAX_HUBS => hubs.push((peer, vec![address])),
            None => {}
        }
    }
    for (_, list) in &mut hubs {
        list.truncate(MAX_ADDRESSES);
    }
    hubs.into_iter().map(|(_, list)| list).collect()
}

/// Where to ask how this browser is seen from outside: at the hubs themselves, at most [`MAX_STUN_SERVERS`].
#[must_use]
pub fn stun_servers(addresses: &[Multiaddr]) -> Vec<String> {
    let mut urls = Vec::new();
    for target in addresses.iter().filter_map(|address| Target::read(address).ok()) {
        let url = target.stun_url();
        // This machine tells nothing that the browser does not know.
        if !target.ip.is_loopback() && !urls.contains(&url) && urls.len() < MAX_STUN_SERVERS {
            urls.push(url);
        }
    }
    urls
}

/// The ports of these addresses, each once.
#[must_use]
pub fn ports(addresses: &[Multiaddr]) -> Vec<u16> {
    let port = |address| Address::of(address).map(|ws| ws.port).or_else(|| Some(Target::read(address).ok()?.port));
    let mut ports = Vec::new();
    for port in addresses.iter().filter_map(port) {
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports
}

/// Without the id that it may end in.
fn bare(address: &Multiaddr) -> Multiaddr {
    address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect()
}

fn at(hostname: &str, ws: &Address) -> Option<Multiaddr> {
    let host = match hostname.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => Protocol::Ip4(ip),
        Ok(IpAddr::V6(ip)) => Protocol::Ip6(ip),
        Err(_) if hostname.is_empty() => return None,
        Err(_) => Protocol::Dns4(hostname.into()),
    };
    let mut address = Multiaddr::empty().with(host).with(Protocol::Tcp(ws.port));
    for layer in &ws.layer {
        address.push(layer);
    }
    Some(address)
}

/// Another machine's loopback is this machine's, and the unspecified address is nobody's.
fn reaches(host: &str, surroundings: &Surroundings) -> bool {
    let unspecified = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
    !unspecified && (surroundings.on_loopback() || !is_loopback(host))
}
