//! From where an address can be reached, and so to whom it is told: what is private stays in its network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use libp2p::{Multiaddr, multiaddr::Protocol};

use crate::source::{ip_of, source};

/// Networks of IPv4 that each belong to whoever uses them: RFC 1918, shared address space, link-local.
const PRIVATE_IPV4: [(Ipv4Addr, u8); 5] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
];
/// Bits of a unique local IPv6 address that name its network (RFC 4193).
const UNIQUE_LOCAL_PREFIX: u8 = 48;
/// Ends of names that are no names of the public internet, so that whoever dials one is in the network it is for.
const LOCAL_NAMES: [&str; 9] =
    ["local", "lan", "home.arpa", "internal", "localdomain", "home", "corp", "intranet", "test"];

/// From where an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// From the same machine.
    Machine,
    /// From the same private network.
    Network,
    /// From anywhere.
    World,
}

/// Where a peer or an HTTP client is, as far as its connection shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// At this address.
    At(IpAddr),
    /// In a network of ours.
    Near,
    /// Nothing is known, as behind a relay or a proxy.
    Anywhere,
}

impl Reach {
    /// Of an IP address.
    #[must_use]
    pub fn of_ip(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            ip if ip.is_loopback() || ip.is_unspecified() => Self::Machine,
            ip if network(ip).is_some() || is_link_local(ip) => Self::Network,
            _ => Self::World,
        }
    }

    /// Of the first host in an address.
    #[must_use]
    pub fn of(address: &Multiaddr) -> Self {
        match address.iter().next() {
            Some(Protocol::Ip4(ip)) => Self::of_ip(ip.into()),
            Some(Protocol::Ip6(ip)) => Self::of_ip(ip.into()),
            Some(Protocol::Ip6zone(_)) => Self::Network,
            Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => Self::of_name(&name),
            _ => Self::World,
        }
    }

    /// Of a host as a URL has it: an IP address, or a name.
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        host.trim_matches(['[', ']']).parse().map_or_else(|_| Self::of_name(host), Self::of_ip)
    }

    /// Of a host name: one without a dot, or with an end that the public internet does not have, is a local one.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let under = |end: &str| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if under("localhost") {
            Self::Machine
        } else if !name.contains('.') || LOCAL_NAMES.iter().any(|end| under(end)) {
            Self::Network
        } else {
            Self::World
        }
    }
}

impl Seen {
    /// Of the other end of a connection.
    #[must_use]
    pub fn of(remote: &Multiaddr) -> Self {
        if remote.iter().any(|part| part == Protocol::P2pCircuit) {
            return Self::Anywhere;
        }
        match (ip_of(remote), Reach::of(remote)) {
            (Some(ip), _) => Self::At(ip),
            (None, Reach::Machine) => Self::At(Ipv4Addr::LOCALHOST.into()),
            (None, Reach::Network) => Self::Near,
            (None, Reach::World) => Self::Anywhere,
        }
    }

    /// The same where people come through these proxies: nothing is known of who comes from one.
    #[must_use]
    pub fn through(remote: &Multiaddr, proxies: &[IpNet]) -> Self {
        match Self::of(remote) {
            Self::At(ip) if proxies.iter().any(|proxy| proxy.contains(&ip)) => Self::Anywhere,
            seen => seen,
        }
    }

    /// The same of a connection that came to `local`: what reaches a loopback address is on this machine, whichever of the
    /// machine's addresses it comes from, as WebRTC's may.
    #[must_use]
    pub fn arrived(local: &Multiaddr, remote: &Multiaddr, proxies: &[IpNet]) -> Self {
        let is_here = ip_of(local).is_some_and(|ip| ip.is_loopback());
        match Self::through(remote, proxies) {
            Self::At(_) if is_here => Self::At(Ipv4Addr::LOCALHOST.into()),
            seen => seen,
        }
    }

    /// Whether whoever is there is told an address. `own` are the IP addresses of this machine.
    ///
    /// A private address is told to this machine, to its own private network, and to who shares a link with this machine:
    /// who comes from a link-local address or from the /64 of one of its public IPv6 addresses.
    #[must_use]
    pub fn is_told(self, address: &Multiaddr, own: &[IpAddr]) -> bool {
        match (Reach::of(address), self) {
            (Reach::World, _) => true,
            (_, Self::Anywhere) => false,
            (Reach::Machine, Self::At(ip)) => ip.is_loopback() || own.contains(&ip),
            (Reach::Machine, Self::Near) => false,
            (Reach::Network, Self::Near) => true,
            (Reach::Network, Self::At(ip)) => {
                let same_network = ip_of(address).and_then(network).is_some_and(|network| network.contains(&ip));
                ip.is_loopback() || same_network || is_link_local(ip) || own.contains(&ip) || shares_link(ip, own)
            }
        }
    }
}

/// The private network that an address is of.
fn network(ip: IpAddr) -> Option<IpNet> {
    match ip {
        IpAddr::V4(_) => {
            let all = PRIVATE_IPV4.into_iter().map(|(network, bits)| IpNet::new_assert(network.into(), bits));
            all.into_iter().find(|network| network.contains(&ip))
        }
        IpAddr::V6(v6) if v6.is_unique_local() => Some(IpNet::new_assert(ip, UNIQUE_LOCAL_PREFIX).trunc()),
        IpAddr::V6(_) => None,
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if Ipv6Addr::is_unicast_link_local(&ip))
}

fn shares_link(ip: IpAddr, own: &[IpAddr]) -> bool {
    let public_ipv6 = |ip: &&IpAddr| ip.is_ipv6() && Reach::of_ip(**ip) == Reach::World;
    own.iter().filter(public_ipv6).any(|own| source(*own).contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().expect("an address")
    }

    #[test]
    fn addresses_reach_as_far_as_their_kind() {
        for (text, reach) in [
            ("/ip4/127.0.0.1/tcp/1", Reach::Machine),
            ("/ip6/::1/tcp/1", Reach::Machine),
            ("/ip6/::ffff:127.0.0.1/tcp/1", Reach::Machine),
            ("/dns4/localhost/tcp/1", Reach::Machine),
            ("/ip4/192.168.1.5/tcp/1", Reach::Network),
            ("/ip4/172.31.0.5/tcp/1", Reach::Network),
            ("/ip4/100.64.0.1/tcp/1", Reach::Network),
            ("/ip6/fd00::1/tcp/1", Reach::Network),
            ("/ip6/fe80::1/tcp/1", Reach::Network),
            ("/dns/hub/tcp/1", Reach::Network),
            ("/dns/hub.local./tcp/1", Reach::Network),
            ("/dns/hub.home.arpa/tcp/1", Reach::Network),
            ("/dns/hub.notlocal/tcp/1", Reach::World),
            ("/ip4/172.32.0.1/tcp/1", Reach::World),
            ("/ip4/203.0.113.7/tcp/1", Reach::World),
            ("/ip6/2001:db8::7/tcp/1", Reach::World),
            ("/dns/hub.example.org/tcp/1", Reach::World),
        ] {
            assert_eq!(Reach::of(&address(text)), reach, "{text}");
        }
    }

    #[test]
    fn what_is_private_is_told_in_its_own_network_only() {
        let own = ["192.168.1.5", "10.0.0.5", "fd00::5", "2001:db8:1:1::5"].map(|ip| ip.parse().unwrap());
        let all = [
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/192.168.1.5/tcp/1",
            "/ip4/10.0.0.5/tcp/1",
            "/ip6/fd00::5/tcp/1",
            "/ip6/2001:db8:1:1::5/tcp/1",
        ];
        let told = |remote: &str| {
            let seen = Seen::of(&address(remote));
            let told = |text: &&&str| seen.is_told(&address(text), &own);
            all.iter().enumerate().filter(|(_, text)| told(text)).map(|(n, _)| n).collect::<Vec<_>>()
        };
        assert_eq!(told("/ip4/127.0.0.1/tcp/9"), [0, 1, 2, 3, 4]);
        assert_eq!(told("/ip4/192.168.1.5/tcp/9"), [0, 1, 2, 3, 4], "this machine by its own address");
        assert_eq!(told("/ip4/192.168.77.1/tcp/9"), [1, 4]);
        assert_eq!(told("/ip4/10.9.9.9/tcp/9"), [2, 4]);
        assert_eq!(told("/ip6/fd00::9/tcp/9"), [3, 4]);
        assert_eq!(told("/ip6/fd00:0:1::9/tcp/9"), [4], "another unique local network");
        assert_eq!(told("/ip6/fe80::9/tcp/9"), [1, 2, 3, 4]);
        assert_eq!(told("/ip6/2001:db8:1:1::9/tcp/9"), [1, 2, 3, 4]);
        assert_eq!(told("/ip6/2001:db8:1:2::9/tcp/9"), [4]);
        assert_eq!(told("/ip4/203.0.113.9/tcp/9"), [4]);
        assert_eq!(told("/dns/hub.local/tcp/9"), [1, 2, 3, 4]);
        assert_eq!(told("/dns/hub.example.org/tcp/9"), [4]);
        let proxies = ["127.0.0.1/32".parse().unwrap()];
        let proxied = Seen::through(&address("/ip6/::ffff:127.0.0.1/tcp/9"), &proxies);
        assert_eq!(proxied, Seen::Anywhere, "whoever comes through a proxy on this machine");
        assert_ne!(Seen::through(&address("/ip4/127.0.0.2/tcp/9"), &proxies), Seen::Anywhere);
        let came = |local: &str, remote: &str| Seen::arrived(&address(local), &address(remote), &proxies);
        let here = Seen::At(Ipv4Addr::LOCALHOST.into());
        assert_eq!(came("/ip4/127.0.0.1/udp/1/webrtc-direct", "/ip4/192.0.2.1/udp/9/webrtc-direct"), here);
        assert_ne!(came("/ip4/0.0.0.0/udp/1/webrtc-direct", "/ip4/192.0.2.1/udp/9/webrtc-direct"), here);
        assert_eq!(came("/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/9"), Seen::Anywhere, "a proxy");
        let relay = libp2p::PeerId::random();
        assert_eq!(told(&format!("/ip4/192.168.1.7/tcp/9/p2p/{relay}/p2p-circuit")), [4]);
    }
}
