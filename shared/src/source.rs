//! What counts as one source of connections.

use std::net::IpAddr;

use ipnet::IpNet;
use libp2p::{Multiaddr, multiaddr::Protocol};

/// Bits of an IPv6 address that name one network: whoever has one IPv6 address has its whole /64.
const IPV6_PREFIX: u8 = 64;

/// The range of addresses that an address stands for when connections are counted: an IPv4 address alone, an IPv6
/// address with its /64.
#[must_use]
pub fn source(ip: IpAddr) -> IpNet {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpNet::from(IpAddr::V4(ip)),
        IpAddr::V6(ip) => {
            let network = u128::from(ip) & !(u128::MAX >> IPV6_PREFIX);
            IpNet::new_assert(IpAddr::V6(network.into()), IPV6_PREFIX)
        }
    }
}

/// The range that a connection from this address is counted with; nothing where no bound by address holds: on this
/// machine, for trusted proxies, as many people share them, and behind a relay.
pub(crate) fn counted_source(address: &Multiaddr, trusted: &[IpNet]) -> Option<IpNet> {
    if address.iter().any(|part| part == Protocol::P2pCircuit) {
        return None;
    }
    ip_of(address).filter(|ip| !ip.is_loopback() && !trusted.iter().any(|range| range.contains(ip))).map(source)
}

/// The IP address at the start of an address, IPv4 also where it comes by an IPv6 socket.
pub(crate) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(ip.to_canonical()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use libp2p::PeerId;

    use super::*;

    #[test]
    fn an_ipv6_network_is_one_source() {
        let of = |text: &str| source(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.1"), "192.0.2.1/32");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1/32");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }

    #[test]
    fn what_many_share_is_not_counted() {
        let trusted = ["198.51.100.0/24".parse().unwrap()];
        let of = |text: &str| counted_source(&text.parse().unwrap(), &trusted).map(|range| range.to_string());
        assert_eq!(of("/ip4/192.0.2.1/tcp/1/ws").as_deref(), Some("192.0.2.1/32"));
        assert_eq!(of("/ip6/2001:db8:1:2:3:4:5:6/udp/1/quic-v1").as_deref(), Some("2001:db8:1:2::/64"));
        for shared in ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1", "/ip4/198.51.100.7/tcp/1", "/memory/1"] {
            assert_eq!(of(shared), None, "{shared}");
        }
        let relay = PeerId::random();
        assert_eq!(of(&format!("/ip4/192.0.2.1/tcp/1/p2p/{relay}/p2p-circuit")), None);
    }
}
