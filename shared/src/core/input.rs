//! What happens to a node, as the core hears it.

use std::{net::IpAddr, time::Duration};

use libp2p::{Multiaddr, PeerId, StreamProtocol, gossipsub::MessageId, swarm::ConnectionId};
use tincan_webrtc::signalling::OfferId;
use tokio::sync::oneshot;

use super::output::DialId;
use crate::{
    command::Command,
    hub::wire::{FromHub, Watch},
    room::{
        Elsewhere,
        sync::{Answer, Question},
    },
};

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// A caller asks for something.
    Command(Command),
    /// A connection stands; its peer is authenticated.
    Connected(Connection),
    /// A connection is gone; so many of this peer's are left.
    Disconnected { peer: PeerId, connection: ConnectionId, left: u32 },
    /// A dial failed, or was not even begun.
    DialFailed { dial: DialId, failure: DialFailure, reason: String },
    /// A connected peer told what it is.
    Identified { peer: PeerId, identity: Identified },
    /// A connected peer does not tell what it is.
    NotIdentified { peer: PeerId },
    /// A connected peer answered a ping, or did not.
    Pinged { peer: PeerId, connection: ConnectionId, round_trip: Option<Duration> },
    /// A connection that was asked for an answer has given one, or was silent.
    Probed { peer: PeerId, connection: ConnectionId, is_answered: bool },
    /// Peers were found on the local network.
    Discovered(Vec<(PeerId, Multiaddr)>),
    /// Peers are no longer found there.
    Expired(Vec<(PeerId, Multiaddr)>),
    /// A peer subscribed to a room's topic.
    Subscribed { peer: PeerId, room: String },
    /// A peer unsubscribed.
    Unsubscribed { peer: PeerId, room: String },
    /// A payload of a room's topic; [`super::Output::Validated`] answers.
    Gossip(Payload),
    /// Gossip could not keep up with a peer, which missed messages.
    SlowPeer { peer: PeerId },
    /// Something was turned away by the transports or protocols themselves: it is only counted.
    TurnedAway(TurnedAway),
    /// A relay reservation was given to a peer.
    Reserved { peer: PeerId },
    /// A relay reservation was refused.
    ReservationDenied { peer: PeerId },
    /// A hub keeps a relay reservation for us.
    ReservationUp { hub: PeerId },
    /// It refused one, or keeps it no longer.
    ReservationDown { hub: PeerId },
    /// A peer offers a direct connection; [`super::Output::AnswerOffer`] answers.
    Offered { peer: PeerId, offer: OfferId },
    /// A peer opened its stream to this hub. A serial number tells an old stream from its successor.
    WatcherOpened { peer: PeerId, serial: u64 },
    /// It says what it wants to know.
    Watch { peer: PeerId, serial: u64, watch: Watch },
    /// So many messages were written to it.
    WatcherTook { peer: PeerId, serial: u64, messages: usize },
    /// Its stream ended.
    WatcherClosed { peer: PeerId, serial: u64 },
    /// Our stream to a hub is open.
    HubOpened { hub: PeerId, serial: u64 },
    /// The hub said something.
    FromHub { hub: PeerId, serial: u64, message: FromHub },
    /// Our stream to it ended, or never opened.
    HubClosed { hub: PeerId, serial: u64 },
    /// A peer asks for frames.
    Asked { peer: PeerId, question: Question, reply: oneshot::Sender<Answer> },
    /// A peer answered; without an answer it failed for good.
    Answered { peer: PeerId, room: String, answer: Option<Answer> },
    /// This node listens on these IP addresses: all of them.
    Listening(Vec<IpAddr>),
    /// Connected peers and the rooms they are in on the host's other network have changed: all of them.
    Attending(Vec<(PeerId, String)>),
    /// Somebody said a line there.
    Elsewhere(Elsewhere),
    /// A deadline has passed.
    Tick,
}

/// A connection that stands.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) peer: PeerId,
    pub(crate) id: ConnectionId,
    pub(crate) address: Multiaddr,
    /// Whether this node dialled it.
    pub(crate) is_dialled: bool,
    /// The dial of the core's that it came by.
    pub(crate) dial: Option<DialId>,
}

/// What a peer tells in identify.
#[derive(Debug, Clone)]
pub(crate) struct Identified {
    pub(crate) protocols: Vec<StreamProtocol>,
    pub(crate) agent: String,
    /// Where it listens.
    pub(crate) addresses: Vec<Multiaddr>,
}

/// What was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// A connection from a denied range.
    Range,
    /// A connection above a limit.
    Connection,
    /// A relay circuit.
    Circuit,
}

/// Which kind of failure ended a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialFailure {
    /// Nobody could be reached.
    Unreachable,
    /// Somebody else answers there.
    WrongPeer,
    /// This node ended it itself.
    Aborted,
    /// It was not begun: the peer is connected or being dialled.
    NotNeeded,
    /// It was not begun: the peer is blocked or told us to stay away.
    Denied,
}

/// A payload from gossip.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) id: MessageId,
    pub(crate) room: String,
    /// Who handed it over.
    pub(crate) from: PeerId,
    /// Who published it, by gossipsub's own signature.
    pub(crate) source: Option<PeerId>,
    /// The source's number for it.
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}
