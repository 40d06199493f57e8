//! The messages of Tincan's own protocols that are written or read here by hand; see `docs/wire.md`.

use libp2p::StreamProtocol;

/// Hubs listen here.
pub(crate) const HUB: StreamProtocol = StreamProtocol::new("/tincan/hub/1.0.0");
/// Everybody listens here.
pub(crate) const SYNC: StreamProtocol = StreamProtocol::new("/tincan/sync/1.0.0");

/// Peer to hub: the rooms it wants to know about.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Watch {
    #[prost(string, repeated, tag = "1")]
    pub(crate) rooms: Vec<String>,
}

/// A question of `/tincan/sync/1.0.0`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Question {
    #[prost(string, tag = "1")]
    pub(crate) room: String,
    /// Whole frames that the other side wanted.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(crate) give: Vec<Vec<u8>>,
}

/// What is answered to one.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Answer {
    /// Whole frames that the asker lacks.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) frames: Vec<Vec<u8>>,
}

/// A frame, behind its two first bytes.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Envelope {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) signed: Vec<u8>,
}

/// Of what its author signed, the kind.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Signed {
    #[prost(uint32, tag = "6")]
    pub(crate) kind: u32,
}

/// [`Signed::kind`] of a presence.
pub(crate) const PRESENCE: u32 = 2;
