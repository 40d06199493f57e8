//! The event loop: the one owner of swarm, storage and clocks. It translates what happens into the core's
//! [inputs](Input), does what its [outputs](crate::core::Output) say, and decides nothing. It never awaits anybody
//! inside a turn.

mod info;
mod listeners;
mod network;
mod perform;
mod publish;
mod records;
mod reservations;
mod start;
mod wording;

use std::{collections::HashMap, time::Duration};

use futures::StreamExt;
use libp2p::{Multiaddr, PeerId, Swarm, core::transport::ListenerId, swarm::ConnectionId};
use n0_future::time::{self, Instant};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::{
    Event, HostBehaviour, Storage,
    behaviour::{Behaviour, heartbeat},
    command::Command,
    core::{Core, DialId, Input},
    hub::wire,
    listeners::Listeners,
    pending::Pending,
    records::Publisher,
    room::Now,
    streams::{StreamEvent, Streams},
};

pub use wording::innermost_reason;

/// How long the swarm still runs after a shutdown, so that what was published leaves the machine.
const SHUTDOWN_LINGER: Duration = Duration::from_millis(300);
/// How often records past their time are dropped.
const REAP_EVERY: Duration = Duration::from_secs(30);

pub(crate) struct Actor<B: HostBehaviour> {
    core: Core,
    now_ms: fn() -> u64,
    swarm: Swarm<Behaviour<B>>,
    inbox: mpsc::Receiver<Command>,
    events: broadcast::Sender<Event>,
    storage: Box<dyn Storage>,
    streams: Streams,
    stream_events: mpsc::Receiver<StreamEvent>,
    /// Where watchers are told, by peer and number of the stream.
    watchers: HashMap<(PeerId, u64), mpsc::Sender<wire::FromHub>>,
    /// Where hubs are told what we want to know.
    hubs: HashMap<PeerId, (u64, watch::Sender<wire::Watch>)>,
    /// The core's dials that are under way.
    dials: HashMap<ConnectionId, DialId>,
    listening: Vec<Multiaddr>,
    listeners: Listeners,
    /// Listeners on circuits of relays where a place was asked for, by relay.
    reservations: HashMap<PeerId, ListenerId>,
    pending: Pending,
    publisher: Publisher,
    /// When records past their time are dropped next.
    reap_due: Instant,
    /// When changes in the record store are written.
    save_due: Option<Instant>,
    /// When peers are told that this node's addresses have changed.
    push_due: Option<Instant>,
    stopping: Option<oneshot::Sender<()>>,
}

impl<B: HostBehaviour> Actor<B> {
    pub(crate) async fn run(mut self) {
        self.do_due(self.now().instant);
        while self.stopping.is_none() {
            let deadline = self.deadline();
            // Fair on purpose: a flood of commands or streams must not keep the swarm waiting.
            tokio::select! {
                command = self.inbox.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                Some(event) = self.stream_events.recv() => self.stream_event(event),
                event = self.swarm.select_next_some() => self.network(event),
                () = time::sleep_until(deadline) => self.handle(Input::Tick),
            }
            self.do_due(self.now().instant);
        }
        self.stop().await;
    }

    /// What a caller asks: of what the swarm knows here, of everything else the core.
    fn command(&mut self, command: Command) {
        // A reply that cannot be delivered belongs to a caller that no longer waits.
        match command {
            Command::Info { reply } => drop(reply.send(self.info())),
            Command::Put { key, value, reply } => self.put(key, value, reply),
            Command::Get { key, reply } => self.get(&key, reply),
            Command::Provide { key, reply } => self.provide(key, reply),
            Command::Providers { key, reply } => self.providers(&key, reply),
            Command::Counters { reply } => drop(reply.send(self.counted())),
            Command::Shutdown { reply } => self.stopping = Some(reply),
            command => self.handle(Input::Command(command)),
        }
    }

    /// Lets the core decide, then does what it decided.
    fn handle(&mut self, input: Input) {
        let now = self.now();
        let outputs = self.core.handle(input, now);
        let after = self.now().instant;
        self.core.took(after.saturating_duration_since(now.instant), after);
        self.perform(outputs);
    }

    /// What is due and the actor's own: listeners and records.
    fn do_due(&mut self, now: Instant) {
        if self.core.deadline() <= now {
            // It may be overdue in a flood of other inputs.
            self.handle(Input::Tick);
        }
        if self.reap_due <= now {
            self.reap_due = now + REAP_EVERY;
            self.reap_records();
        }
        self.reopen_listeners(now);
        self.push_addresses(now);
        self.publish_due(now);
        self.save_soon(now);
    }

    /// When the loop turns at the latest. gossipsub's heartbeat re-arms its timer without asking to be woken, so
    /// an idle swarm would stop beating: the loop looks at it in time.
    fn deadline(&self) -> Instant {
        let own = [self.listeners.deadline(), self.publisher.deadline(), self.save_due, self.push_due];
        let first = self.core.deadline().min(self.reap_due);
        let beat = self.now().instant + heartbeat(self.core.config().role);
        own.into_iter().flatten().fold(first.min(beat), Instant::min)
    }

    async fn stop(mut self) {
        let end = self.now().instant + SHUTDOWN_LINGER;
        let left = |now: Instant| end.saturating_duration_since(now);
        while !left(self.now().instant).is_zero() {
            let event = time::timeout(left(self.now().instant), self.swarm.select_next_some()).await;
            drop(event);
        }
        for peer in self.swarm.connected_peers().copied().collect::<Vec<_>>() {
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

    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clocks")]
    fn now(&self) -> Now {
        Now { instant: Instant::now(), unix_ms: (self.now_ms)() }
    }

    fn emit(&self, event: Event) {
        // Fails only when nobody listens.
        let _ = self.events.send(event);
    }

    fn me(&self) -> PeerId {
        self.core.me()
    }
}
