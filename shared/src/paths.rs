//! What an address tells of a connection.

use libp2p::{Multiaddr, multiaddr::Protocol};

use crate::Path;

/// Path and transport of an address that is connected.
pub(crate) fn how(address: &Multiaddr) -> (Path, String) {
    let has = |wanted: fn(&Protocol<'_>) -> bool| address.iter().any(|protocol| wanted(&protocol));
    // A WebRTC connection arranged over a circuit is direct all the same.
    if has(|p| matches!(p, Protocol::WebRTC)) {
        return (Path::Direct, "webrtc".into());
    }
    if has(|p| matches!(p, Protocol::P2pCircuit)) {
        return (Path::Relayed, "circuit".into());
    }
    let transport = address.iter().fold("tcp", |so_far, protocol| match protocol {
        Protocol::WebRTCDirect => "webrtc-direct",
        Protocol::QuicV1 | Protocol::Quic => "quic",
        Protocol::Wss(_) => "wss",
        Protocol::Ws(_) if so_far == "tls" => "wss",
        Protocol::Ws(_) => "ws",
        Protocol::Tls => "tls",
        Protocol::Memory(_) => "memory",
        _ => so_far,
    });
    (Path::Direct, transport.into())
}

pub(crate) fn is_loopback(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => name == "localhost",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use libp2p::PeerId;

    use super::*;

    #[test]
    fn paths_and_transports_are_told_truthfully() {
        let peer = PeerId::random();
        for (address, path, transport) in [
            ("/ip4/1.2.3.4/tcp/1".to_owned(), Path::Direct, "tcp"),
            ("/ip4/1.2.3.4/tcp/1/ws".into(), Path::Direct, "ws"),
            ("/dns4/h/tcp/1/tls/ws".into(), Path::Direct, "wss"),
            ("/ip4/1.2.3.4/udp/1/quic-v1".into(), Path::Direct, "quic"),
            ("/ip4/1.2.3.4/udp/1/webrtc-direct".into(), Path::Direct, "webrtc-direct"),
            (format!("/ip4/1.2.3.4/tcp/1/ws/p2p/{peer}/p2p-circuit"), Path::Relayed, "circuit"),
            (format!("/ip4/1.2.3.4/tcp/1/ws/p2p/{peer}/p2p-circuit/webrtc"), Path::Direct, "webrtc"),
        ] {
            assert_eq!(how(&address.parse().unwrap()), (path, transport.to_owned()), "{address}");
        }
    }
}
