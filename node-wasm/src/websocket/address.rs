//! What a `/ws` or `/wss` multiaddr says, and the url that a browser opens for it.

use std::net::Ipv6Addr;

use libp2p::multiaddr::Protocol;
use tincan_shared::{Multiaddr, PeerId};

/// A multiaddr of a WebSocket, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What stands for the WebSocket: `/ws`, `/tls/ws` or `/wss`.
    pub layer: Multiaddr,
    /// Path of the url, `/` unless the address names another.
    pub path: String,
    /// Encrypted below the WebSocket.
    pub tls: bool,
    /// Whose address it is, when it says so.
    pub peer: Option<PeerId>,
    /// Goes on behind that peer: a circuit through it.
    pub circuit: bool,
}

impl Address {
    /// Nothing for addresses of other transports.
    #[must_use]
    pub fn of(address: &Multiaddr) -> Option<Self> {
        let mut protocols = address.iter().peekable();
        let host = match protocols.next()? {
            Protocol::Ip4(ip) => ip.to_string(),
            Protocol::Ip6(ip) => ip.to_string(),
            Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => name.into_owned(),
            _ => return None,
        };
        let Protocol::Tcp(port) = protocols.next()? else { return None };
        let mut layer = Multiaddr::empty();
        let mut top = protocols.next()?;
        let mut tls = top == Protocol::Tls;
        if tls {
            layer.push(top);
            top = protocols.next().filter(|above| matches!(above, Protocol::Ws(_)))?;
        }
        tls |= matches!(top, Protocol::Wss(_));
        let (Protocol::Ws(path) | Protocol::Wss(path)) = &top else { return None };
        let path = path.to_string();
        layer.push(top);
        let peer = match protocols.peek() {
            Some(Protocol::P2p(peer)) => Some(*peer),
            _ => None,
        };
        if peer.is_some() {
            protocols.next();
        }
        let circuit = match protocols.next() {
            None => false,
            Some(Protocol::P2pCircuit) if peer.is_some() => true,
            Some(_) => return None,
        };
        Some(Self { host, port, layer, path, tls, peer, circuit })
    }

    /// What to open. Nothing for a circuit, which begins at its relay, and for a host that would read
    /// as another part of a url.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let host = match self.host.parse::<Ipv6Addr>() {
            Ok(ip) => format!("[{ip}]"),
            Err(_) if is_host_name(&self.host) => self.host.clone(),
            Err(_) => return None,
        };
        let scheme = if self.tls { "wss" } else { "ws" };
        let path = self.path.trim_start_matches('/');
        (!self.circuit).then(|| format!("{scheme}://{host}:{}/{path}", self.port))
    }
}

/// Also holds for IPv4 addresses. Letters of all scripts: the browser turns them into punycode.
fn is_host_name(host: &str) -> bool {
    !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'))
}
