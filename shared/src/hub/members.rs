//! Who is in which room: what direct connections show and what hubs report, added up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use libp2p::PeerId;

use super::{
    listing::{Listing, Presences, Tally},
    peer_set::{PeerSet, PeersByRoom, place},
    wire::Report,
};
use crate::{
    config::{MAX_LISTED_MEMBERS, MAX_ROOM_BYTES},
    room_id::RoomId,
};

/// Rooms times hubs that one hub's stream may report on.
const MAX_REPORTS_PER_SOURCE: usize = 2048;

/// Members of one room that one hub's stream may name, at all hubs that it reports on.
const MAX_NAMED_PER_SOURCE: usize = 512;

/// Members of one room at one hub that are believed.
const MAX_TOTAL: u32 = 100_000;

/// Members that one hub's stream may name in all rooms together.
const MAX_NAMES_PER_SOURCE: usize = 8192;

/// Members of one room that a hub may name that this node did not choose, at all hubs that it reports on.
const MAX_NAMED_PER_STRANGER: usize = 50;

/// How far a hub is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// It came by itself; whoever likes may call itself a hub. Its word counts for those whom it names, who are few.
    Stranger,
    /// The operator or the person of this node chose it.
    Chosen,
}

/// What came on one hub's stream.
#[derive(Debug)]
struct Source {
    trust: Trust,
    /// By room, of each hub reported on.
    rooms: BTreeMap<RoomId, Vec<Arc<Listing>>>,
    reports: usize,
    names: usize,
}

/// Everything known about who is where.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Rooms to connected peers that are no hubs.
    direct: PeersByRoom,
    /// Those of them that use another program: they list no `/tincan/sync/1.0.0`.
    foreign: PeersByRoom,
    /// By the hub whose stream it came on.
    sources: BTreeMap<PeerId, Source>,
    tally: Tally,
    /// In how many rooms each of them is.
    rooms_of: BTreeMap<PeerId, usize>,
    /// Rooms that changed since somebody asked which.
    changed: BTreeSet<RoomId>,
}

impl Members {
    /// One of our own peers is in a room, or no longer; `is_foreign` if it uses another program.
    pub(crate) fn place(&mut self, room: &RoomId, peer: PeerId, is_there: bool, is_foreign: bool) {
        let moved = place(&mut self.direct, room, peer, is_there);
        if moved {
            let rooms = self.rooms_of.entry(peer).or_default();
            *rooms = if is_there { *rooms + 1 } else { rooms.saturating_sub(1) };
            if *rooms == 0 {
                self.rooms_of.remove(&peer);
            }
        }
        if place(&mut self.foreign, room, peer, is_there && is_foreign) || moved {
            self.changed.insert(room.clone());
        }
    }

    /// Takes a new picture of the direct connections' subscriptions.
    #[cfg(test)]
    pub(super) fn set_direct(&mut self, direct: &[(&str, &[PeerId])], foreign: &[PeerId]) {
        let before = self.direct.clone();
        for (room, peer) in before.iter().flat_map(|(room, peers)| peers.iter().map(move |peer| (room, *peer))) {
            let stays = direct.iter().any(|(other, peers)| **other == **room && peers.contains(&peer));
            self.place(room, peer, stays, stays && foreign.contains(&peer));
        }
        for (room, peer) in direct.iter().flat_map(|(room, peers)| peers.iter().map(move |peer| (room, *peer))) {
            self.place(&RoomId::from(*room), peer, true, foreign.contains(&peer));
        }
    }

    /// Whether one of our own peers is in more than so many rooms.
    pub(crate) fn is_any_in_more_than(&self, rooms: usize) -> bool {
        self.rooms_of.values().any(|theirs| *theirs > rooms)
    }

    /// Rooms that changed since this was last called.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<RoomId> {
        std::mem::take(&mut self.changed)
    }

    /// Takes a hub's word; `presences` are those of the report that verify. Nonsense in it is passed over. Says whether
    /// anything is different now.
    pub(crate) fn report(&mut self, source: PeerId, trust: Trust, report: &Report, presences: Presences) -> bool {
        let Ok(hub) = PeerId::from_bytes(&report.hub) else { return false };
        if report.room.len() > MAX_ROOM_BYTES {
            return false;
        }
        let said = self.sources.entry(source).or_insert_with(|| Source::new(trust));
        let mut there = said.rooms.get(report.room.as_str()).cloned().unwrap_or_default();
        let old = there.extract_if(.., |known| known.hub == hub).next();
        let is_nothing = report.total == 0 && report.joined.is_empty();
        if old.is_none() && (is_nothing || said.reports >= MAX_REPORTS_PER_SOURCE) {
            return false;
        }
        let elsewhere = there.iter().map(|known| known.names().len()).sum();
        let named = old.as_ref().map_or(0, |old| old.names().len());
        let most = said.trust.most_named().saturating_sub(elsewhere).min(MAX_LISTED_MEMBERS + 1);
        let most = most.min(MAX_NAMES_PER_SOURCE - (said.names - named));
        let mut names: BTreeSet<PeerId> = old.iter().flat_map(|old| old.names()).copied().collect();
        for left in peers(&report.left) {
            names.remove(&left);
        }
        names.extend(peers(&report.joined));
        // A hub that lists more than it may is cut, not believed.
        while names.len() > most {
            names.pop_last();
        }
        let (total, foreign) = match said.trust {
            Trust::Chosen => (report.total.min(MAX_TOTAL), report.foreign),
            Trust::Stranger => (report.total.min(u32::try_from(names.len()).unwrap_or(u32::MAX)), 0),
        };
        let foreign = foreign.min(total);
        let mut said_of_themselves = old.as_ref().map(|old| old.presences().clone()).unwrap_or_default();
        said_of_themselves.extend(presences);
        said_of_themselves.retain(|author, _| names.contains(author));
        let same = |old: &Arc<Listing>| old.is_of((total, foreign), &names, &said_of_themselves);
        if old.as_ref().map_or(total == 0 && names.is_empty(), same) {
            return false;
        }
        said.names = said.names - named + names.len();
        said.reports -= usize::from(old.is_some());
        if total > 0 || !names.is_empty() {
            said.reports += 1;
            there.push(Listing::new(hub, (total, foreign), &names, said_of_themselves, &self.tally));
        }
        if there.is_empty() {
            said.rooms.remove(report.room.as_str());
        } else {
            said.rooms.insert(report.room.as_str().into(), there);
        }
        self.changed.insert(report.room.as_str().into());
        true
    }

    #[cfg(feature = "sim")]
    pub(crate) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        use crate::bounded::bounded;
        let reports = self.sources.values().map(|said| said.rooms.values().map(Vec::len).sum());
        let names = self.sources.values().map(|said| said.names).max().unwrap_or_default();
        vec![
            bounded("MAX_REPORTS_PER_SOURCE", reports.max().unwrap_or_default(), MAX_REPORTS_PER_SOURCE),
            bounded("MAX_NAMES_PER_SOURCE", names, MAX_NAMES_PER_SOURCE),
        ]
    }

    #[cfg(feature = "sim")]
    pub(crate) fn remembered(&self) -> Vec<PeerId> {
        self.direct.values().flatten().chain(self.sources.keys()).copied().collect()
    }

    /// Whether what a hub said of a room is known.
    pub(crate) fn has_listed(&self, source: &PeerId, room: &str) -> bool {
        self.sources.get(source).is_some_and(|said| said.rooms.contains_key(room))
    }

    /// Whether what a hub said counts as a stranger's.
    pub(crate) fn is_doubted(&self, source: &PeerId) -> bool {
        self.sources.get(source).is_some_and(|said| said.trust == Trust::Stranger)
    }

    /// A hub's stream ended: what it said no longer holds. Says whether it had said something.
    pub(crate) fn forget(&mut self, source: &PeerId) -> bool {
        let Some(said) = self.sources.remove(source) else { return false };
        self.changed.extend(said.rooms.into_keys());
        true
    }

    /// What the listings weigh that hubs said and that hold now.
    pub(crate) fn weight(&self) -> usize {
        self.sources.values().flat_map(|said| said.rooms.values().flatten()).map(|listing| listing.weight()).sum()
    }

    /// Counts every listing that is made here.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Members among our own peers.
    pub(crate) fn local(&self, room: &str) -> Option<&PeerSet> {
        self.direct.get(room)
    }

    /// Those of them that use another program.
    pub(crate) fn local_foreign(&self, room: &str) -> Option<&PeerSet> {
        self.foreign.get(room)
    }

    /// Whether more of the members among our own peers use another program than Tincan.
    pub(crate) fn local_is_foreign(&self, room: &str) -> bool {
        let count = |members: Option<&PeerSet>| members.map_or(0, PeerSet::len);
        let foreign = count(self.local_foreign(room));
        foreign > count(self.local(room)).saturating_sub(foreign)
    }

    /// Rooms with members among our own peers, and those members.
    pub(crate) fn local_rooms(&self) -> &PeersByRoom {
        &self.direct
    }

    /// What other hubs said of a room, each hub once: a chosen hub's word goes before a stranger's, and a hub's own
    /// before another's.
    pub(crate) fn remote(&self, room: &str) -> BTreeMap<PeerId, &Arc<Listing>> {
        let mut remote: BTreeMap<PeerId, ((Trust, bool), &Arc<Listing>)> = BTreeMap::new();
        for (source, said) in &self.sources {
            for listing in said.rooms.get(room).into_iter().flatten() {
                let weight = (said.trust, listing.hub == *source);
                if remote.get(&listing.hub).is_none_or(|(other, _)| *other < weight) {
                    remote.insert(listing.hub, (weight, listing));
                }
            }
        }
        remote.into_iter().map(|(hub, (_, listing))| (hub, listing)).collect()
    }

    /// Everybody listed in a room but `me`, and how many there are.
    pub(crate) fn of(&self, room: &str, me: &PeerId) -> (BTreeSet<PeerId>, u32) {
        let mut listed: BTreeSet<PeerId> = self.local(room).into_iter().flatten().copied().collect();
        let mut unlisted = 0;
        for (hub, report) in self.remote(room) {
            if hub == *me {
                continue;
            }
            let named = u32::try_from(report.names().len()).unwrap_or(u32::MAX);
            unlisted = u32::saturating_add(unlisted, report.total.saturating_sub(named));
            listed.extend(report.names());
        }
        listed.remove(me);
        let total = u32::try_from(listed.len()).unwrap_or(u32::MAX).saturating_add(unlisted);
        (listed, total)
    }

    /// How many [`Self::of`] counts.
    pub(crate) fn total(&self, room: &str, me: &PeerId) -> u32 {
        let is_told = self.sources.values().any(|said| said.rooms.contains_key(room));
        if is_told {
            return self.of(room, me).1;
        }
        let local = self.local(room).map_or(0, |local| local.len() - usize::from(local.contains(me)));
        u32::try_from(local).unwrap_or(u32::MAX)
    }

    /// Whether somebody is listed in a room.
    pub(crate) fn lists(&self, room: &str, peer: &PeerId) -> bool {
        let told = || self.sources.values().filter_map(|said| said.rooms.get(room)).flatten();
        self.local(room).is_some_and(|local| local.contains(peer)) || told().any(|listing| listing.contains(peer))
    }

    /// How many of those whom [`Self::of`] counts use another program. Older hubs do not tell.
    pub(crate) fn foreign(&self, room: &str, me: &PeerId) -> u32 {
        let remote = self.remote(room);
        let told = || remote.iter().filter(|(hub, _)| *hub != me).map(|(_, report)| *report);
        let is_told = |peer: &&PeerId| told().any(|report| report.contains(peer));
        let direct = self.local_foreign(room).into_iter().flatten().filter(|peer| !is_told(peer)).count();
        let direct = u32::try_from(direct).unwrap_or(u32::MAX);
        told().map(|report| report.foreign).fold(direct, u32::saturating_add)
    }
}

impl Trust {
    /// Members of a room that such a hub may name.
    fn most_named(self) -> usize {
        match self {
            Self::Stranger => MAX_NAMED_PER_STRANGER,
            Self::Chosen => MAX_NAMED_PER_SOURCE,
        }
    }
}

impl Source {
    fn new(trust: Trust) -> Self {
        Self { trust, rooms: BTreeMap::new(), reports: 0, names: 0 }
    }
}

fn peers(bytes: &[Vec<u8>]) -> impl Iterator<Item = PeerId> {
    bytes.iter().take(MAX_LISTED_MEMBERS + 1).filter_map(|bytes| PeerId::from_bytes(bytes).ok())
}

#[cfg(test)]
#[path = "members_tests.rs"]
mod tests;
