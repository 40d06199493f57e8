//! Who is in which room: what direct connections show and what hubs report, added up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use libp2p::PeerId;

pub(crate) use super::claims::Trust;
use super::{
    claims::Claims,
    listing::{Listing, Presences, Tally},
    peer_set::{PeerSet, PeersByRoom, place},
    wire::Report,
};
use crate::{config::MAX_ROOM_BYTES, room_id::RoomId};

/// Everything known about who is where.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Rooms to connected peers that are no hubs.
    direct: PeersByRoom,
    /// Those of them that use another program: they list no `/tincan/sync/1.0.0`.
    foreign: PeersByRoom,
    /// By the hub whose stream it came on.
    sources: BTreeMap<PeerId, Claims>,
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
    /// anything is different now. `is_proven`: whether somebody has signed something in the room.
    pub(crate) fn report(
        &mut self,
        source: PeerId,
        trust: Trust,
        report: &Report,
        presences: Presences,
        is_proven: impl Fn(&PeerId) -> bool,
    ) -> bool {
        let Ok(hub) = PeerId::from_bytes(&report.hub) else { return false };
        if report.room.len() > MAX_ROOM_BYTES {
            return false;
        }
        let said = self.sources.entry(source).or_insert_with(|| Claims::new(trust));
        let is_news = said.take(hub, report, presences, is_proven, &self.tally);
        if is_news {
            self.changed.insert(report.room.as_str().into());
        }
        is_news
    }

    /// Somebody has signed something in a room: hubs that nobody chose may name him. Says whether that is news.
    pub(crate) fn prove(&mut self, room: &RoomId, peer: &PeerId) -> bool {
        let mut is_news = false;
        for said in self.sources.values_mut().filter(|said| said.trust == Trust::Stranger) {
            is_news |= said.prove(room, peer, &self.tally);
        }
        if is_news {
            self.changed.insert(room.clone());
        }
        is_news
    }

    #[cfg(feature = "sim")]
    pub(crate) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        self.sources.values().flat_map(Claims::bounds).collect()
    }

    #[cfg(feature = "sim")]
    pub(crate) fn remembered(&self) -> Vec<PeerId> {
        self.direct.values().flatten().chain(self.sources.keys()).copied().collect()
    }

    /// Whether what a hub said of a room is known.
    pub(crate) fn has_listed(&self, source: &PeerId, room: &str) -> bool {
        self.sources.get(source).is_some_and(|said| said.has(room))
    }

    /// Whether a hub names somebody in a room who has signed nothing there, as far as this node knows.
    pub(crate) fn has_unproven(&self, source: &PeerId, room: &str) -> bool {
        self.sources.get(source).is_some_and(|said| said.has_unproven(room))
    }

    /// Whether what a hub said counts as a stranger's.
    pub(crate) fn is_doubted(&self, source: &PeerId) -> bool {
        self.sources.get(source).is_some_and(|said| said.trust == Trust::Stranger)
    }

    /// A hub's stream ended: what it said no longer holds. Says whether it had said something.
    pub(crate) fn forget(&mut self, source: &PeerId) -> bool {
        let Some(said) = self.sources.remove(source) else { return false };
        self.changed.extend(said.into_rooms());
        true
    }

    /// What the listings weigh that hubs said and that hold now.
    pub(crate) fn weight(&self) -> usize {
        self.sources.values().map(Claims::weight).sum()
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
        self.remote_of(room, Trust::Stranger)
    }

    /// The same, of hubs that are trusted so far.
    fn remote_of(&self, room: &str, least: Trust) -> BTreeMap<PeerId, &Arc<Listing>> {
        let mut remote: BTreeMap<PeerId, ((Trust, bool), &Arc<Listing>)> = BTreeMap::new();
        for (source, said) in self.sources.iter().filter(|(_, said)| said.trust >= least) {
            for listing in said.listings(room) {
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
        self.counted(room, me, Trust::Stranger)
    }

    fn counted(&self, room: &str, me: &PeerId, least: Trust) -> (BTreeSet<PeerId>, u32) {
        let mut listed: BTreeSet<PeerId> = self.local(room).into_iter().flatten().copied().collect();
        let mut unlisted = 0;
        for (hub, report) in self.remote_of(room, least) {
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
        self.total_of(room, me, Trust::Stranger)
    }

    /// How many there are by direct connections and the word of chosen hubs.
    pub(crate) fn trusted_total(&self, room: &str, me: &PeerId) -> u32 {
        self.total_of(room, me, Trust::Chosen)
    }

    fn total_of(&self, room: &str, me: &PeerId, least: Trust) -> u32 {
        if self.sources.values().any(|said| said.trust >= least && said.has(room)) {
            return self.counted(room, me, least).1;
        }
        let local = self.local(room).map_or(0, |local| local.len() - usize::from(local.contains(me)));
        u32::try_from(local).unwrap_or(u32::MAX)
    }

    /// Whether what is said in a room reaches a member: one of our own peers, or one at a hub of which we know by a hub
    /// that `carries` the room.
    pub(crate) fn is_reached(&self, room: &str, me: &PeerId, carries: impl Fn(&PeerId) -> bool) -> bool {
        let is_local = self.local(room).into_iter().flatten().any(|peer| peer != me);
        let is_elsewhere = |listing: &Arc<Listing>| listing.hub != *me && listing.counts_others(me);
        is_local || self.sources.iter().any(|(hub, said)| said.listings(room).any(is_elsewhere) && carries(hub))
    }

    /// Whether somebody is listed in a room, be it by a hub that is not believed.
    pub(crate) fn lists(&self, room: &str, peer: &PeerId) -> bool {
        let is_local = self.local(room).is_some_and(|local| local.contains(peer));
        is_local || self.sources.values().any(|said| said.names(room, peer))
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

#[cfg(test)]
#[path = "members_tests.rs"]
mod tests;
