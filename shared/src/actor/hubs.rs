//! Hubs: who is where, on whichever side of a hub stream this node is; what to carry; who is cut off.

use libp2p::PeerId;
use n0_future::time::Instant;
use tokio::sync::mpsc::error::TrySendError;

use super::{Actor, HUB_STREAM_WAIT, HubStream};
use crate::{
    Event, HostBehaviour,
    access::Denied,
    config::FRAME_TIME_WINDOW,
    hub::{
        carrier,
        wire::{FromHub, Hello, Reason, Report, Watch},
    },
    room::Room,
    streams::Input,
};

/// Text of a hub's reason that is shown.
const MAX_REASON_CHARS: usize = 256;

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn input(&mut self, input: Input) {
        match input {
            Input::WatcherOpened { peer, serial, tell } => {
                // In one message, so that nobody takes a greeting for a welcome.
                let hello = FromHub { reason: self.reason_for(peer), ..self.hello().into() };
                let stays = hello.reason.is_none();
                if tell.try_send(hello).is_ok() {
                    self.watchers.insert(peer, (serial, tell));
                    if stays {
                        self.desk.open(peer);
                    }
                }
            }
            Input::Watch { peer, serial, watch } => {
                if self.watchers.get(&peer).is_some_and(|(current, _)| *current == serial) {
                    if !self.desk.watch(peer, watch) {
                        let text = "more rooms asked about than a hub tells of; leave some".to_owned();
                        self.counters.rooms_refused += 1;
                        self.tell(peer, Reason { code: "too_many_rooms".to_owned(), text });
                    }
                    self.members_changed();
                }
            }
            Input::WatcherClosed { peer, serial } => {
                if self.watchers.get(&peer).is_some_and(|(current, _)| *current == serial) {
                    self.drop_watcher(&peer);
                }
            }
            Input::HubOpened { hub, serial, tell } => {
                if self.hubs.get(&hub).is_some_and(|known| known.serial() == Some(serial)) {
                    self.hubs.insert(hub, HubStream::Open { serial, tell, told: None });
                    self.watch_hubs();
                }
            }
            Input::FromHub { hub, serial, message } => {
                if self.hubs.get(&hub).is_some_and(|known| known.serial() == Some(serial)) {
                    self.hear_hub(hub, message);
                }
            }
            Input::HubClosed { hub, serial } => {
                if self.hubs.get(&hub).is_some_and(|known| known.serial() == Some(serial)) {
                    self.members.forget(&hub);
                    self.members_changed();
                    let until = self.now().instant + HUB_STREAM_WAIT;
                    self.hubs.insert(hub, HubStream::Waiting { until });
                }
            }
            Input::Asked { peer, question, reply } => {
                // Fails only when the asker is gone.
                let _ = reply.send(self.answer_sync(peer, question));
            }
            Input::Answered { peer, room, answer } => self.synced(peer, room, answer),
        }
    }

    fn hear_hub(&mut self, hub: PeerId, message: FromHub) {
        let closes = message.reason.as_ref().is_some_and(|reason| Denied::closes(&reason.code));
        if let Some(Hello { time_ms }) = message.hello {
            if !closes {
                self.welcomed(hub);
            }
            let ours = self.now().unix_ms;
            if u128::from(ours.abs_diff(time_ms)) > FRAME_TIME_WINDOW.as_millis() {
                let offset_ms = i64::try_from(i128::from(ours) - i128::from(time_ms)).unwrap_or(i64::MAX);
                self.emit(Event::ClockWrong { offset_ms });
            }
        }
        // Hubs ask each other only about their own peers; who answers for others is not believed. Nor is heard what nobody
        // asked, which would be kept and told to others.
        let foreign = |report: &Report| self.is_hub() && report.hub != hub.to_bytes();
        let asked =
            |report: &Report| self.rooms.get(&report.room).is_some_and(|room| self.is_hub() || room.is_joined());
        if let Some(report) = message.report.filter(|report| !foreign(report) && asked(report)) {
            self.members.report(hub, &report);
            self.members_changed();
        }
        if let Some(Reason { text, .. }) = message.reason {
            let reason: String = text.chars().take(MAX_REASON_CHARS).collect();
            tracing::warn!(%hub, reason = %crate::neutralise(&reason, false), "a hub refuses something");
            if closes {
                self.stay_away(hub);
            }
            self.emit(Event::Refused { peer: hub, reason });
        }
    }

    /// A connected peer turned out to be a hub: ask it who is where.
    pub(super) fn follow(&mut self, hub: PeerId) {
        if self.hubs.contains_key(&hub) {
            return;
        }
        if self.hubs.len() >= self.config.limits.known_hubs && self.dialled(&hub) {
            // Whoever calls itself a hub may come first; whom we chose goes before it.
            if let Some(stranger) = self.hubs.keys().find(|known| !self.dialled(known)).copied() {
                self.unfollow(&stranger);
            }
        }
        if self.hubs.len() < self.config.limits.known_hubs {
            let serial = self.streams.open_hub(hub);
            self.hubs.insert(hub, HubStream::Opening { serial });
        }
    }

    pub(super) fn unfollow(&mut self, hub: &PeerId) {
        self.hubs.remove(hub);
        self.members.forget(hub);
    }

    pub(super) fn reopen_hub_streams(&mut self, now: Instant) {
        let due = |hub: &HubStream| matches!(hub, HubStream::Waiting { until } if *until <= now);
        let due: Vec<PeerId> = self.hubs.iter().filter(|(_, hub)| due(hub)).map(|(peer, _)| *peer).collect();
        for hub in due {
            self.hubs.remove(&hub);
            if self.peers.contains_key(&hub) {
                self.follow(hub);
            }
        }
    }

    /// Tells each hub which rooms we want to know about, when that changed.
    pub(super) fn watch_hubs(&mut self) {
        let joined = self.rooms.iter().filter(|(_, room)| self.is_hub() || room.is_joined());
        let watch = Watch { rooms: joined.map(|(name, _)| name.clone()).collect(), local_only: self.is_hub() };
        for hub in self.hubs.values_mut() {
            if let HubStream::Open { tell, told, .. } = hub
                && told.as_ref() != Some(&watch)
                && tell.try_send(watch.clone()).is_ok()
            {
                *told = Some(watch.clone());
            }
        }
    }

    /// A hub subscribes to what its peers are in, and lets go of what they left.
    pub(super) fn carry(&mut self) {
        let now = self.now().instant;
        let limits = self.config.limits.clone();
        for output in self.carrier.update(self.members.local_rooms(), &limits, now) {
            match output {
                carrier::Output::Carry(name) => {
                    tracing::info!(room = %crate::neutralise(&name, false), "carrying a room");
                    let me = self.me;
                    self.rooms.entry(name.clone()).or_insert_with(|| Room::new(&name, me, &limits));
                    self.subscribe(&name);
                    self.ask_those_there(&name);
                    if self.bridges() {
                        self.with_room(&name, |room, me, now, out| room.announce(0, me, now, out));
                    }
                }
                carrier::Output::Release(name) => {
                    tracing::info!(room = %crate::neutralise(&name, false), "letting go of a room");
                    self.release(&name);
                }
                carrier::Output::Refuse(peer) => {
                    let text =
                        format!("this hub carries {} rooms for one peer; leave some", limits.carried_rooms_per_peer);
                    self.counters.rooms_refused += 1;
                    self.tell(peer, Reason { code: "too_many_rooms".to_owned(), text });
                }
            }
        }
    }

    pub(super) fn tell_watchers(&mut self) {
        for (peer, report) in self.desk.update(&self.members) {
            self.tell(peer, report);
        }
    }

    /// Queues a message on a watcher's stream; one that is too far behind loses the stream and asks anew.
    pub(super) fn tell(&mut self, peer: PeerId, message: impl Into<FromHub>) {
        let Some((_, tell)) = self.watchers.get(&peer) else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Closed(_)) = tell.try_send(message.into()) {
            tracing::debug!(%peer, "too slow to be told who is where");
            self.counters.watchers_dropped += 1;
            self.drop_watcher(&peer);
        }
    }

    pub(super) fn drop_watcher(&mut self, peer: &PeerId) {
        self.watchers.remove(peer);
        self.desk.close(peer);
    }
}

impl HubStream {
    fn serial(&self) -> Option<u64> {
        match self {
            Self::Opening { serial } | Self::Open { serial, .. } => Some(*serial),
            Self::Waiting { .. } => None,
        }
    }
}
