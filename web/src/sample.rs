//! Peers and lines for the unit tests.

use tincan_shared::{Message, MessageState, Path, PeerId, PeerInfo, identity::Keypair};

/// The same seed is the same peer.
pub(crate) fn peer(seed: u8) -> PeerId {
    Keypair::ed25519_from_bytes([seed; 32]).expect("any 32 bytes are a key").public().to_peer_id()
}

pub(crate) fn message(id: &str, from: PeerId, time_ms: u64, sequence: u64) -> Message {
    Message {
        room: "lobby".into(),
        id: id.into(),
        from,
        nick: "ann".into(),
        text: id.into(),
        time_ms,
        sequence,
        state: MessageState::Received,
        plain: false,
        newer: false,
        claimed_source: None,
    }
}

pub(crate) fn connected(seed: u8, hub: bool) -> PeerInfo {
    PeerInfo {
        peer: peer(seed),
        address: "/ip4/127.0.0.1/tcp/1".parse().expect("an address"),
        hub,
        path: Path::Direct,
        transport: "ws".into(),
        agent: None,
        rtt_us: Some(900),
        since_ms: 5,
    }
}
