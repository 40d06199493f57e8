//! What a frame says, by kind.

use libp2p::PeerId;
use prost::Message as _;

use super::frame_error::FrameError;
use crate::config::{MAX_NICK_BYTES, MAX_STATUS_BYTES, MAX_TEXT_BYTES};

const KIND_MESSAGE: u32 = 1;
pub(super) const KIND_PRESENCE: u32 = 2;
const KIND_BRIDGED: u32 = 3;
/// Bytes that name the source of a bridged line, and its number there.
const MAX_ORIGIN_BYTES: usize = 64;

/// Hubs that a presence names.
pub(crate) const MAX_RELAYS: usize = 2;
/// What a presence says of somebody who is there.
pub(super) const STATUS_HERE: &str = "here";

/// What it says of a node that brings lines from and to another network.
pub(super) const STATUS_BRIDGE: &str = "bridge";

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A line of chat.
    Message {
        /// The author's nick.
        nick: String,
        /// The line.
        text: String,
    },
    /// Who the author is to the room.
    Presence {
        /// The author's nick.
        nick: String,
        /// In a word.
        status: String,
        /// Hubs over which the author arranges direct connections with members of this room; none where it wants none.
        relays: Vec<PeerId>,
    },
    /// A line from a network without frames, brought in by the author of this one.
    Bridged {
        /// Who said it there: a binary peer id.
        source: Vec<u8>,
        /// The source's number for it, whatever that looks like there.
        number: Vec<u8>,
        /// The line.
        text: String,
    },
    /// A kind of a newer Tincan.
    Unknown,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MessageBody {
    #[prost(string, tag = "1")]
    nick: String,
    #[prost(string, tag = "2")]
    text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PresenceBody {
    #[prost(string, tag = "1")]
    nick: String,
    #[prost(string, tag = "2")]
    status: String,
    #[prost(bytes = "vec", repeated, tag = "3")]
    relays: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct BridgedBody {
    #[prost(bytes = "vec", tag = "1")]
    source: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    number: Vec<u8>,
    #[prost(string, tag = "3")]
    text: String,
}

impl Body {
    /// Whether it belongs to the conversation, and is kept in its order. What a newer Tincan says may.
    #[must_use]
    pub fn is_line(&self) -> bool {
        match self {
            Self::Message { .. } | Self::Bridged { .. } | Self::Unknown => true,
            Self::Presence { .. } => false,
        }
    }

    /// Whether it says who its author is now. Of each author only the latest is kept, apart from the lines, and members'
    /// have no age.
    #[must_use]
    pub fn is_presence(&self) -> bool {
        match self {
            Self::Presence { .. } => true,
            Self::Message { .. } | Self::Bridged { .. } | Self::Unknown => false,
        }
    }

    /// Its kind and bytes.
    pub(super) fn encode(&self) -> (u32, Vec<u8>) {
        match self {
            Self::Message { nick, text } => {
                (KIND_MESSAGE, MessageBody { nick: nick.clone(), text: text.clone() }.encode_to_vec())
            }
            Self::Presence { nick, status, relays } => {
                let relays = relays.iter().map(|relay| relay.to_bytes()).collect();
                (KIND_PRESENCE, PresenceBody { nick: nick.clone(), status: status.clone(), relays }.encode_to_vec())
            }
            Self::Bridged { source, number, text } => {
                let body = BridgedBody { source: source.clone(), number: number.clone(), text: text.clone() };
                (KIND_BRIDGED, body.encode_to_vec())
            }
            Self::Unknown => (0, Vec::new()),
        }
    }

    /// Reads it and checks its bounds.
    pub(super) fn read(kind: u32, body: &[u8]) -> Result<Self, FrameError> {
        let checked = |ok: bool, body: Self| if ok { Ok(body) } else { Err(FrameError::Malformed) };
        match kind {
            KIND_MESSAGE => {
                let MessageBody { nick, text } = MessageBody::decode(body).map_err(|_| FrameError::Malformed)?;
                let ok = nick.len() <= MAX_NICK_BYTES && (1..=MAX_TEXT_BYTES).contains(&text.len());
                checked(ok, Self::Message { nick, text })
            }
            KIND_PRESENCE => {
                let PresenceBody { nick, status, relays } =
                    PresenceBody::decode(body).map_err(|_| FrameError::Malformed)?;
                let ok = nick.len() <= MAX_NICK_BYTES && status.len() <= MAX_STATUS_BYTES;
                // What is no peer id, or one too many, is of a later Tincan.
                let relays =
                    relays.iter().take(MAX_RELAYS).filter_map(|relay| PeerId::from_bytes(relay).ok()).collect();
                checked(ok, Self::Presence { nick, status, relays })
            }
            KIND_BRIDGED => {
                let BridgedBody { source, number, text } =
                    BridgedBody::decode(body).map_err(|_| FrameError::Malformed)?;
                let origin = [&source, &number].iter().all(|part| (1..=MAX_ORIGIN_BYTES).contains(&part.len()));
                let ok = origin && (1..=MAX_TEXT_BYTES).contains(&text.len());
                checked(ok, Self::Bridged { source, number, text })
            }
            _ => Ok(Self::Unknown),
        }
    }
}
