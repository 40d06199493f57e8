//! `/tincan/sync/1.0.0`: two nodes that share a room tell each other what they lack. Byte by byte in `docs/wire.md`.
//!
//! Gossip is quick and forgets: who joins, reconnects or reads slowly misses lines. So every node keeps a room's last frames
//! (`ring.rs`), and two nodes compare them. The asker sends eight bytes of the name of each frame that it keeps. The answer
//! brings the frames that it lacks, and names those that the other side lacks; these it hands over in a second question. So
//! one exchange makes both equal, and where nothing is missing it costs eight bytes a frame and no signature. A node takes
//! only what it asked for: nobody can pour frames into a room.
//!
//! When to ask, and whom, is decided in `core/syncing.rs`: when a peer that one dialled subscribes, and again when gossip's
//! mesh has formed; on joining a room; when a line is missing; when a connection was too slow for gossip. An answer also
//! serves as a receipt: a line that it does not want was taken (`outbox.rs`).

use std::collections::BTreeSet;

use libp2p::StreamProtocol;

use super::{
    frame::{Frame, Prefix},
    ring::Ring,
};

/// The protocol's name.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/tincan/sync/1.0.0");
/// Bytes of one question or answer: all kept frames, all presences and their framing.
pub(crate) const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Prefixes taken from one question or answer: whatever a node keeps, and then some.
pub(crate) const MAX_PREFIXES: usize = 1024;
/// Frames taken from one question or answer.
pub(crate) const MAX_FRAMES: usize = 1024;

/// What is asked.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Question {
    #[prost(string, tag = "1")]
    pub(crate) room: String,
    /// Eight bytes each: what the asker keeps.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(crate) have: Vec<Vec<u8>>,
    /// What the answer to an earlier question wanted.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(crate) give: Vec<Vec<u8>>,
    /// The asked hub tells the asker of members: presences of a large room come with its reports.
    #[prost(bool, tag = "4")]
    pub(crate) is_told: bool,
}

/// What is answered.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Answer {
    /// Frames that the asker lacks.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) frames: Vec<Vec<u8>>,
    /// Eight bytes each: what the answerer lacks and the asker has.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(crate) want: Vec<Vec<u8>>,
}

/// The first question of an exchange. It also names what the asker does not want, or each answer would bring it.
pub(crate) fn ask(room: &str, ring: &Ring) -> Question {
    let named = ring.have().into_iter().chain(ring.unwanted()).take(MAX_PREFIXES).collect();
    Question { room: room.to_owned(), have: to_bytes(named), give: Vec::new(), is_told: false }
}

/// The second one, when the answer wants something.
pub(crate) fn give(room: &str, ring: &Ring, want: &[Vec<u8>]) -> Option<Question> {
    let wanted = prefixes(want);
    let give: Vec<Vec<u8>> = ring.pick(&wanted).map(|frame| frame.bytes.clone()).collect();
    (!give.is_empty()).then(|| Question { room: room.to_owned(), have: Vec::new(), give, is_told: false })
}

/// Answers a first question. `presences`: with those, too.
pub(crate) fn answer(ring: &Ring, theirs: &BTreeSet<Prefix>, presences: bool) -> Answer {
    let is_asked = |frame: &&Frame| presences || !frame.body.is_presence();
    Answer {
        frames: ring.lacking(theirs).filter(is_asked).map(|frame| frame.bytes.clone()).collect(),
        want: to_bytes(ring.want(theirs)),
    }
}

fn to_bytes(prefixes: Vec<Prefix>) -> Vec<Vec<u8>> {
    prefixes.into_iter().map(|prefix| prefix.to_vec()).collect()
}

/// Whatever has not eight bytes is passed over.
pub(crate) fn prefixes(bytes: &[Vec<u8>]) -> BTreeSet<Prefix> {
    bytes.iter().take(MAX_PREFIXES).filter_map(|bytes| Prefix::try_from(bytes.as_slice()).ok()).collect()
}
