//! The seam between hosts: what a machine, a page or a test hands the node.

use std::{collections::BTreeMap, convert::Infallible, fmt};

use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Transport as _,
    core::{StreamMuxer, muxing::StreamMuxerBox, transport::Boxed},
    identity::Keypair,
    swarm::{NetworkBehaviour, dummy},
};

use tincan_webrtc::signalling;

use crate::{heard::Heard, room::Elsewhere};

/// Everything a node needs from its host.
pub struct Platform<B> {
    /// The node's key. One key runs once: the host sees to it.
    pub keypair: Keypair,
    /// Dials and listens; authenticated and multiplexed. The relay client is added by the node.
    pub transport: Boxed<(PeerId, StreamMuxerBox)>,
    /// Connects to peers that cannot listen either, where this host can.
    pub direct: Option<Direct>,
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

/// Connections that two peers arrange over another one; see [`tincan_webrtc::signalling`].
pub struct Direct {
    /// Dials `/webrtc`.
    pub transport: Boxed<(PeerId, StreamMuxerBox)>,
    /// What belongs to it.
    pub behaviour: signalling::Behaviour,
}

impl Direct {
    /// From how this host makes a connection.
    pub fn new<C>(connector: C) -> Self
    where
        C: signalling::Connector,
        C::Connection: StreamMuxer<Substream: Send + 'static, Error: Send + Sync + 'static>,
    {
        let (transport, behaviour) = signalling::new(connector);
        let transport = transport.map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection))).boxed();
        Self { transport, behaviour }
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
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
    /// Takes changes that belong together, to be written as one and in the order of the calls. Where there is no
    /// space to write, removals are made alone: what was removed must not come back.
    /// Returns at once; what cannot be written is the host's to report.
    fn write(&mut self, changes: Vec<Change>);
}

/// Keeps nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoStorage;

impl Storage for NoStorage {
    fn write(&mut self, _: Vec<Change>) {}
}

/// A behaviour that only this host has. What its methods do not need, they leave out.
pub trait HostBehaviour: NetworkBehaviour<ToSwarm: Into<HostEvent> + fmt::Debug> + Send {
    /// Whether it speaks for another network of rooms, and takes part in the rest of this trait.
    fn bridges(&self) -> bool {
        false
    }

    /// Where to see when each connection last brought something. Comes before anything else.
    fn hears(&mut self, _heard: Heard) {}

    /// A connected peer has told which protocols it speaks.
    fn identified(&mut self, _peer: PeerId, _protocols: &[StreamProtocol]) {}

    /// This node is in a room now, or carries it.
    fn enter(&mut self, _room: &str) {}

    /// No longer.
    fn leave(&mut self, _room: &str) {}

    /// Says a line to the other network's members of a room.
    fn say(&mut self, _room: &str, _text: &str) {}

    /// Connected peers and the rooms they are in on the other network.
    fn attending(&self) -> Vec<(PeerId, String)> {
        Vec::new()
    }
}

impl HostBehaviour for dummy::Behaviour {}

/// What a host-only behaviour tells the node.
#[derive(Debug, Clone)]
pub enum HostEvent {
    /// Discovery found peers.
    Discovered(Vec<(PeerId, Multiaddr)>),
    /// Discovery has not heard of these for their time to live.
    Expired(Vec<(PeerId, Multiaddr)>),
    /// [`HostBehaviour::attending`] has changed.
    Attending,
    /// Somebody said a line on the other network.
    Elsewhere(Elsewhere),
}

impl From<Infallible> for HostEvent {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
