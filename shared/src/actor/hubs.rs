//! Hubs: who is where, on whichever side of a hub stream this node is; what to carry; who is cut off.

use std::time::Duration;

use libp2p::PeerId;
use n0_future::time::Instant;
use tokio::sync::mpsc::error::TrySendError;

use super::{Actor, HUB_STREAM_WAIT, HubStream};
use crate::{
    Event, HostBehaviour,
    access::Denied,
    config::FRAME_TIME_WINDOW,
    hub::{
        carrier::{self, NotCarried},
        desk::Update,
        looks::GATHER,
        members::Trust,
        reasons::Given,
        wire::{FromHub, Hello, Reason, Report, Watch},
    },
    room::Room,
    source::counted_source,
    streams::{Input, TELL_RESERVE},
};

/// When watchers are told on that did not take everything at once, and when none of them took anything.
const TELL_WAIT: Duration = Duration::from_millis(10);
const TELL_STALLED_WAIT: Duration = Duration::from_millis(250);
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
                        // It may have been looked at before it could be told.
                        if let Some(why) = self.carrier.refusal(&peer) {
                            self.tell(peer, self.not_carried(why));
                        }
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
                    if self.desk.is_behind() {
                        self.tell_on_at(self.now().instant + GATHER);
                    }
                }
            }
            Input::WatcherClosed { peer, serial } => {
                if self.watchers.get(&peer).is_some_and(|(current, _)| *current == serial) {
                    self.drop_watcher(&peer);
                }
            }
            Input::HubOpened { hub, serial, tell } => {
                if self.hubs.get(&hub).is_some_and(|known| known.serial() == Some(serial)) {
                    self.hubs.insert(hub, HubStream::Open { serial, tell, told: None, greeted: false });
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
        if let Some(Hello { time_ms }) = message.hello
            && let Some(HubStream::Open { greeted: greeted @ false, .. }) = self.hubs.get_mut(&hub)
        {
            *greeted = true;
            if !closes {
                self.welcomed(hub);
            }
            let ours = self.now().unix_ms;
            // Whoever likes may call itself a hub, and tell any time.
            if self.is_chosen(&hub) && u128::from(ours.abs_diff(time_ms)) > FRAME_TIME_WINDOW.as_millis() {
                let offset_ms = i64::try_from(i128::from(ours) - i128::from(time_ms)).unwrap_or(i64::MAX);
                self.emit(Event::ClockWrong { offset_ms });
            }
        }
        if let Some(report) = message.report {
            self.hear_report(hub, &report);
        }
        if let Some(Reason { text, .. }) = message.reason {
            let now = self.now().instant;
            if closes {
                self.stay_away(hub);
            }
            let reason: String = text.chars().take(MAX_REASON_CHARS).collect();
            if let Some(given) = self.reasons.give(hub, Given { reason, closes }, now) {
                self.tell_reason(hub, given);
            }
        }
    }

    fn hear_report(&mut self, hub: PeerId, report: &Report) {
        // Hubs ask each other only about their own peers; who answers for others is not believed.
        if self.is_hub() && report.hub != hub.to_bytes() {
            return;
        }
        // Nor is heard what nobody asked, which would be kept and told to others. What is known already follows the hub's
        // word until it says that nobody is left: if we come back before it has read that we were gone, it does not repeat
        // itself.
        let room = self.rooms.get(&report.room);
        let is_joined = room.is_some_and(Room::is_joined);
        let is_wanted = is_joined || (self.is_hub() && room.is_some()) || self.members.has_listed(&hub, &report.room);
        let trust = if self.is_chosen(&hub) { Trust::Chosen } else { Trust::Stranger };
        let is_news = is_wanted && self.members.report(hub, trust, report);
        if is_news && (is_joined || !self.is_hub()) {
            self.members_changed();
        } else if is_news {
            // Our own peers are where they were: only watchers are to be told.
            self.tell_on_at(self.now().instant + GATHER);
        }
    }

    fn tell_reason(&self, hub: PeerId, Given { reason, closes }: Given) {
        tracing::debug!(%hub, reason = %crate::neutralise(&reason, false), "a hub refuses something");
        self.emit(Event::Refused { peer: hub, reason, closes });
    }

    /// Reasons that hubs gave too soon after others.
    pub(super) fn tell_reasons(&mut self, now: Instant) {
        for (hub, given) in self.reasons.due(now) {
            self.tell_reason(hub, given);
        }
    }

    /// Tells each hub which rooms we want to know about, when that changed.
    pub(super) fn watch_hubs(&mut self) {
        let joined = self.rooms.iter().filter(|(_, room)| self.is_hub() || room.is_joined());
        let watch = Watch { rooms: joined.map(|(name, _)| name.clone()).collect(), local_only: self.is_hub() };
        let mut is_stalled = false;
        for hub in self.hubs.values_mut() {
            if let HubStream::Open { tell, told, .. } = hub
                && told.as_ref() != Some(&watch)
            {
                match tell.try_send(watch.clone()) {
                    Ok(()) => *told = Some(watch.clone()),
                    Err(TrySendError::Full(_)) => is_stalled = true,
                    // That the stream ended is told apart.
                    Err(TrySendError::Closed(_)) => {}
                }
            }
        }
        if is_stalled {
            self.tell_on_at(self.now().instant + TELL_STALLED_WAIT);
        }
    }

    /// A hub subscribes to what its peers are in, and lets go of what they left.
    pub(super) fn carry(&mut self) {
        let now = self.now().instant;
        let limits = self.config.limits.clone();
        let (peers, trusted) = (&self.peers, &self.config.trusted_proxies);
        let source_of = |peer: &PeerId| counted_source(&peers.get(peer)?.info.address, trusted);
        for output in self.carrier.update(self.members.local_rooms(), source_of, &limits, now) {
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
                carrier::Output::Refuse(peer, why) => {
                    self.counters.rooms_refused += 1;
                    self.tell(peer, self.not_carried(why));
                }
            }
        }
    }

    fn not_carried(&self, why: NotCarried) -> Reason {
        let limits = &self.config.limits;
        let text = match why {
            NotCarried::TooMany => {
                format!("this hub carries {} rooms for one peer; leave some", limits.carried_rooms_per_peer)
            }
            NotCarried::NoPlace(room) => format!(
                "this hub carries {} rooms, and has no place for '{}': leave some rooms, or try another hub",
                limits.carried_rooms,
                crate::neutralise(&room, false)
            ),
        };
        Reason { code: "too_many_rooms".to_owned(), text }
    }

    /// Tells watchers what changed, as far as their streams take it now.
    pub(super) fn tell_watchers(&mut self) {
        let watchers = &self.watchers;
        let space =
            |peer: &PeerId| watchers.get(peer).map_or(0, |(_, tell)| tell.capacity().saturating_sub(TELL_RESERVE));
        let now = self.now().instant;
        let Update { reports, dropped } = self.desk.update(&mut self.members, now, space);
        self.tell_due = None;
        for peer in dropped {
            self.lose_watcher(&peer);
        }
        let wait = if reports.is_empty() { TELL_STALLED_WAIT } else { TELL_WAIT };
        for (peer, report) in reports {
            self.tell(peer, report);
        }
        if self.desk.is_behind() {
            self.tell_on_at(self.now().instant + wait);
        }
        if let Some(at) = self.desk.deadline() {
            self.tell_on_at(at);
        }
    }

    fn tell_on_at(&mut self, at: Instant) {
        self.tell_due = Some(self.tell_due.map_or(at, |due| due.min(at)));
    }

    /// Goes on where streams took no more.
    pub(super) fn tell_on(&mut self) {
        self.tell_due = None;
        if self.is_hub() {
            self.tell_watchers();
        }
        self.watch_hubs();
    }

    /// Queues a message on a watcher's stream; one that is too far behind loses the stream and asks anew.
    pub(super) fn tell(&mut self, peer: PeerId, message: impl Into<FromHub>) {
        let Some((_, tell)) = self.watchers.get(&peer) else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Closed(_)) = tell.try_send(message.into()) {
            self.lose_watcher(&peer);
        }
    }

    fn lose_watcher(&mut self, peer: &PeerId) {
        tracing::debug!(%peer, "too slow to be told who is where");
        self.counters.watchers_dropped += 1;
        self.drop_watcher(peer);
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
