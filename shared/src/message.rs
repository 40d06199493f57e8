//! A line of chat as listeners get it.

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Said, and nobody was there: it goes out when somebody appears.
    Waiting,
    /// Our own, sent.
    Sent,
    /// Somebody else's.
    Received,
}

/// One line in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The room.
    pub room: String,
    /// Unique in the room: hex of the frame's id, or a name of its own for a waiting or plain line.
    pub id: String,
    /// Who signed it: the author, the bridge that brought the line, or for plain lines gossipsub's source.
    pub from: PeerId,
    /// The author's nick; empty for plain and bridged lines of others; neutralise before showing.
    pub nick: String,
    /// What was said; neutralise before showing.
    pub text: String,
    /// The author's clock, unix time in milliseconds.
    pub time_ms: u64,
    /// Orders one author's lines; 0 for waiting, plain and bridged lines.
    pub sequence: u64,
    /// Where it stands.
    pub state: MessageState,
    /// From another program: unsigned by Tincan.
    pub plain: bool,
    /// From a newer Tincan: a kind this one cannot show.
    pub newer: bool,
    /// Who said it on another network, as the bridge `from` claims: nobody can check it, so never show the line as
    /// that peer's. A peer id in base58, or hexadecimal digits. Nothing for lines that `from` said itself.
    #[serde(default)]
    pub claimed_source: Option<String>,
}

/// What became of [`crate::Node::say`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Said {
    /// Signed and handed to the network.
    Sent {
        /// Members known in the room.
        members: u32,
        /// The message's id.
        id: String,
    },
    /// Kept until somebody appears.
    Queued {
        /// The message's id while it waits.
        id: String,
    },
}
