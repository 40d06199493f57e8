//! The seam between hosts: what a machine, a page or a test hands the node.

use std::{collections::BTreeMap, convert::Infallible, fmt};

use libp2p::{
    Multiaddr, PeerId,
    core::{muxing::StreamMuxerBox, transport::Boxed},
    identity::Keypair,
};

/// Everything a node needs from its host.
pub struct Platform<B> {
    /// The node's key. One key runs once: the host sees to it.
    pub keypair: Keypair,
    /// Dials and listens; authenticated and multiplexed. The relay client is added by the node.
    pub transport: Boxed<(PeerId, StreamMuxerBox)>,
    /// A behaviour that only this host has.
    pub behaviour: B,
    /// What earlier runs stored.
    pub saved: Saved,
    /// Where this run stores.
    pub storage: Box<dyn Storage>,
    /// Unix time in milliseconds.
    pub now_ms: fn() -> u64,
}

impl<B> fmt::Debug for Platform<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("peer", &self.keypair.public().to_peer_id()).finish_non_exhaustive()
    }
}

/// Stored entries by key.
pub type Saved = BTreeMap<String, Vec<u8>>;

/// One entry written, or removed when there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The entry's key.
    pub key: String,
    /// Its new value.
    pub value: Option<Vec<u8>>,
}

/// A key-value store that is written behind: memory is the truth while the node runs.
pub trait Storage: Send {
    /// Takes changes that belong together, to be written as one and in the order of the calls.
    /// Returns at once; what cannot be written is the host's to report.
    fn write(&mut self, changes: Vec<Change>);
}

/// Keeps nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoStorage;

impl Storage for NoStorage {
    fn write(&mut self, _: Vec<Change>) {}
}

/// What a host-only behaviour tells the node.
#[derive(Debug, Clone)]
pub enum HostEvent {
    /// Discovery found peers.
    Discovered(Vec<(PeerId, Multiaddr)>),
    /// Discovery has not heard of these for their time to live.
    Expired(Vec<(PeerId, Multiaddr)>),
}

impl From<Infallible> for HostEvent {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
