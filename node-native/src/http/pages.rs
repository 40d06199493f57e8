//! Where others can open this hub's page, for a page that was opened by an address of this machine alone.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use libp2p::{Multiaddr, multiaddr::Protocol};

/// Addresses of documentation (RFC 5737, RFC 3849): a route to them is a route to the world.
const WORLD: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9),
];

/// The addresses of the page on other hosts of `addresses`, where this hub can be reached by peers: public ones first, as
/// they lead here from everywhere, then the one that this machine uses towards the world.
///
/// Nothing for a `visitor` from elsewhere, who has opened the page by such an address already. One who comes from
/// elsewhere though the page was opened on this machine came through a port mapping, and nobody knows where that leads.
pub(super) fn pages(http: SocketAddr, visitor: IpAddr, addresses: &[Multiaddr]) -> Vec<String> {
    if !visitor.to_canonical().is_loopback() {
        return Vec::new();
    }
    let main: Vec<IpAddr> = WORLD.iter().filter_map(source_towards).collect();
    let ips: BTreeSet<IpAddr> = addresses.iter().filter_map(ip).filter(|ip| covers(http, *ip)).collect();
    let mut ips: Vec<IpAddr> = ips.into_iter().filter(|ip| is_for_others(*ip)).collect();
    ips.sort_by_key(|ip| (is_private(*ip), !main.contains(ip), ip.is_ipv6()));
    ips.into_iter().map(|ip| format!("http://{}/", SocketAddr::new(ip, http.port()))).collect()
}

/// The address that packets to there would have. None is sent.
fn source_towards(there: &SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if there.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(there).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

/// Whether a listener takes what comes to this address. One on `[::]` takes IPv4 too.
fn covers(http: SocketAddr, ip: IpAddr) -> bool {
    match http.ip() {
        IpAddr::V4(own) if own.is_unspecified() => ip.is_ipv4(),
        IpAddr::V6(own) if own.is_unspecified() => true,
        own => own == ip,
    }
}

/// Neither this machine only, nor one link, whose addresses mean nothing without its name.
fn is_for_others(ip: IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !ip.is_loopback() && !ip.is_unspecified() && !link_local
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        // Carriers' own addresses (RFC 6598) too.
        IpAddr::V4(ip) => ip.is_private() || ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64,
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTENING: [&str; 6] = [
        "/ip4/127.0.0.1/tcp/4748/ws",
        "/ip4/10.0.0.5/tcp/4748/ws",
        "/ip4/10.0.0.5/udp/4748/webrtc-direct",
        "/ip6/fe80::1/tcp/4748/ws",
        "/ip6/fd00::5/tcp/4748/ws",
        "/ip4/203.0.113.7/tcp/4748/ws",
    ];

    fn told(http: &str, visitor: &str) -> Vec<String> {
        let addresses: Vec<Multiaddr> = LISTENING.iter().map(|address| address.parse().unwrap()).collect();
        pages(http.parse().unwrap(), visitor.parse().unwrap(), &addresses)
    }

    #[test]
    fn a_page_on_this_machine_learns_where_others_find_it() {
        let [public, lan, ula] = ["http://203.0.113.7:80/", "http://10.0.0.5:80/", "http://[fd00::5]:80/"];
        assert_eq!(told("0.0.0.0:80", "127.0.0.1"), [public, lan]);
        assert_eq!(told("[::]:80", "::1"), [public, lan, ula]);
        assert_eq!(told("10.0.0.5:80", "127.0.0.1"), [lan]);
        assert_eq!(told("127.0.0.1:80", "127.0.0.1"), [""; 0], "others do not get there");
        assert_eq!(told("0.0.0.0:80", "172.17.0.1"), [""; 0], "came through a port mapping");
    }
}
