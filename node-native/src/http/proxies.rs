//! Proxies that are trusted to say whom they bring.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use tincan_shared::IpNet;

pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Ranges of `--trusted-proxy`.
#[derive(Debug, Default)]
pub(super) struct Proxies(Vec<IpNet>);

impl Proxies {
    pub(super) fn new(ranges: Vec<IpNet>) -> Self {
        Self(ranges)
    }

    /// Whether what comes from here is believed.
    pub(super) fn trusts(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&ip))
    }

    /// Whether connections from here are counted as one source's. Those of this machine and of trusted proxies are
    /// not: many people share them.
    pub(super) fn bounded(&self, ip: IpAddr) -> bool {
        !ip.is_loopback() && !self.trusts(ip)
    }

    /// Who is behind the proxies: the last address in `X-Forwarded-For` that no trusted proxy has. What stands before
    /// it anybody may have written. Nothing when the peer is no trusted proxy, or named nobody.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.trusts(peer) {
            return None;
        }
        for value in headers.get_all(FORWARDED_FOR).iter().rev() {
            // Of bytes, since whoever is behind the proxy may have written any before its own.
            for hop in value.as_bytes().rsplit(|byte| *byte == b',') {
                let ip = address(std::str::from_utf8(hop).ok()?.trim())?.to_canonical();
                if !self.trusts(ip) {
                    return Some(ip);
                }
            }
        }
        None
    }
}

/// With or without a port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, values: &[&'static str]) -> Option<String> {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        proxies.client(peer.parse().unwrap(), &headers).map(|ip| ip.to_string())
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_counts() {
        let told = |values: &[&'static str]| client("10.0.0.1", values).unwrap_or_default();
        assert_eq!(told(&["192.0.2.1"]), "192.0.2.1");
        assert_eq!(told(&["203.0.113.9, 192.0.2.1, 10.2.3.4"]), "192.0.2.1");
        assert_eq!(told(&["203.0.113.9", "192.0.2.1,10.2.3.4", "2001:db8::5"]), "192.0.2.1");
        assert_eq!(told(&["192.0.2.1:4711"]), "192.0.2.1");
        assert_eq!(told(&["[2001:db9::1]:80"]), "2001:db9::1");
        assert_eq!(told(&["[2001:db9::1]"]), "2001:db9::1");
        assert_eq!(told(&["::ffff:192.0.2.1"]), "192.0.2.1");
        for nobody in [&[][..], &["10.1.1.1"], &["unknown"], &["192.0.2.1, unknown"], &[""]] {
            assert_eq!(told(nobody), "", "{nobody:?}");
        }
    }

    #[test]
    fn what_a_client_wrote_before_hides_nobody() {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let value = HeaderValue::from_bytes(b"\xe9, 192.0.2.7").unwrap();
        let headers = HeaderMap::from_iter([(FORWARDED_FOR, value)]);
        assert_eq!(proxies.client("10.0.0.1".parse().unwrap(), &headers), "192.0.2.7".parse().ok());
    }

    #[test]
    fn nobody_else_is_believed() {
        assert_eq!(client("192.0.2.7", &["192.0.2.1"]), None);
        assert_eq!(client("127.0.0.1", &["192.0.2.1"]), None);
    }

    #[test]
    fn this_machine_and_proxies_are_not_bounded_as_one_source() {
        let proxies = Proxies::new(vec!["192.0.2.0/24".parse().unwrap()]);
        for (ip, bounded) in [("127.0.0.2", false), ("::1", false), ("192.0.2.7", false), ("192.0.3.7", true)] {
            assert_eq!(proxies.bounded(ip.parse().unwrap()), bounded, "{ip}");
        }
    }
}
