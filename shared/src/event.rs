//! The words a node speaks to its listeners: plain data, the same for terminal, HTTP and page.

use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};

use crate::Message;

/// Something that happened, in the order it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The node listens on one more address.
    Listening {
        /// Without the trailing `/p2p/<id>`.
        address: Multiaddr,
    },
    /// The state of the line to the network changed.
    Status(Status),
    /// A hub or peer to stay connected to cannot be reached; dialling goes on. Told once for each reason, until it is
    /// reached.
    Unreachable {
        /// One of its addresses.
        address: Multiaddr,
        /// Why, and what to do; in words.
        reason: String,
    },
    /// A peer connected.
    PeerUp(PeerInfo),
    /// Something about a connected peer changed: identified, measured, another path.
    PeerChanged(PeerInfo),
    /// The last connection to a peer closed.
    PeerDown {
        /// Who.
        peer: PeerId,
    },
    /// A peer answered a ping.
    Pong {
        /// Who.
        peer: PeerId,
        /// Round-trip time in microseconds.
        rtt_us: u64,
    },
    /// Discovery on the local network found an address of a peer.
    Discovered {
        /// Who.
        peer: PeerId,
        /// Where.
        address: Multiaddr,
    },
    /// A discovered address was not heard of for its time to live. Never disconnects anybody.
    Expired {
        /// Who.
        peer: PeerId,
        /// Where.
        address: Multiaddr,
    },
    /// Members, nicks or counts of a joined room changed, or a room was joined.
    Room(RoomInfo),
    /// A room was left.
    Left {
        /// Which.
        room: String,
    },
    /// A line for the screen: of others, or one's own.
    Message(Message),
    /// A waiting line was signed and sent. The message has a new id from now on.
    Sent {
        /// Its id while it waited.
        waiting_id: String,
        /// The line as it was sent.
        message: Message,
    },
    /// A hub or a member is known to have lines of ours that nobody was known to have before, or where nobody can tell,
    /// they were sent long enough ago; see [`crate::Node::settle`].
    Taken {
        /// Where they were said.
        room: String,
        /// How many sent lines of ours there nobody is known to have yet.
        pending: u32,
    },
    /// A hub or this node's access refused a peer.
    Refused {
        /// Who was refused, or who refused us.
        peer: PeerId,
        /// In words.
        reason: String,
        /// Whether the connection is closed with it: without, a hub only does not do one thing, like carrying one more
        /// room.
        #[serde(default)]
        closes: bool,
    },
    /// This machine's clock differs from a hub's by more than frames tolerate. Lines wait until it is right.
    ClockWrong {
        /// Ours minus theirs, in milliseconds.
        offset_ms: i64,
    },
    /// It does so no longer.
    ClockRight,
    /// Another program runs with this node's key: what is said may reach only one of the two. A hub tells it to the later of the
    /// two, which is not connected to that hub again until [`Node::retry`](crate::Node::retry) or a new start.
    RunsElsewhere,
    /// Lines may have been lost on the way to or from a slow peer; a sync was asked for.
    Slow {
        /// Who could not keep up.
        peer: PeerId,
    },
    /// This listener was too slow and missed events: read the state anew.
    Lagged {
        /// How many.
        missed: u64,
    },
    /// The node has ended; nothing follows.
    Stopped,
}

/// How the node stands to the network as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Nobody connected, nobody being dialled.
    Offline,
    /// Dialling, or connected only to peers that are neither hubs that let us in nor, as far as is known yet, in a
    /// joined room.
    Connecting,
    /// A hub has let us in, or a member of a joined room is connected and identified.
    Online,
}

/// The state of the line to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// In one word.
    pub link: Link,
    /// Whether a hub is connected and has let us in.
    pub hub: bool,
    /// When offline: milliseconds until the next attempt, if one is planned.
    pub retry_in_ms: Option<u64>,
}

/// How a connection runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// From peer to peer.
    Direct,
    /// Over a relay's circuit, or known through a hub's gossip only.
    Relayed,
}

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// Who.
    pub peer: PeerId,
    /// The address it is connected by.
    pub address: Multiaddr,
    /// Whether it carries rooms and introduces peers.
    pub hub: bool,
    /// How the connection runs.
    pub path: Path,
    /// `tcp`, `quic`, `ws`, `wss`, `webrtc-direct`, `webrtc`, `circuit` or `memory`.
    pub transport: String,
    /// What it says it is; nothing until identified.
    pub agent: Option<String>,
    /// Last round-trip time in microseconds.
    pub rtt_us: Option<u64>,
    /// When it connected, unix time in milliseconds.
    pub since_ms: u64,
}

/// Somebody in a room, oneself excluded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub peer: PeerId,
    /// As last said in a presence or a message; neutralise before showing.
    pub nick: Option<String>,
    /// How we reach it.
    pub path: Path,
    /// Its connection's transport, or `gossip` when only a hub forwards between us.
    pub transport: String,
}

/// A joined room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInfo {
    /// Its name, which is its gossipsub topic; neutralise before showing.
    pub room: String,
    /// Whether its members may connect to us directly, and learn our addresses by that.
    pub direct: bool,
    /// Raw text only, for rooms of other programs.
    pub plain: bool,
    /// Not joined as plain, yet more of the others here use another program than Tincan: they see what is said from
    /// here as garbage until it is joined as plain.
    #[serde(default)]
    pub foreign: bool,
    /// Everybody known to be there, oneself excluded.
    pub members: Vec<Member>,
    /// How many are there, oneself excluded; above [`crate::config::MAX_LISTED_MEMBERS`] more than are listed.
    pub total: u32,
    /// Lines that wait to be sent.
    pub waiting: u32,
}

/// A room of an earlier run that this node is not in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRoom {
    /// Its name; neutralise before showing.
    pub room: String,
    /// Whether it was last joined as plain.
    pub plain: bool,
    /// Lines that wait there.
    pub waiting: u32,
}

/// What became of a PUT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutOutcome {
    /// The key.
    pub key: String,
    /// Peers that stored the record and said so. The first published Tincan says so even when it does not keep it.
    pub stored_on: u32,
    /// Peers that were asked to. 0 when there are none yet.
    #[serde(default)]
    pub asked: u32,
    /// Whether a copy is kept here.
    pub local: bool,
}

/// What became of a PUT_PROVIDER.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvideOutcome {
    /// The key.
    pub key: String,
    /// Peers that were told; the protocol has no acknowledgement.
    pub told: u32,
}

/// What a node says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Its peer id.
    pub peer_id: PeerId,
    /// Addresses it listens on or was told to announce, each with its `/p2p/<id>`.
    pub addresses: Vec<Multiaddr>,
    /// Those of them that it was told to announce: they are for everybody.
    pub external: Vec<Multiaddr>,
    /// Agent version as identify sends it.
    pub agent: String,
    /// Protocols of our own and of the network it speaks.
    pub protocols: Vec<String>,
    /// Its nick.
    pub nick: String,
}

/// By how much a clock differs from the hub's, and which way, as [`Event::ClockWrong`] tells it: `3 h 0 min ahead of
/// the hub's`.
#[must_use]
pub fn clock_difference(offset_ms: i64) -> String {
    let minutes = offset_ms.unsigned_abs() / 60_000;
    let way = if offset_ms > 0 { "ahead of" } else { "behind" };
    format!("{} h {} min {way} the hub's", minutes / 60, minutes % 60)
}
