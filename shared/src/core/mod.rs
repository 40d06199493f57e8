//! What a node decides: [`Input`]s and the time in, [`Output`]s out. It touches no swarm, stream, disk or clock.
//!
//! The [actor](crate::actor) translates between it and the network; the simulator runs many of it in virtual time. So
//! that a run can be repeated, nothing here iterates over a `HashMap`, and randomness comes from one seeded generator.
//!
//! | part | what it knows and decides |
//! |---|---|
//! | `peers` | who is connected, how, and subscribed to what |
//! | `links` (beside this folder) | whom to stay connected to, and when to dial again |
//! | `hub` (beside this folder) | who is where: what hubs say, what this hub tells and carries |
//! | `room` (beside this folder) | one room: frames, their order, what waits and what is kept |
//! | `syncs` | who is asked for frames, when, and what is taken |
//! | `access`, `refusals` | who may stay |
//!
//! The other files here lead from one to the next, each for a subject.

#[cfg(feature = "sim")]
mod bounds;
mod bridge;
mod budget;
mod carry;
mod clock;
mod commands;
mod connections;
mod deadlines;
mod describing;
mod dialling;
mod dials;
mod direct;
mod doubles;
mod follow;
mod foreign;
mod gaps;
mod hub_stream;
mod hubs;
mod input;
mod look;
mod output;
mod patience;
mod peers;
mod refusals;
mod refusing;
mod rooms;
mod saying;
mod second_connections;
mod starting;
mod status;
mod stored;
mod subscriptions;
mod syncing;
mod syncs;
mod telling;
mod turned_away;
mod validate;
mod watchers;
mod wrong_clock;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use libp2p::{PeerId, identity::Keypair};
use n0_future::time::Instant;
use rand::{RngExt, rngs::SmallRng};

pub(crate) use self::{
    input::{Connection, DialFailure, Identified, Input, Payload, TurnedAway},
    output::{Dial, DialId, Output, Unless},
    subscriptions::MAX_ROOMS_PER_PEER,
    watchers::TELL_QUEUE,
};
use crate::{
    Change, Config, Counters, Event, Role, RoomInfo, Saved,
    access::{Access, Budgets},
    bridge::Bridge,
    config::DEFAULT_NICK,
    direct::Direct,
    foreign::Budget,
    hub::{carrier::Carrier, desk::Desk, looks::Looks, members::Members, reasons::Reasons},
    links::Links,
    room::{self, Now, Room, SavedRoom},
    room_id::RoomId,
    timers::Timers,
};
use clock::Clock;
use dials::Dials;
use doubles::Doubles;
use hub_stream::HubStream;
use patience::Patience;
use peers::Peers;
use refusals::Refusals;
use subscriptions::Subscriptions;
use syncs::Syncs;
use watchers::Watchers;

/// How often frames past their hour are dropped.
const EXPIRE_EVERY: Duration = Duration::from_secs(30);
/// Where the nick is stored.
const NICK: &str = "nick";

/// One node's decisions.
pub(crate) struct Core {
    config: Config,
    keypair: Keypair,
    me: PeerId,
    nick: String,
    /// Whether the host speaks for another network of rooms.
    bridges: bool,
    /// This machine's addresses, as far as this node listens on them.
    own_ips: Vec<IpAddr>,
    /// When the input that is being handled came.
    now: Now,
    rng: SmallRng,
    out: Vec<Output>,
    peers: Peers,
    subscriptions: Subscriptions,
    links: Links,
    dials: Dials,
    doubles: Doubles,
    direct: Direct,
    /// Whether direct connections are arranged.
    arranges: bool,
    rooms: BTreeMap<RoomId, Room>,
    /// Rooms of earlier runs that we are not in.
    stored: BTreeMap<String, SavedRoom>,
    /// What was last said about each room, to say it again only when it changed.
    described: BTreeMap<RoomId, RoomInfo>,
    /// Rooms to be described anew.
    changed: BTreeSet<RoomId>,
    /// Rooms where members or those who would forward changed since the last look.
    touched: BTreeSet<RoomId>,
    /// When each room has something to do.
    room_timers: Timers<RoomId>,
    patience: Patience,
    members: Members,
    looks: Looks,
    desk: Desk,
    watchers: Watchers,
    carrier: Carrier,
    /// Whether all rooms are to be looked at anew, since limits have changed.
    recarry: bool,
    bridge: Bridge,
    /// Who is in which room on the host's other network.
    attending: BTreeSet<(PeerId, RoomId)>,
    foreign: Budget,
    hubs: BTreeMap<PeerId, HubStream>,
    /// Serial number of the last hub stream that was opened.
    serial: u64,
    reasons: Reasons,
    syncs: Syncs,
    access: Access,
    budgets: Budgets,
    refusals: Refusals,
    clock: Clock,
    counters: Counters,
    status: Option<status::Known>,
    expire_due: Instant,
}

impl Core {
    /// What is to be done before anything has happened.
    pub(crate) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// Takes in what happened, and says what to do.
    pub(crate) fn handle(&mut self, input: Input, now: Now) -> Vec<Output> {
        let is_due = self.deadline() <= now.instant;
        self.now = now;
        self.compare_clocks();
        match input {
            Input::Command(command) => self.command(command),
            Input::Connected(connection) => self.connected(connection),
            Input::Disconnected { peer, connection, left } => self.disconnected(peer, connection, left),
            Input::DialFailed { dial, failure, reason } => self.dial_failed(dial, failure, reason),
            Input::Identified { peer, identity } => self.identified(peer, identity),
            Input::NotIdentified { peer } => self.not_identified(peer),
            Input::Pinged { peer, connection, round_trip } => self.pinged(peer, connection, round_trip),
            Input::Probed { peer, connection, is_answered } => self.probed(peer, connection, is_answered),
            Input::Discovered(found) => self.discovered(found),
            Input::Expired(gone) => self.expired(gone),
            Input::Subscribed { peer, room } => self.subscribed(peer, &room),
            Input::Unsubscribed { peer, room } => self.unsubscribed(peer, &room),
            Input::Gossip(payload) => self.gossip(payload),
            Input::SlowPeer { peer } => self.slow_peer(peer),
            Input::TurnedAway(what) => self.count_turned_away(what),
            Input::Reserved { peer } => self.reserved(peer),
            Input::ReservationDenied { peer } => self.reservation_denied(peer),
            Input::ReservationUp { hub } => self.reservation_up(hub),
            Input::ReservationDown { hub } => self.unreserved(hub),
            Input::Offered { peer, offer } => self.offered(peer, offer),
            Input::WatcherOpened { peer, serial } => self.watcher_opened(peer, serial),
            Input::Watch { peer, serial, watch } => self.watched(peer, serial, watch),
            Input::WatcherTook { peer, serial, messages } => self.watcher_took(peer, serial, messages),
            Input::WatcherClosed { peer, serial } => self.watcher_closed(peer, serial),
            Input::HubOpened { hub, serial } => self.hub_opened(hub, serial),
            Input::FromHub { hub, serial, message } => self.hub_said(hub, serial, message),
            Input::HubClosed { hub, serial } => self.hub_closed(hub, serial),
            Input::Asked { peer, question, reply } => self.asked(peer, question, reply),
            Input::Answered { peer, room, answer } => self.synced(peer, &RoomId::from(room), answer),
            Input::Listening(ips) => self.own_ips = ips,
            Input::Attending(attending) => self.attend(attending),
            Input::Elsewhere(line) => self.elsewhere(line),
            Input::Tick => {}
        }
        self.turn(is_due);
        self.take_outputs()
    }

    /// How long [`Self::handle`] took, if it looked at who is where: the longer, the rarer that is.
    pub(crate) fn took(&mut self, time: Duration, now: Instant) {
        self.looks.took(time, now);
    }

    /// Everything that is due. `all` also looks at what only a deadline brings.
    fn turn(&mut self, all: bool) {
        let now = self.now.instant;
        if all {
            if self.expire_due <= now {
                self.expire_due = now + EXPIRE_EVERY;
                self.announce_bridge();
                // Frames past their hour go.
                for room in self.rooms.keys() {
                    self.room_timers.set(room, Some(now));
                }
            }
            self.tick_rooms();
            self.serve_paced();
            self.reopen_hub_streams();
            self.ask_again();
            self.cut_off();
            self.close_doubles();
            self.bridge_due();
            self.tell_reasons();
        }
        self.merge_next();
        if self.look_due().is_some_and(|at| at <= now) {
            self.look();
        }
        if self.desk.is_due(now) {
            self.tell_watchers();
        }
        self.dial_links();
        self.keep_direct();
        self.describe_rooms();
        self.describe_status();
    }

    pub(crate) fn me(&self) -> PeerId {
        self.me
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn nick(&self) -> &str {
        &self.nick
    }

    fn is_hub(&self) -> bool {
        self.config.role == Role::Hub
    }

    /// A random number in 0..1.
    fn spread(&mut self) -> f64 {
        self.rng.random()
    }

    fn emit(&mut self, event: Event) {
        self.out.push(Output::Emit(event));
    }
}

#[cfg(test)]
mod test_node;
#[cfg(test)]
#[path = "trust_tests.rs"]
mod trust_tests;
