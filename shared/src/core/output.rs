//! What the core wants done.

use libp2p::{
    Multiaddr, PeerId,
    gossipsub::{MessageAcceptance, MessageId},
    swarm::ConnectionId,
};
use n0_future::time::Instant;
use tincan_webrtc::signalling::OfferId;

use crate::{
    Change, Event,
    hub::wire::{FromHub, Watch},
    room::sync::Question,
    room_id::RoomId,
};

/// A dial of the core's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DialId(pub(crate) u64);

/// One thing to do. They are done in order.
#[derive(Debug)]
pub(crate) enum Output {
    /// Tell the listeners.
    Emit(Event),
    /// Store these together.
    Store(Vec<Change>),
    /// Take part in a room's topic.
    Subscribe(RoomId),
    /// No longer.
    Unsubscribe(RoomId),
    /// Say this in a room's topic.
    Publish { room: RoomId, payload: Vec<u8> },
    /// What to do with a payload from gossip.
    Validated { id: MessageId, from: PeerId, acceptance: MessageAcceptance },
    /// Say a line on the host's other network.
    SayElsewhere { room: String, text: String },
    /// Dial; [`super::Input::Connected`] or [`super::Input::DialFailed`] follows.
    Dial(Dial),
    /// Close all connections of a peer, and dials to it.
    Disconnect(PeerId),
    /// Close one connection.
    Close(ConnectionId),
    /// Ask for an answer on one connection; [`super::Input::Probed`] follows, unless the connection ends.
    Probe { peer: PeerId, connection: ConnectionId },
    /// Let a peer in no longer, and close what it has.
    Block(PeerId),
    /// Let it in again.
    Unblock(PeerId),
    /// Nothing dials a peer until then.
    StayAway { peer: PeerId, until: Instant },
    /// This peer, or everybody, may be dialled again.
    ForgetStayAway(Option<PeerId>),
    /// Reserve a place at a relay; [`super::Input::ReservationUp`] or [`super::Input::ReservationDown`] follows.
    Reserve { hub: PeerId, address: Multiaddr },
    /// Give it up.
    Unreserve(PeerId),
    /// Whether to take a direct connection that is offered.
    AnswerOffer { offer: OfferId, is_taken: bool },
    /// New rules are in force, for what the transports and protocols decide themselves.
    ApplyRules,
    /// A peer keeps records for others; it says that it is at `told`, and its connections show `in_use`.
    KeepsRecords { peer: PeerId, told: Vec<Multiaddr>, in_use: Vec<Multiaddr> },
    /// A peer may store records here.
    AdmitToStore { peer: PeerId, address: Multiaddr },
    /// No longer.
    DismissFromStore(PeerId),
    /// Open our stream to a hub.
    OpenHub { hub: PeerId, serial: u64 },
    /// Tell a hub which rooms we want to know about; replaces what is not written yet.
    WatchRooms { hub: PeerId, watch: Watch },
    /// Close our stream to a hub.
    CloseHub { hub: PeerId, serial: u64 },
    /// Tell a watcher something. No more of them are on their way than its stream takes.
    TellWatcher { peer: PeerId, serial: u64, message: FromHub },
    /// Close a watcher's stream.
    DropWatcher { peer: PeerId, serial: u64 },
    /// Ask a peer for frames; [`super::Input::Answered`] follows.
    Ask { peer: PeerId, question: Question },
}

/// A dial to begin.
#[derive(Debug, Clone)]
pub(crate) struct Dial {
    pub(crate) id: DialId,
    /// Nobody else shall answer; unknown when only an address is.
    pub(crate) peer: Option<PeerId>,
    pub(crate) addresses: Vec<Multiaddr>,
    pub(crate) unless: Unless,
    /// Whether the host starts the addresses one after another, none waiting for another to fail.
    pub(crate) staggered: bool,
}

/// When a dial is not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unless {
    Never,
    Connected,
    ConnectedOrDialling,
}
