//! The event loop: the one owner of swarm, rooms and replies. It never awaits anybody inside a turn.

mod bridge;
mod commands;
mod dials;
mod follow;
mod foreign;
mod gather;
mod hubs;
mod listeners;
mod network;
mod patience;
mod publish;
mod records;
mod refusals;
mod rooms;
mod start;
mod status;
mod stored;
mod syncs;
mod turned_away;
mod wording;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use futures::StreamExt;
use libp2p::{Multiaddr, PeerId, Swarm, core::Endpoint, identity::Keypair, swarm::ConnectionId};
use n0_future::time::{self, Instant};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::{
    Change, Config, Counters, Event, HostBehaviour, PeerInfo, Role, RoomInfo, Storage,
    access::Access,
    behaviour::{Behaviour, heartbeat},
    bridge::Bridge,
    command::Command,
    foreign::Budget,
    hub::{carrier::Carrier, desk::Desk, looks::Looks, members::Members, reasons::Reasons, wire},
    links::Links,
    listeners::Listeners,
    pending::Pending,
    records::Publisher,
    room::{Me, Now, Room, SavedRoom, frame::Prefix},
    streams::{Input, Streams},
};

pub(crate) use gather::MAX_ROOMS_PER_PEER;
pub use wording::innermost_reason;

/// How often frames past their hour are dropped.
const EXPIRE_EVERY: Duration = Duration::from_secs(30);
/// How long the swarm still runs after a shutdown, so that what was published leaves the machine.
const SHUTDOWN_LINGER: Duration = Duration::from_millis(300);
/// How long a hub stream that ended is not opened again.
const HUB_STREAM_WAIT: Duration = Duration::from_secs(1);
/// After a first sync a second one: until the mesh has formed, which takes two heartbeats of a hub, lines pass by.
const MESH_FORMS: Duration = Duration::from_millis(600);
/// A slow peer is synced with at most this often.
const SLOW_EVERY: Duration = Duration::from_secs(5);

/// A connected peer.
struct Connected {
    info: PeerInfo,
    identified: bool,
    /// Whether it is a hub that greeted us and did not tell us to stay away.
    welcome: bool,
    /// Whether it lists `/tincan/sync/1.0.0` in identify.
    syncs: bool,
    /// Whether the person or operator of this node had it dialled.
    chosen: bool,
    connections: Vec<(ConnectionId, Multiaddr, Endpoint)>,
}

/// This node's stream to a hub it is connected to.
enum HubStream {
    Opening { serial: u64 },
    Open { serial: u64, tell: mpsc::Sender<wire::Watch>, told: Option<wire::Watch>, greeted: bool },
    Waiting { until: Instant },
}

pub(crate) struct Actor<B: HostBehaviour> {
    config: Config,
    keypair: Keypair,
    me: PeerId,
    nick: String,
    now_ms: fn() -> u64,
    swarm: Swarm<Behaviour<B>>,
    inbox: mpsc::Receiver<Command>,
    events: broadcast::Sender<Event>,
    storage: Box<dyn Storage>,
    streams: Streams,
    inputs: mpsc::Receiver<Input>,
    listening: Vec<Multiaddr>,
    listeners: Listeners,
    peers: BTreeMap<PeerId, Connected>,
    rooms: BTreeMap<String, Room>,
    /// Rooms of earlier runs that we are not in.
    stored: BTreeMap<String, SavedRoom>,
    /// What was last said about each room, to say it again only when it changed.
    described: HashMap<String, RoomInfo>,
    patience: patience::Patience,
    changed: BTreeSet<String>,
    members: Members,
    looks: Looks,
    desk: Desk,
    /// When watchers are told on, and hubs asked on, whose streams took no more.
    tell_due: Option<Instant>,
    watchers: HashMap<PeerId, (u64, mpsc::Sender<wire::FromHub>)>,
    carrier: Carrier,
    bridge: Bridge,
    foreign: Budget,
    hubs: HashMap<PeerId, HubStream>,
    reasons: Reasons,
    /// Syncs under way.
    asking: HashMap<(PeerId, String), syncs::Asking>,
    /// Syncs that wait until the peer has said whether it knows the protocol.
    unasked: BTreeSet<(PeerId, String)>,
    /// Syncs to be repeated, since a room's mesh takes a moment to form.
    resyncs: BTreeMap<(PeerId, String), Instant>,
    /// When a room's gaps were, or will be, asked about.
    gaps: HashMap<String, Instant>,
    /// What syncs brought and is still to be merged.
    unmerged: VecDeque<syncs::Unmerged>,
    /// What we told a peer that we want of a room.
    wanted: HashMap<(PeerId, String), BTreeSet<Prefix>>,
    /// When we last synced with a slow peer.
    slow: HashMap<PeerId, Instant>,
    access: Access,
    /// Peers about to be cut off, and those to be let in again.
    refusals: Vec<refusals::Refusal>,
    pardons: Vec<(Instant, PeerId)>,
    counters: Counters,
    links: Links,
    finds: dials::Finds,
    pending: Pending,
    publisher: Publisher,
    /// When changes in the record store are written.
    save_due: Option<Instant>,
    status: Option<status::Known>,
    expire_due: Instant,
    stopping: Option<oneshot::Sender<()>>,
}

impl<B: HostBehaviour> Actor<B> {
    pub(crate) async fn run(mut self) {
        self.tick(true);
        while self.stopping.is_none() {
            let deadline = self.deadline();
            // Fair on purpose: a flood of commands or streams must not keep the swarm waiting.
            tokio::select! {
                command = self.inbox.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                Some(input) = self.inputs.recv() => self.input(input),
                event = self.swarm.select_next_some() => self.network(event),
                () = time::sleep_until(deadline) => {}
            }
            let due = deadline <= self.now().instant;
            self.tick(due);
        }
        let end = self.now().instant + SHUTDOWN_LINGER;
        let left = |now: Instant| end.saturating_duration_since(now);
        while !left(self.now().instant).is_zero() {
            let event = time::timeout(left(self.now().instant), self.swarm.select_next_some()).await;
            drop(event);
        }
        for peer in self.peers.keys().copied().collect::<Vec<_>>() {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let now = self.now().instant;
        while self.save_due.is_some() || self.kad().store_mut().has_changes() {
            self.save_records(now);
        }
        self.emit(Event::Stopped);
        let stopping = self.stopping.take();
        // Storage flushes when dropped; only then is the caller told.
        drop(self);
        if let Some(reply) = stopping {
            let _ = reply.send(());
        }
    }

    /// Everything that is due. `all` also looks at what only a deadline brings.
    fn tick(&mut self, all: bool) {
        let now = self.now();
        if all {
            if self.expire_due <= now.instant {
                self.expire_due = now.instant + EXPIRE_EVERY;
                self.announce_bridge();
                self.reap_records();
            }
            for name in self.rooms.keys().cloned().collect::<Vec<_>>() {
                self.with_room(&name, |room, _, now, out| room.tick(now, out));
                self.flush(&name);
            }
            self.rest_patient();
            self.reopen_hub_streams(now.instant);
            self.repeat_syncs(now.instant);
            self.cut_off(now.instant);
            self.reopen_listeners(now.instant);
            self.bridge_due();
            self.tell_reasons(now.instant);
        }
        self.merge_next(now.instant);
        if self.look_due().is_some_and(|at| at <= now.instant) {
            self.look_at_members();
        } else if self.tell_due.is_some_and(|at| at <= now.instant) {
            self.tell_on();
        }
        self.dial_links(now.instant);
        self.publish_due(now.instant);
        self.save_soon(now.instant);
        self.describe_rooms();
        self.describe_status();
    }

    /// When the loop turns at the latest. gossipsub's heartbeat re-arms its timer without asking to be woken, so
    /// an idle swarm would stop beating: the loop looks at it in time.
    fn deadline(&self) -> Instant {
        let rooms = self.rooms.values().filter_map(Room::deadline);
        let hubs = self.hubs.values().filter_map(|hub| match hub {
            HubStream::Waiting { until } => Some(*until),
            _ => None,
        });
        let access = self.refusals.iter().map(|refusal| refusal.until).chain(self.pardons.iter().map(|(at, _)| *at));
        let resyncs = self.resyncs.values().copied();
        let single = [
            self.look_due(),
            self.tell_due,
            self.reasons.deadline(),
            self.links.deadline(),
            self.pending.deadline(),
            self.bridge.deadline(),
            self.unmerged_due(),
            self.listeners.deadline(),
            self.publisher.deadline(),
            self.save_due,
            self.patience.deadline(),
        ];
        rooms
            .chain(hubs)
            .chain(access)
            .chain(resyncs)
            .chain(single.into_iter().flatten())
            .chain([self.expire_due])
            .fold(self.now().instant + heartbeat(self.config.role), Instant::min)
    }

    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clocks")]
    fn now(&self) -> Now {
        Now { instant: Instant::now(), unix_ms: (self.now_ms)() }
    }

    fn is_hub(&self) -> bool {
        self.config.role == Role::Hub
    }

    fn emit(&self, event: Event) {
        // Fails only when nobody listens.
        let _ = self.events.send(event);
    }

    fn store(&mut self, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.storage.write(changes);
        }
    }

    fn me(&self) -> Me<'_> {
        Me { keypair: &self.keypair, nick: &self.nick, bridge: self.bridges() }
    }
}
