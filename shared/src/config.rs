//! Everything that can be set, and the bounds of what travels. Those that an operator may change are in `limits.rs`.

use std::time::Duration;

use ipnet::IpNet;
use libp2p::{Multiaddr, PeerId};

use crate::Limits;

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
/// A room with more others than this is large: gossip carries no presences there, hubs hand them over, and tell of changes
/// less often. Not above [`MAX_LISTED_MEMBERS`], since only members that are listed are handed over.
pub const LARGE_ROOM: usize = MAX_LISTED_MEMBERS;
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
        Self { role: Role::Hub, limits: Limits::hub(), ..Self::peer() }
    }
}
