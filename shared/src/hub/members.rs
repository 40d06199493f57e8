//! Who is in which room: what direct connections show and what hubs report, added up.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use libp2p::PeerId;

use super::{
    listing::{Listing, Tally},
    peers::{Peers, PeersByRoom, differing},
    wire::Report,
};
use crate::config::{MAX_LISTED_MEMBERS, MAX_ROOM_BYTES};

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
    rooms: BTreeMap<String, Vec<Arc<Listing>>>,
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
    sources: HashMap<PeerId, Source>,
    tally: Tally,
    /// Rooms that changed since somebody asked which; nothing where nobody asks.
    changed: Option<BTreeSet<String>>,
}

impl Members {
    /// Remembers which rooms change, for [`Self::take_changed`].
    pub(crate) fn of_hub() -> Self {
        Self { changed: Some(BTreeSet::new()), ..Self::default() }
    }

    /// Takes a new picture of the direct connections' subscriptions.
    pub(crate) fn set_direct(&mut self, direct: PeersByRoom, foreign: PeersByRoom) {
        if let Some(changed) = &mut self.changed {
            changed.extend(differing(&self.direct, &direct).cloned());
            changed.extend(differing(&self.foreign, &foreign).cloned());
        }
        (self.direct, self.foreign) = (direct, foreign);
    }

    /// Rooms that changed since this was last called.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<String> {
        self.changed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn has_changed(&mut self, room: &str) {
        if let Some(changed) = self.changed.as_mut().filter(|changed| !changed.contains(room)) {
            changed.insert(room.to_owned());
        }
    }

    /// Takes a hub's word. Nonsense in it is passed over. Says whether anything is different now.
    pub(crate) fn report(&mut self, source: PeerId, trust: Trust, report: &Report) -> bool {
        let Ok(hub) = PeerId::from_bytes(&report.hub) else { return false };
        if report.room.len() > MAX_ROOM_BYTES {
            return false;
        }
        let said = self.sources.entry(source).or_insert_with(|| Source::new(trust));
        let mut there = said.rooms.get(&report.room).cloned().unwrap_or_default();
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
        let same = |old: &Arc<Listing>| (old.total, old.foreign) == (total, foreign) && old.names().iter().eq(&names);
        if old.as_ref().map_or(total == 0 && names.is_empty(), same) {
            return false;
        }
        said.names = said.names - named + names.len();
        said.reports -= usize::from(old.is_some());
        if total > 0 || !names.is_empty() {
            said.reports += 1;
            there.push(Listing::new(hub, total, foreign, &names, &self.tally));
        }
        if there.is_empty() {
            said.rooms.remove(&report.room);
        } else {
            said.rooms.insert(report.room.clone(), there);
        }
        self.has_changed(&report.room);
        true
    }

    /// Whether what a hub said of a room is known.
    pub(crate) fn has_listed(&self, source: &PeerId, room: &str) -> bool {
        self.sources.get(source).is_some_and(|said| said.rooms.contains_key(room))
    }

    /// Whether what a hub said counts as a stranger's.
    pub(crate) fn is_doubted(&self, source: &PeerId) -> bool {
        self.sources.get(source).is_some_and(|said| said.trust == Trust::Stranger)
    }

    /// A hub's stream ended: what it said no longer holds.
    pub(crate) fn forget(&mut self, source: &PeerId) {
        let Some(said) = self.sources.remove(source) else { return };
        if let Some(changed) = &mut self.changed {
            changed.extend(said.rooms.into_keys());
        }
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
    pub(crate) fn local(&self, room: &str) -> Option<&Peers> {
        self.direct.get(room)
    }

    /// Those of them that use another program.
    pub(crate) fn local_foreign(&self, room: &str) -> Option<&Peers> {
        self.foreign.get(room)
    }

    /// Whether more of the members among our own peers use another program than Tincan.
    pub(crate) fn local_is_foreign(&self, room: &str) -> bool {
        let count = |members: Option<&Peers>| members.map_or(0, Peers::len);
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
