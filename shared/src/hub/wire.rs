//! `/tincan/hub/1.0.0`: one long-lived stream from a peer to its hub; byte by byte in `docs/wire.md`.

use libp2p::StreamProtocol;

use crate::config::MAX_LISTED_MEMBERS;

/// The protocol's name. Only hubs accept it, so it also tells who is one.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/tincan/hub/1.0.0");
/// Bytes of one message either way.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// Code of the [`Reason`] given to the later one of two programs with one key.
pub(crate) const TWIN: &str = "twin";
/// Members read of one report, of those who joined and of those who left. A hub sends at most `MAX_LISTED_MEMBERS`.
pub(crate) const MAX_NAMES: usize = 256;
/// Presences read of one report.
pub(crate) const MAX_PRESENCES: usize = 64;
// One more is listed than told, since the asker is left out.
const _: () = assert!(MAX_LISTED_MEMBERS < MAX_NAMES && MAX_LISTED_MEMBERS < MAX_PRESENCES, "reports would lose names");

/// From the peer: the rooms it wants to know about, all of them, each time.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(crate) struct Watch {
    #[prost(string, repeated, tag = "1")]
    pub(crate) rooms: Vec<String>,
    /// Only members among the hub's own peers: what hubs ask of each other.
    #[prost(bool, tag = "2")]
    pub(crate) local_only: bool,
}

/// From the hub: one of these.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(crate) struct FromHub {
    #[prost(message, optional, tag = "1")]
    pub(crate) hello: Option<Hello>,
    #[prost(message, optional, tag = "2")]
    pub(crate) report: Option<Report>,
    #[prost(message, optional, tag = "3")]
    pub(crate) reason: Option<Reason>,
}

/// First of all: the hub's clock, and what it takes of one peer.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(crate) struct Hello {
    #[prost(uint64, tag = "1")]
    pub(crate) time_ms: u64,
    /// Frames a second that were not seen before.
    #[prost(uint32, tag = "2")]
    pub(crate) frames_per_second: u32,
    /// Bytes of these a second.
    #[prost(uint32, tag = "3")]
    pub(crate) bytes_per_second: u32,
}

/// Joins and leaves in one room at one hub since the last report of them on this stream.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(crate) struct Report {
    #[prost(string, tag = "1")]
    pub(crate) room: String,
    /// Whose peers: this hub's, or one's it is connected to.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) hub: Vec<u8>,
    /// Members there, listed or not, the asker left out.
    #[prost(uint32, tag = "3")]
    pub(crate) total: u32,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(crate) joined: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub(crate) left: Vec<Vec<u8>>,
    /// How many of the total list no `/tincan/sync/1.0.0`: they use another program.
    #[prost(uint32, tag = "6")]
    pub(crate) foreign: u32,
    /// Of a large room: signed presences of members that are listed, as far as they are new since the last report.
    #[prost(bytes = "vec", repeated, tag = "7")]
    pub(crate) presences: Vec<Vec<u8>>,
}

/// Said before a hub refuses or closes.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(crate) struct Reason {
    /// For programs.
    #[prost(string, tag = "1")]
    pub(crate) code: String,
    /// For people.
    #[prost(string, tag = "2")]
    pub(crate) text: String,
}

impl From<Hello> for FromHub {
    fn from(hello: Hello) -> Self {
        Self { hello: Some(hello), ..Self::default() }
    }
}

impl From<Report> for FromHub {
    fn from(report: Report) -> Self {
        Self { report: Some(report), ..Self::default() }
    }
}

impl From<Reason> for FromHub {
    fn from(reason: Reason) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }
}
