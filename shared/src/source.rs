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
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_source() {
        let of = |text: &str| source(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.1"), "192.0.2.1/32");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1/32");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }
}
