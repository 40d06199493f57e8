//! Everything that can be set, and every bound with its name, unit and default.

use std::time::Duration;

use ipnet::IpNet;
use libp2p::{Multiaddr, PeerId};

/// Bytes of UTF-8 in one line of chat.
pub const MAX_TEXT_BYTES: usize = 4096;
/// Bytes in a room's name, which is a gossipsub topic.
pub const MAX_ROOM_BYTES: usize = 64;
/// Bytes in a nick.
pub const MAX_NICK_BYTES: usize = 64;
/// Bytes in a presence's status.
pub const MAX_STATUS_BYTES: usize = 64;
/// Bytes in a record's key.
pub const MAX_KEY_BYTES: usize = 256;
/// Bytes in a record's value: one Kademlia packet holds 16 KiB.
pub const MAX_VALUE_BYTES: usize = 8192;
/// Bytes of a whole frame: text, nick, key, signature and their framing.
pub const MAX_FRAME_BYTES: usize = 6144;
/// Members listed by name; above it a hub tells the count and a sample of this size.
pub const MAX_LISTED_MEMBERS: usize = 50;
/// How far a frame's time may be from our clock.
pub const FRAME_TIME_WINDOW: Duration = Duration::from_secs(3600);
/// How long a line is held back for an earlier one of the same author.
pub const ORDER_HOLD: Duration = Duration::from_secs(2);
/// Callers that wait in [`crate::Node::say_patiently`] and [`crate::Node::settle`].
pub const MAX_PATIENT: usize = 64;
/// The nick of those who chose none.
pub const DEFAULT_NICK: &str = "guest";
/// Protocol version in identify.
pub const PROTOCOL_VERSION: &str = "tincan/1.0.0";

/// What a node is to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Carries rooms, relays, introduces peers.
    Hub,
    /// Anybody else.
    Peer,
}

/// How a node behaves. Start from [`Config::peer`] or [`Config::hub`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Hub or peer.
    pub role: Role,
    /// Identify's agent version. Defaults to `tincan/<version> (native)`.
    pub agent: String,
    /// Kademlia's protocol name. Defaults to `/tincan/kad/1.0.0`.
    pub kad_protocol: String,
    /// Whether to answer Kademlia's queries; needs addresses others can dial. Defaults to true.
    pub kad_server: bool,
    /// Where to listen. Defaults to nowhere.
    pub listen: Vec<Multiaddr>,
    /// Addresses to announce, for hosts behind a port mapping. Defaults to none.
    pub external: Vec<Multiaddr>,
    /// Whom to stay connected to. Defaults to nobody.
    pub bootstrap: Vec<Multiaddr>,
    /// The nick to start with. Defaults to the stored one, else [`DEFAULT_NICK`].
    pub nick: Option<String>,
    /// Whether the rooms of the last run are joined again at the start. Otherwise they stay stored, with what waits in
    /// them, until somebody joins them. Defaults to true.
    pub rejoin: bool,
    /// Peers that are refused. Defaults to none.
    pub deny: Vec<PeerId>,
    /// Addresses that are refused before anything is said. Defaults to none.
    pub deny_ranges: Vec<IpNet>,
    /// Proxies, and networks of many people behind one address: no bound by address holds for connections from there.
    /// Defaults to none.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether each try to reach a lost hub begins with another of its addresses, and every second one also dials those
    /// that it told of itself or that were found on the local network. Defaults to true; false in a page, which has an order of its own and whose browser asks before it reaches into the local network.
    pub all_addresses: bool,
    /// Time between pings of a connected peer. Defaults to 10 s.
    pub ping_interval: Duration,
    /// Bounds on what others can make the node hold.
    pub limits: Limits,
}

/// What of a [`Config`] a running node can take anew.
#[derive(Debug, Clone)]
pub struct Rules {
    /// As [`Config::deny`].
    pub deny: Vec<PeerId>,
    /// As [`Config::deny_ranges`].
    pub deny_ranges: Vec<IpNet>,
    /// As [`Config::limits`].
    pub limits: Limits,
}

/// Bounds that an operator may change.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Established connections. Defaults to 4,096 on a hub, 256 elsewhere.
    pub connections: u32,
    /// Established connections of one peer. Defaults to 8.
    pub connections_per_peer: u32,
    /// Established connections that come from one address, of IPv6 from one /64. This machine, trusted proxies and relayed
    /// connections are not counted so. Defaults to 1,024 on a hub, 256 elsewhere.
    pub connections_per_source: u32,
    /// Connected peers from which on newcomers are told to go elsewhere, on a hub. Defaults to 4,000.
    pub peers: usize,
    /// Incoming connections that have not yet authenticated. Defaults to 256.
    pub pending_incoming: u32,
    /// Rooms a hub carries in all. Defaults to 512.
    pub carried_rooms: usize,
    /// Rooms a hub carries for one peer. Defaults to 32.
    pub carried_rooms_per_peer: usize,
    /// How long a hub still carries a room that nobody is in. Defaults to 20 s.
    pub carry_linger: Duration,
    /// Rooms this node may join. Defaults to 32.
    pub joined_rooms: usize,
    /// Lines that wait in one room. Defaults to 512.
    pub waiting_lines: usize,
    /// Frames kept for sync in one room. Defaults to 200.
    pub kept_frames: usize,
    /// Bytes of frames kept for sync in one room. Defaults to 256 KiB.
    pub kept_bytes: usize,
    /// Presences kept in one room. Defaults to 256.
    pub kept_presences: usize,
    /// Hubs to stay connected to. Defaults to 16.
    pub known_hubs: usize,
    /// Kademlia records held for others. Defaults to 4,096.
    pub records: usize,
    /// Keys held providers for. Defaults to 4,096.
    pub provided_keys: usize,
    /// Relay circuits in all. Defaults to 2,048.
    pub circuits: usize,
    /// Relay circuits of one peer. Defaults to 16.
    pub circuits_per_peer: usize,
    /// Relay reservations in all. Defaults to 4,096.
    pub reservations: usize,
    /// How long a circuit lasts. Defaults to 2 min.
    pub circuit_duration: Duration,
    /// Bytes a circuit carries. Defaults to 1 MiB.
    pub circuit_bytes: u64,
    /// Provable offences until a peer is refused for a while. Defaults to 8.
    pub offences: u32,
    /// How long an offender is refused. Defaults to 10 min.
    pub refuse_for: Duration,
    /// Console and API queries under way at once. Defaults to 256.
    pub queries: usize,
}

impl Limits {
    fn peer() -> Self {
        Self {
            connections: 256,
            connections_per_peer: 8,
            connections_per_source: 256,
            peers: 4000,
            pending_incoming: 1024,
            carried_rooms: 512,
            carried_rooms_per_peer: 32,
            carry_linger: Duration::from_secs(20),
            joined_rooms: 32,
            waiting_lines: 512,
            kept_frames: 200,
            kept_bytes: 256 * 1024,
            kept_presences: 256,
            known_hubs: 16,
            records: 4096,
            provided_keys: 4096,
            circuits: 2048,
            circuits_per_peer: 16,
            reservations: 4096,
            circuit_duration: Duration::from_secs(120),
            circuit_bytes: 1024 * 1024,
            offences: 8,
            refuse_for: Duration::from_secs(600),
            queries: 256,
        }
    }
}

impl Limits {
    /// Names of those that a running node cannot change and that differ from `other`.
    pub(crate) fn differing(&self, other: &Self) -> Vec<&'static str> {
        let pairs = [
            ("waiting_lines", self.waiting_lines == other.waiting_lines),
            ("kept_frames", self.kept_frames == other.kept_frames),
            ("kept_bytes", self.kept_bytes == other.kept_bytes),
            ("kept_presences", self.kept_presences == other.kept_presences),
            ("known_hubs", self.known_hubs == other.known_hubs),
            ("records", self.records == other.records),
            ("provided_keys", self.provided_keys == other.provided_keys),
            ("circuits", self.circuits == other.circuits),
            ("circuits_per_peer", self.circuits_per_peer == other.circuits_per_peer),
            ("reservations", self.reservations == other.reservations),
            ("circuit_duration_secs", self.circuit_duration == other.circuit_duration),
            ("circuit_bytes", self.circuit_bytes == other.circuit_bytes),
            ("queries", self.queries == other.queries),
        ];
        pairs.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}

impl Config {
    /// Defaults of a peer that is no hub.
    #[must_use]
    pub fn peer() -> Self {
        Self {
            role: Role::Peer,
            agent: concat!("tincan/", env!("CARGO_PKG_VERSION"), " (native)").into(),
            kad_protocol: "/tincan/kad/1.0.0".into(),
            kad_server: true,
            listen: Vec::new(),
            external: Vec::new(),
            bootstrap: Vec::new(),
            nick: None,
            rejoin: true,
            deny: Vec::new(),
            deny_ranges: Vec::new(),
            trusted_proxies: Vec::new(),
            all_addresses: true,
            ping_interval: Duration::from_secs(10),
            limits: Limits::peer(),
        }
    }

    /// Defaults of a peer inside a page: a Kademlia client, as nobody can dial it yet.
    #[must_use]
    pub fn page() -> Self {
        Self {
            agent: concat!("tincan/", env!("CARGO_PKG_VERSION"), " (web)").into(),
            kad_server: false,
            all_addresses: false,
            ..Self::peer()
        }
    }

    /// Defaults of a hub.
    #[must_use]
    pub fn hub() -> Self {
        let mut config = Self { role: Role::Hub, ..Self::peer() };
        (config.limits.connections, config.limits.connections_per_source) = (4096, 1024);
        config
    }
}
