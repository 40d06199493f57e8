//! What a room wants done.

use libp2p::PeerId;

use super::frame::Frame;
use crate::{Change, Event};

/// What a room asks its node to do.
#[derive(Debug, Clone, PartialEq)]
pub enum RoomOutput {
    /// Hand this payload to the room's topic.
    Publish(Vec<u8>),
    /// Tell the listeners.
    Emit(Box<Event>),
    /// Store this, together with the others of the same call.
    Store(Change),
    /// Nicks or counts changed: describe the room anew.
    Changed,
    /// A line was said just now: for bridges, which take it to another network.
    Spoken(Box<Frame>),
    /// Somebody else's frame was new: it has been here, whoever handed it over.
    Signed(PeerId),
    /// The line before one that this peer handed over is missing: ask this peer for it, and others who may have it.
    Gap(PeerId),
    /// Ask those who are there whether they have our last lines.
    AskReceipts,
}
