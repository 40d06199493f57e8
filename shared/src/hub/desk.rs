//! A hub's side of `/tincan/hub/1.0.0`: who asked about which rooms, and what each was told last.
//!
//! A stream takes a few messages at a time and tells when they were written. What it does not take is not built: the
//! watcher stays behind and is told the difference later, to what is true then. What was told is kept as shared
//! [`Listing`]s, so a watcher costs a pointer for each room and hub. Only those who are behind keep old listings alive;
//! when these weigh too much, who has taken nothing for longest loses the stream and asks anew.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{
    listing::Presences,
    members::Members,
    pace::Waiting,
    watched::{Watched, holds, unlist},
    watcher::Watcher,
    wire::{Report, Watch},
};
use crate::{config::MAX_ROOM_BYTES, room_id::RoomId};

/// Rooms one peer may ask about: as many as a hub carries, since hubs ask about all of theirs.
pub(crate) const MAX_WATCHED: usize = 512;
/// Rooms that all peers together may ask about, each counted for each peer.
const MAX_WATCHED_BY_ALL: usize = 65_536;
/// Rooms that each peer may ask about even so.
const MIN_WATCHED: usize = 16;
/// Names in listings that no longer hold, kept since somebody who was told of them is not told yet that they do not.
const MAX_STALE_NAMES: usize = 131_072;
/// Reports built at once, for all; the rest follows.
const MAX_REPORTS_AT_ONCE: usize = 1024;

/// What has to be said now.
#[derive(Debug, Default)]
pub(crate) struct Update {
    pub(crate) reports: Vec<(PeerId, Report)>,
    /// Those who are so far behind that their streams have to end.
    pub(crate) dropped: Vec<PeerId>,
}

/// Everybody who asked.
#[derive(Debug)]
pub(crate) struct Desk {
    me: PeerId,
    numbers: BTreeMap<PeerId, u64>,
    next: u64,
    watchers: BTreeMap<u64, Watcher>,
    rooms: BTreeMap<RoomId, Watched>,
    /// Rooms that somebody asked about for the first time.
    new: Vec<RoomId>,
    /// Rooms that changed too often to be told of at once.
    waiting: Waiting,
    /// Watchers that are to be told something, each once, in turn.
    ready: VecDeque<u64>,
    /// Watchers that are to be told something once their streams take more.
    stalled: BTreeSet<u64>,
    /// Whether what is to be told is to be told now.
    is_due: bool,
    /// Rooms asked about, each counted for each peer.
    watched: usize,
    /// Watchers that are told of fewer rooms than they asked about, since all together ask about too many.
    cut: BTreeSet<u64>,
}

impl Desk {
    pub(crate) fn new(me: PeerId) -> Self {
        Self {
            me,
            numbers: BTreeMap::new(),
            next: 0,
            watchers: BTreeMap::new(),
            rooms: BTreeMap::new(),
            new: Vec::new(),
            waiting: Waiting::default(),
            ready: VecDeque::new(),
            stalled: BTreeSet::new(),
            is_due: false,
            watched: 0,
            cut: BTreeSet::new(),
        }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        use crate::bounded::bounded;
        let asked = |watcher: &Watcher| watcher.asked().count();
        let of_all: usize = self.watchers.values().map(asked).sum();
        vec![
            bounded("MAX_WATCHED", self.watchers.values().map(asked).max().unwrap_or_default(), MAX_WATCHED),
            bounded("MAX_WATCHED_BY_ALL", of_all, MAX_WATCHED_BY_ALL + self.watchers.len() * MIN_WATCHED),
            bounded("the count of watched rooms", self.watched.abs_diff(of_all), 0),
            bounded("watchers to be told", self.ready.len(), self.watchers.len()),
        ]
    }

    #[cfg(feature = "sim")]
    pub(crate) fn remembered(&self) -> Vec<PeerId> {
        self.numbers.keys().copied().collect()
    }

    /// A peer opened its stream: it knows nothing yet.
    pub(crate) fn open(&mut self, peer: PeerId) {
        self.close(&peer);
        self.numbers.insert(peer, self.next);
        self.watchers.insert(self.next, Watcher::new(peer));
        self.next += 1;
    }

    /// Its stream ended.
    pub(crate) fn close(&mut self, peer: &PeerId) {
        let Some(number) = self.numbers.remove(peer) else { return };
        let Some(watcher) = self.watchers.remove(&number) else { return };
        self.ready.retain(|other| *other != number);
        self.stalled.remove(&number);
        self.cut.remove(&number);
        for room in watcher.asked() {
            self.watched -= 1;
            unlist(&mut self.rooms, room, number);
        }
    }

    /// It said what it wants to know about. Says whether the wish is within bounds; if not it is cut.
    pub(crate) fn watch(&mut self, peer: PeerId, watch: Watch) -> bool {
        let Some(number) = self.numbers.get(&peer).copied() else { return true };
        let Some(watcher) = self.watchers.get_mut(&number) else { return true };
        let before = watcher.asked().count();
        let free = MAX_WATCHED_BY_ALL.saturating_sub(self.watched - before);
        let allowed = free.clamp(MIN_WATCHED, MAX_WATCHED);
        let within = watch.rooms.len() <= allowed;
        if (allowed..=MAX_WATCHED).contains(&watch.rooms.len()) && !within {
            self.cut.insert(number);
        } else {
            self.cut.remove(&number);
        }
        let rooms = watch.rooms.into_iter().filter(|room| room.len() <= MAX_ROOM_BYTES).take(allowed);
        let rooms: BTreeSet<RoomId> = rooms
            .map(|room| {
                self.rooms.get_key_value(room.as_str()).map_or_else(|| room.as_str().into(), |(name, _)| name.clone())
            })
            .collect();
        let change = watcher.ask(&rooms, watch.local_only);
        self.watched = self.watched - before + rooms.len();
        for room in &change.fewer {
            unlist(&mut self.rooms, room, number);
        }
        for room in change.more {
            let watched = self.rooms.entry(room.clone()).or_default();
            if watched.watchers.is_empty() {
                self.new.push(room);
            }
            watched.watchers.insert(number);
        }
        if watcher.falls_behind() {
            self.ready.push_back(number);
        }
        self.is_due |= !self.ready.is_empty();
        within
    }

    /// A watcher's stream takes more.
    pub(crate) fn took(&mut self, peer: &PeerId) {
        if let Some(number) = self.numbers.get(peer)
            && self.stalled.remove(number)
        {
            self.ready.push_back(*number);
            self.is_due = true;
        }
    }

    /// Whether [`Self::update`] has something to do.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.is_due || self.waiting.deadline().is_some_and(|at| at <= now)
    }

    /// When [`Self::update`] has something to do that it had not right after it was last called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.deadline()
    }

    /// Members of these rooms, or what they say of themselves, may have changed. `said` gives what members of a room
    /// last said of themselves.
    pub(crate) fn changed(
        &mut self,
        rooms: &BTreeSet<RoomId>,
        members: &Members,
        said: &impl Fn(&str, &BTreeSet<PeerId>) -> Presences,
        at: Instant,
    ) {
        for room in rooms {
            // Whoever is told of the room meanwhile is told what holds.
            let Some(watched) = self.rooms.get_mut(room) else { continue };
            watched.list(self.me, room, members, said);
            if watched.pace.change(room, watched.is_large, at, &mut self.waiting) {
                self.look_at(room);
            }
        }
    }

    /// What has to be told to whom. A watcher is told no more than its stream has `space` for.
    pub(crate) fn update(
        &mut self,
        members: &Members,
        said: &impl Fn(&str, &BTreeSet<PeerId>) -> Presences,
        at: Instant,
        space: impl Fn(&PeerId) -> usize,
    ) -> Update {
        for name in std::mem::take(&mut self.new) {
            if let Some(watched) = self.rooms.get_mut(&name) {
                watched.list(self.me, &name, members, said);
            }
        }
        while let Some(name) = self.waiting.take_due(at) {
            if let Some(watched) = self.rooms.get_mut(&name) {
                watched.pace.told();
            }
            self.look_at(&name);
        }
        let mut reports = Vec::new();
        for _ in 0..self.ready.len() {
            let Some(number) = self.ready.pop_front() else { break };
            let Some(watcher) = self.watchers.get_mut(&number) else { continue };
            let space = space(&watcher.peer);
            let (before, most) = (reports.len(), space.min(MAX_REPORTS_AT_ONCE.saturating_sub(reports.len())));
            let (me, rooms) = (self.me, &self.rooms);
            let now = |watcher: &Watcher, name: &str| holds(me, rooms.get(name), members, watcher, name);
            if !watcher.catch_up(now, most, at, &mut reports) {
                match reports.len() - before < space {
                    true => self.ready.push_back(number),
                    false => drop(self.stalled.insert(number)),
                }
            }
            if reports.len() >= MAX_REPORTS_AT_ONCE {
                break;
            }
        }
        self.is_due = !self.ready.is_empty();
        let mut dropped = self.shed(members);
        dropped.extend(self.ask_again());
        Update { reports, dropped }
    }

    /// All watchers of this room are to be told how it changed.
    fn look_at(&mut self, name: &str) {
        for number in self.rooms.get(name).into_iter().flat_map(|watched| &watched.watchers) {
            let Some(watcher) = self.watchers.get_mut(number) else { continue };
            watcher.look_at(name);
            if watcher.falls_behind() {
                self.ready.push_back(*number);
            }
        }
    }

    /// Who was cut asks anew once there are places: its stream ends, and it opens another.
    fn ask_again(&mut self) -> Option<PeerId> {
        if MAX_WATCHED_BY_ALL.saturating_sub(self.watched) < MAX_WATCHED {
            return None;
        }
        let peer = self.cut.pop_first().and_then(|number| self.watchers.get(&number)).map(|watcher| watcher.peer)?;
        self.close(&peer);
        Some(peer)
    }

    /// Ends the streams of those who have taken no report for longest (a hub that is told of many rooms takes some all
    /// the time, however far it is behind), until old listings weigh no more than they may.
    fn shed(&mut self, members: &Members) -> Vec<PeerId> {
        let mut dropped = Vec::new();
        if members.tally().total() <= MAX_STALE_NAMES {
            return dropped;
        }
        let local = self.rooms.values().filter_map(|watched| watched.local.as_ref());
        let holding = members.weight() + local.map(|listing| listing.weight()).sum::<usize>();
        while members.tally().total() > holding + MAX_STALE_NAMES {
            let stalled = |number: &u64| {
                let watcher = self.watchers.get(number)?;
                let since = watcher.stalled_since();
                Some((since.is_none(), since, Reverse(watcher.lag()), *number))
            };
            let Some((.., number)) = self.ready.iter().chain(&self.stalled).filter_map(stalled).min() else { break };
            let Some(peer) = self.watchers.get(&number).map(|watcher| watcher.peer) else { break };
            self.close(&peer);
            dropped.push(peer);
        }
        dropped
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
