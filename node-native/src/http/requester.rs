//! Which of the hub's addresses `/api/v1/node` tells to whom.
//!
//! Any website can ask a hub through the browser of somebody in the hub's network. It is told public addresses only. Private
//! addresses are for the hub's own page, opened from the hub's network.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, header, uri::Authority};
use libp2p::{Multiaddr, multiaddr::Protocol};
use tincan_shared::{NodeInfo, Reach, Seen};

use super::proxies::{FORWARDED_FOR, Proxies};
use crate::addresses::is_dialable;

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Who sent a request, as far as the request shows.
#[derive(Debug)]
pub(super) struct Requester {
    seen: Seen,
    /// It was sent by a page of another origin.
    cross_origin: bool,
    /// The host name or address in the request.
    host: Option<Host>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Ip(IpAddr),
    Name(String),
}

impl Requester {
    /// The sender of a request that came from `peer`.
    pub(super) fn of(peer: IpAddr, headers: &HeaderMap, proxies: &Proxies) -> Self {
        let client = proxies.client(peer, headers);
        let proxied = [FORWARDED_FOR, FORWARDED, FORWARDED_HOST].iter().any(|name| headers.contains_key(name));
        let seen = match client {
            Some(ip) => Seen::At(ip),
            None if proxied => Seen::Anywhere,
            None => Seen::At(peer),
        };
        let forwarded = headers.get(FORWARDED_HOST).filter(|_| proxies.trusts(peer));
        let authority = forwarded.or(headers.get(header::HOST)).and_then(|value| value.to_str().ok()).map(str::trim);
        let cross_origin = headers.get(header::ORIGIN).is_some_and(|origin| {
            let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            !matches!((origin, authority), (Some((_, origin)), Some(host)) if origin.eq_ignore_ascii_case(host))
        });
        Self { seen, cross_origin, host: authority.and_then(Host::read) }
    }

    /// The addresses that it is told, each once.
    ///
    /// A request for a host name that is not the hub's may come from a stranger's page whose name was made to resolve to the
    /// hub (DNS rebinding): it is not told private addresses. Nor is a request from another network. But a hub behind a port
    /// mapping does not know its outer address, so both are told the hub's ports at the host that they asked for.
    pub(super) fn visible_addresses(&self, info: &NodeInfo) -> Vec<Multiaddr> {
        let own: Vec<IpAddr> = info.addresses.iter().filter_map(ip).collect();
        let trusted = !self.cross_origin && self.host.as_ref().is_some_and(|host| host.is_ours(info));
        let seen = if trusted { self.seen } else { Seen::Anywhere };
        let (told, kept): (Vec<_>, Vec<_>) = info
            .addresses
            .iter()
            .filter(|address| is_dialable(address))
            .partition(|address| info.external.contains(address) || seen.is_told(address, &own));
        let mut told: Vec<Multiaddr> = told.into_iter().cloned().collect();
        for there in kept.into_iter().filter_map(|address| self.host.as_ref()?.substituted(address)) {
            if !self.cross_origin && !told.contains(&there) {
                told.push(there);
            }
        }
        told
    }
}

impl Host {
    fn read(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        match bare.parse::<IpAddr>() {
            Ok(ip) => Some(Self::Ip(ip)),
            Err(_) if !host.is_empty() && is_name(host) => Some(Self::Name(host.to_ascii_lowercase())),
            Err(_) => None,
        }
    }

    /// Whether no stranger's page can have this host: an address, a name that only resolves in a local network, or a name
    /// that the hub announces.
    fn is_ours(&self, info: &NodeInfo) -> bool {
        let Self::Name(name) = self else { return true };
        let announced = |address: &Multiaddr| match address.iter().next() {
            Some(Protocol::Dns(own) | Protocol::Dns4(own) | Protocol::Dns6(own)) => own.eq_ignore_ascii_case(name),
            _ => false,
        };
        Reach::of_name(name) != Reach::World || info.external.iter().any(announced)
    }

    /// An address of the hub, with this host in place of its own.
    fn substituted(&self, address: &Multiaddr) -> Option<Multiaddr> {
        let own = ip(address)?;
        let host = match self {
            Self::Ip(ip) if ip.is_ipv4() == own.is_ipv4() => Protocol::from(*ip),
            Self::Ip(_) => return None,
            Self::Name(name) => Protocol::Dns(name.into()),
        };
        Some(std::iter::once(host).chain(address.iter().skip(1)).collect())
    }
}

fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use libp2p::PeerId;

    use super::*;

    const LISTENING: [&str; 4] = [
        "/ip4/127.0.0.1/tcp/4748/ws",
        "/ip4/192.168.1.5/tcp/4748/ws",
        "/ip4/203.0.113.7/tcp/4748/ws",
        "/ip6/fe80::1/tcp/4748/ws",
    ];
    const EXTERNAL: &str = "/dns4/hub.example.org/tcp/443/tls/ws";

    /// Asks as somebody at `peer` with these headers; a proxy at 10.0.0.1 is trusted.
    fn told_of(
        listening: &[&str],
        external: &[&str],
        peer: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Vec<String> {
        let all = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Multiaddr>>();
        let info = NodeInfo {
            peer_id: PeerId::random(),
            addresses: [all(external), all(listening)].concat(),
            external: all(external),
            agent: String::new(),
            protocols: Vec::new(),
            nick: String::new(),
        };
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let requester =
            Requester::of(peer.parse().unwrap(), &headers, &Proxies::new(vec!["10.0.0.1/32".parse().unwrap()]));
        requester.visible_addresses(&info).iter().map(ToString::to_string).collect()
    }

    fn told(peer: &str, headers: &[(&'static str, &'static str)]) -> Vec<String> {
        told_of(&LISTENING, &[EXTERNAL], peer, headers)
    }

    const PUBLIC: [&str; 2] = [EXTERNAL, LISTENING[2]];
    const AT_HOME: [&str; 3] = [EXTERNAL, LISTENING[1], LISTENING[2]];
    const ALL: [&str; 4] = [EXTERNAL, LISTENING[0], LISTENING[1], LISTENING[2]];

    #[test]
    fn the_hubs_own_page_gets_what_it_can_use() {
        assert_eq!(told("127.0.0.1", &[("host", "127.0.0.1:8747")]), ALL);
        assert_eq!(told("::1", &[("host", "[::1]:8747")]), ALL);
        for host in ["hub:8747", "hub.local:8747", "192.168.1.5:8747", "hub.example.org:8747"] {
            assert_eq!(told("192.168.1.9", &[("host", host)])[..3], AT_HOME, "{host}");
        }
        let same_origin = [("host", "Hub.local:8747"), ("origin", "http://hub.local:8747")];
        assert_eq!(told("192.168.1.9", &same_origin)[..3], AT_HOME);
    }

    #[test]
    fn other_websites_get_what_is_public() {
        for origin in ["https://example.com", "http://127.0.0.1:9999", "https://hub.example.org:8747.evil.test", "null"]
        {
            for host in ["127.0.0.1:8747", "localhost:8747", "hub.local:8747"] {
                assert_eq!(told("127.0.0.1", &[("host", host), ("origin", origin)]), PUBLIC, "{origin} {host}");
            }
        }
    }

    #[test]
    fn a_name_that_is_not_the_hubs_leads_to_nothing_private() {
        let rebound = told("127.0.0.1", &[("host", "rebound.example.com:8747")]);
        assert_eq!(rebound, [EXTERNAL, LISTENING[2], "/dns/rebound.example.com/tcp/4748/ws"]);
        for host in ["", "a b", "<script>", "user@rebound.example.com:1"] {
            let told = told("127.0.0.1", &[("host", host)]);
            assert!(!told.iter().any(|address| address.contains("/ip4/1")), "{host}: {told:?}");
        }
        assert_eq!(told("127.0.0.1", &[]), PUBLIC);
    }

    #[test]
    fn a_hub_behind_a_port_mapping_is_where_it_was_asked() {
        let behind = |peer, headers| told_of(&LISTENING[..2], &[], peer, headers);
        assert_eq!(behind("198.51.100.9", &[("host", "203.0.113.9")]), ["/ip4/203.0.113.9/tcp/4748/ws"]);
        assert_eq!(behind("198.51.100.9", &[("host", "chat.example.org")]), ["/dns/chat.example.org/tcp/4748/ws"]);
        let docker = behind("172.17.0.1", &[("host", "192.168.7.7:8747")]);
        assert_eq!(docker, ["/ip4/192.168.7.7/tcp/4748/ws"]);
    }

    #[test]
    fn a_proxys_visitors_are_seen_where_they_are() {
        let host = ("host", "127.0.0.1:8747");
        let public =
            told("10.0.0.1", &[host, ("x-forwarded-for", "198.51.100.9"), ("x-forwarded-host", "hub.example.org")]);
        assert_eq!(public, [EXTERNAL, LISTENING[2], "/dns/hub.example.org/tcp/4748/ws"]);
        let lan = told("10.0.0.1", &[host, ("x-forwarded-for", "192.168.1.9"), ("x-forwarded-host", "hub.lan")]);
        assert_eq!(lan[..3], AT_HOME);
        let origin = ("origin", "https://hub.example.org");
        let forwarded = [host, origin, ("x-forwarded-for", "192.168.1.9"), ("x-forwarded-host", "hub.example.org")];
        assert_eq!(told("10.0.0.1", &forwarded)[..3], AT_HOME);
        let untrusted = told("127.0.0.1", &[host, ("x-forwarded-for", "192.168.1.9")]);
        assert_eq!(untrusted, [EXTERNAL, LISTENING[2], "/ip4/127.0.0.1/tcp/4748/ws"]);
    }
}
