//! This machine's addresses, for where the system forbids to watch them.
//!
//! A listener on a wildcard watches the network interfaces, to know the addresses that it can be reached at. On Linux
//! that takes a netlink socket, which hardened services may not open (systemd's `RestrictAddressFamilies`). Then the
//! addresses are read once, from files of the kernel that need no socket, and each is listened on by itself.

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use if_watch::tokio::IfWatcher;
use libp2p::{Multiaddr, multiaddr::Protocol};

use crate::addresses::Point;

/// IPv4 routes of this process's network, own addresses among them.
const IPV4_FILE: &str = "/proc/self/net/fib_trie";
/// IPv6 addresses of this process's network.
const IPV6_FILE: &str = "/proc/self/net/if_inet6";
/// Flags of an IPv6 address that cannot be used: it is somebody else's too, or that is not known yet.
const UNUSABLE: u8 = 0x08 | 0x40;

/// Puts this machine's addresses in the place of wildcards, where interfaces cannot be watched. Must run inside the
/// runtime.
#[must_use]
pub fn without_watcher(listen: Vec<Multiaddr>) -> Vec<Multiaddr> {
    let wildcard = |address: &Multiaddr| Point::of(address).is_some_and(|point| point.socket.ip().is_unspecified());
    if !listen.iter().any(wildcard) {
        return listen;
    }
    let Err(error) = IfWatcher::new() else { return listen };
    let own = own_addresses();
    tracing::warn!(
        %error,
        "network interfaces cannot be watched here: listening on the {} addresses that this machine has now, and on new \
         ones after a restart; a service needs AF_NETLINK in RestrictAddressFamilies",
        own.len()
    );
    expand(&listen, &own)
}

/// Each wildcard becomes the addresses of its family.
fn expand(listen: &[Multiaddr], own: &BTreeSet<IpAddr>) -> Vec<Multiaddr> {
    let each = |address: &Multiaddr| match Point::of(address) {
        Some(point) if point.socket.ip().is_unspecified() => {
            let same_family = own.iter().filter(|ip| ip.is_ipv4() == point.socket.is_ipv4());
            same_family.map(|ip| at(address, *ip)).collect()
        }
        _ => vec![address.clone()],
    };
    listen.iter().flat_map(each).collect()
}

/// The same address at another IP.
fn at(address: &Multiaddr, ip: IpAddr) -> Multiaddr {
    std::iter::once(Protocol::from(ip)).chain(address.iter().skip(1)).collect()
}

/// This machine's addresses, where the system tells them. Link-local ones are left out: nobody can dial them without a
/// zone.
#[must_use]
pub fn known() -> Option<BTreeSet<IpAddr>> {
    let (ipv4, ipv6) = (fs::read_to_string(IPV4_FILE), fs::read_to_string(IPV6_FILE));
    if ipv4.is_err() && ipv6.is_err() {
        return None;
    }
    let (ipv4, ipv6) = (in_fib_trie(&ipv4.unwrap_or_default()), in_if_inet6(&ipv6.unwrap_or_default()));
    Some(ipv4.into_iter().map(IpAddr::from).chain(ipv6.into_iter().map(IpAddr::from)).collect())
}

/// Whether this machine is known to have no network but itself.
#[must_use]
pub fn is_alone() -> bool {
    known().is_some_and(|own| own.iter().all(IpAddr::is_loopback))
}

fn own_addresses() -> BTreeSet<IpAddr> {
    known().unwrap_or_else(|| {
        // Loopback, and the addresses that the default routes begin at.
        let far: [IpAddr; 2] =
            [Ipv4Addr::new(192, 0, 2, 1).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()];
        far.into_iter().filter_map(route).chain([Ipv4Addr::LOCALHOST.into()]).collect()
    })
}

/// Our address on the way to another. Nothing is sent.
fn route(to: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(SocketAddr::new(to, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Own addresses stand in two lines: `|-- 192.0.2.7` and `/32 host LOCAL`.
fn in_fib_trie(text: &str) -> BTreeSet<Ipv4Addr> {
    let lines = || text.lines().map(str::trim);
    let own = lines().zip(lines().skip(1)).filter(|(_, next)| next.starts_with("/32 host LOCAL"));
    own.filter_map(|(line, _)| line.strip_prefix("|-- ")?.parse().ok()).collect()
}

/// A line each: the address in hexadecimal, interface, length of the prefix, scope, flags, name.
fn in_if_inet6(text: &str) -> BTreeSet<Ipv6Addr> {
    let own = |line: &str| {
        let mut fields = line.split_whitespace();
        let ip = Ipv6Addr::from(u128::from_str_radix(fields.next()?, 16).ok()?);
        let flags = u8::from_str_radix(fields.nth(3)?, 16).ok()?;
        (flags & UNUSABLE == 0 && !ip.is_unicast_link_local()).then_some(ip)
    };
    text.lines().filter_map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIB_TRIE: &str = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     \
        |-- 192.0.2.0\n        /24 link UNICAST\nLocal:\n     +-- 127.0.0.0/31 1 0 0\n           |-- 127.0.0.0\n              \
        /8 host LOCAL\n           |-- 127.0.0.1\n              /32 host LOCAL\n        |-- 192.0.2.7\n           /32 host LOCAL\n     \
        |-- 192.0.2.255\n        /32 link BROADCAST\n";
    const IF_INET6: &str = "00000000000000000000000000000001 01 80 10 80       lo\n\
        20010db8000000000000000000000007 02 40 00 80     eth0\n20010db8000000000000000000000008 02 40 00 c0     eth0\n\
        fe80000000000000021122fffe334455 02 40 20 80     eth0\nnonsense\n";

    #[test]
    fn own_addresses_are_found_in_the_kernels_files() {
        let ipv4: Vec<String> = in_fib_trie(FIB_TRIE).iter().map(ToString::to_string).collect();
        assert_eq!(ipv4, ["127.0.0.1", "192.0.2.7"]);
        let ipv6: Vec<String> = in_if_inet6(IF_INET6).iter().map(ToString::to_string).collect();
        assert_eq!(ipv6, ["::1", "2001:db8::7"]);
        assert!(in_fib_trie("").is_empty() && in_if_inet6("").is_empty());
    }

    #[test]
    fn a_wildcard_becomes_the_addresses_of_its_family() {
        let own = ["127.0.0.1", "192.0.2.7", "2001:db8::7"].map(|ip| ip.parse().unwrap()).into();
        let listen = ["/ip4/0.0.0.0/tcp/4747", "/ip6/::/udp/4748/webrtc-direct", "/ip4/198.51.100.1/tcp/4748/ws"];
        let expanded = expand(&listen.map(|address| address.parse().unwrap()), &own);
        let expanded: Vec<String> = expanded.iter().map(ToString::to_string).collect();
        let wanted = [
            "/ip4/127.0.0.1/tcp/4747",
            "/ip4/192.0.2.7/tcp/4747",
            "/ip6/2001:db8::7/udp/4748/webrtc-direct",
            "/ip4/198.51.100.1/tcp/4748/ws",
        ];
        assert_eq!(expanded, wanted);
    }
}
