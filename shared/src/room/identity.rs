//! Who this node is in its rooms.

use libp2p::{PeerId, identity::Keypair};

/// With whose key and under which nick this node speaks.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// Our signing key.
    pub keypair: &'a Keypair,
    /// Our nick.
    pub nick: &'a str,
    /// Whether we bring lines from and to another network.
    pub bridge: bool,
    /// Hubs over which we arrange direct connections.
    pub relays: &'a [PeerId],
}
