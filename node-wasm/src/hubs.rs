//! A hub's addresses, as seen from this page.

use std::net::IpAddr;

use libp2p::multiaddr::Protocol;
use tincan_shared::{Multiaddr, PeerId};

use crate::{
    transport::{self, Surroundings, is_loopback},
    websocket::Address,
};

/// Addresses of one hub that are kept.
pub const MAX_ADDRESSES: usize = 16;
/// Hubs that `?hub=` may name.
pub const MAX_HUBS: usize = 16;

/// What a hub says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The hub.
    pub peer: PeerId,
    /// Where it says it is.
    pub addresses: Vec<Multiaddr>,
}

/// The addresses worth dialling from here, best first: the page's own host name with the announced
/// ports, as a hub behind a port mapping does not know that name, then the announced ones.
#[must_use]
pub fn seen_from(surroundings: &Surroundings, hub: &Announced) -> Vec<Multiaddr> {
    let announced: Vec<(Multiaddr, Address)> = hub
        .addresses
        .iter()
        .filter_map(|address| Some((address.clone(), Address::of(address)?)))
        .filter(|(_, ws)| !ws.circuit && ws.peer.is_none_or(|peer| peer == hub.peer))
        .collect();
    let own = announced.iter().filter_map(|(_, ws)| at_host(&surroundings.hostname, ws, hub.peer));
    let theirs = announced
        .iter()
        .filter(|(_, ws)| reaches(ws, surroundings))
        .map(|(address, ws)| if ws.peer.is_some() { address.clone() } else { with_peer(address.clone(), hub.peer) });
    let mut seen = Vec::new();
    for address in own.chain(theirs).filter(|address| transport::check(address, surroundings).is_ok()) {
        if !seen.contains(&address) {
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
        let peer = Address::of(&address).and_then(|ws| ws.peer);
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

/// The ports of these addresses, each once.
#[must_use]
pub fn ports(addresses: &[Multiaddr]) -> Vec<u16> {
    let mut ports = Vec::new();
    for ws in addresses.iter().filter_map(Address::of) {
        if !ports.contains(&ws.port) {
            ports.push(ws.port);
        }
    }
    ports
}

fn at_host(hostname: &str, ws: &Address, hub: PeerId) -> Option<Multiaddr> {
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
    Some(with_peer(address, hub))
}

fn with_peer(address: Multiaddr, peer: PeerId) -> Multiaddr {
    address.with(Protocol::P2p(peer))
}

/// Another machine's loopback is this machine's, and the unspecified address is nobody's.
fn reaches(ws: &Address, surroundings: &Surroundings) -> bool {
    let unspecified = ws.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
    !unspecified && (surroundings.on_loopback() || !is_loopback(&ws.host))
}
