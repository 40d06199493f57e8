//! Peers and lines for the unit tests.

use tincan_shared::{Message, MessageState, PeerId, identity::Keypair};

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
        bridge: None,
    }
}
