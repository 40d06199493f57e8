//! Who is in which room: what direct connections show and what hubs report, added up.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use libp2p::PeerId;

use super::{
    listing::{Listing, Tally},
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

/// What came on one hub's stream.
#[derive(Debug, Default)]
struct Source {
    /// By room, of each hub reported on.
    rooms: BTreeMap<String, Vec<Arc<Listing>>>,
    reports: usize,
    names: usize,
}

/// Everything known about who is where.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Rooms to connected peers that are no hubs.
    direct: BTreeMap<String, BTreeSet<PeerId>>,
    /// Those of them that use another program: they list no `/tincan/sync/1.0.0`.
    foreign: BTreeMap<String, BTreeSet<PeerId>>,
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
    pub(crate) fn set_direct(
        &mut self,
        direct: BTreeMap<String, BTreeSet<PeerId>>,
        foreign: BTreeMap<String, BTreeSet<PeerId>>,
    ) {
        if let Some(changed) = &mut self.changed {
            for (old, new) in [(&self.direct, &direct), (&self.foreign, &foreign)] {
                let differs = |room: &&String| old.get(*room) != new.get(*room);
                changed.extend(old.keys().chain(new.keys()).filter(differs).cloned());
            }
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
    pub(crate) fn report(&mut self, source: PeerId, report: &Report) -> bool {
        let Ok(hub) = PeerId::from_bytes(&report.hub) else { return false };
        if report.room.len() > MAX_ROOM_BYTES {
            return false;
        }
        let said = self.sources.entry(source).or_default();
        let mut there = said.rooms.get(&report.room).cloned().unwrap_or_default();
        let old = there.extract_if(.., |known| known.hub == hub).next();
        let is_nothing = report.total == 0 && report.joined.is_empty();
        if old.is_none() && (is_nothing || said.reports >= MAX_REPORTS_PER_SOURCE) {
            return false;
        }
        let elsewhere = there.iter().map(|known| known.names().len()).sum();
        let named = old.as_ref().map_or(0, |old| old.names().len());
        let most = MAX_NAMED_PER_SOURCE.saturating_sub(elsewhere).min(MAX_LISTED_MEMBERS + 1);
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
        let total = report.total.min(MAX_TOTAL);
        let foreign = report.foreign.min(total);
        let same = |old: &Arc<Listing>| (old.total, old.foreign) == (total, foreign) && old.names().iter().eq(&names);
        if old.as_ref().is_some_and(same) {
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

    /// A hub's stream ended: what it said no longer holds.
    pub(crate) fn forget(&mut self, source: &PeerId) {
        let said = self.sources.remove(source).unwrap_or_default();
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
    pub(crate) fn local(&self, room: &str) -> Option<&BTreeSet<PeerId>> {
        self.direct.get(room)
    }

    /// Those of them that use another program.
    pub(crate) fn local_foreign(&self, room: &str) -> Option<&BTreeSet<PeerId>> {
        self.foreign.get(room)
    }

    /// Whether more of the members among our own peers use another program than Tincan.
    pub(crate) fn local_is_foreign(&self, room: &str) -> bool {
        let count = |members: Option<&BTreeSet<PeerId>>| members.map_or(0, BTreeSet::len);
        let foreign = count(self.local_foreign(room));
        foreign > count(self.local(room)).saturating_sub(foreign)
    }

    /// Rooms with members among our own peers, and those members.
    pub(crate) fn local_rooms(&self) -> &BTreeMap<String, BTreeSet<PeerId>> {
        &self.direct
    }

    /// What other hubs said of a room, each hub once: its own word goes before another's.
    pub(crate) fn remote(&self, room: &str) -> BTreeMap<PeerId, &Arc<Listing>> {
        let mut remote = BTreeMap::new();
        for (source, said) in &self.sources {
            for listing in said.rooms.get(room).into_iter().flatten() {
                if listing.hub == *source || !remote.contains_key(&listing.hub) {
                    remote.insert(listing.hub, listing);
                }
            }
        }
        remote
    }

    /// Everybody listed in a room but `me`, and how many there are.
    pub(crate) fn of(&self, room: &str, me: &PeerId) -> (BTreeSet<PeerId>, u32) {
        let mut listed = self.local(room).cloned().unwrap_or_default();
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

fn peers(bytes: &[Vec<u8>]) -> impl Iterator<Item = PeerId> {
    bytes.iter().take(MAX_LISTED_MEMBERS + 1).filter_map(|bytes| PeerId::from_bytes(bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(hub: PeerId, total: u32, joined: &[PeerId], left: &[PeerId]) -> Report {
        let bytes = |peers: &[PeerId]| peers.iter().map(|peer| peer.to_bytes()).collect();
        let (joined, left) = (bytes(joined), bytes(left));
        Report { room: "r".into(), hub: hub.to_bytes(), total, joined, left, foreign: 0 }
    }

    #[test]
    fn hubs_are_added_up_and_a_member_of_two_counts_once() {
        let [me, ann, bob, hub, other] = [(); 5].map(|()| PeerId::random());
        let mut members = Members::default();
        members.set_direct([("r".to_owned(), [ann].into())].into(), BTreeMap::new());
        members.report(hub, &report(hub, 2, &[me, ann], &[]));
        assert!(members.report(hub, &report(other, 7, &[bob], &[])));
        assert!(!members.report(hub, &report(other, 7, &[bob], &[])), "no news");
        assert_eq!(members.of("r", &me), ([ann, bob].into(), 8));
        members.report(hub, &report(other, 0, &[], &[bob]));
        assert_eq!(members.of("r", &me), ([ann].into(), 1));
        members.forget(&hub);
        members.set_direct(BTreeMap::new(), BTreeMap::new());
        assert_eq!(members.of("r", &me), (BTreeSet::new(), 0));
    }

    #[test]
    fn a_hub_that_invents_hubs_names_no_more_than_a_few_hundred() {
        let (mut members, source) = (Members::default(), PeerId::random());
        for _ in 0..40 {
            let named: Vec<PeerId> = (0..50).map(|_| PeerId::random()).collect();
            members.report(source, &report(PeerId::random(), 50, &named, &[]));
        }
        let (listed, total) = members.of("r", &source);
        assert_eq!((listed.len(), total), (MAX_NAMED_PER_SOURCE, 40 * 50), "the others count without their names");
    }

    #[test]
    fn a_hub_names_so_many_in_all_and_its_other_members_count() {
        let (mut members, source, me) = (Members::default(), PeerId::random(), PeerId::random());
        let rooms: Vec<String> = (0..300).map(|n| format!("room {n}")).collect();
        for room in &rooms {
            let named: Vec<PeerId> = (0..MAX_LISTED_MEMBERS).map(|_| PeerId::random()).collect();
            members.report(source, &Report { room: room.clone(), ..report(source, 50, &named, &[]) });
        }
        let named = rooms.iter().map(|room| members.of(room, &me).0.len()).sum::<usize>();
        assert_eq!(named, MAX_NAMES_PER_SOURCE);
        assert!(rooms.iter().all(|room| members.of(room, &me).1 == 50));
        // What is taken back makes room for others.
        let nobody = |room: &String| Report { room: room.clone(), total: 0, ..report(source, 0, &[], &[]) };
        let listed: Vec<PeerId> = members.of(&rooms[0], &me).0.into_iter().collect();
        assert!(members.has_listed(&source, &rooms[0]));
        members
            .report(source, &Report { left: listed.iter().map(|peer| peer.to_bytes()).collect(), ..nobody(&rooms[0]) });
        assert!(!members.has_listed(&source, &rooms[0]));
        members.report(source, &Report { room: rooms[1].clone(), total: 0, ..report(source, 0, &[], &[]) });
        let named: Vec<PeerId> = (0..MAX_LISTED_MEMBERS).map(|_| PeerId::random()).collect();
        members.report(source, &Report { room: "new".into(), ..report(source, 50, &named, &[]) });
        assert_eq!(members.of("new", &me).0.len(), MAX_LISTED_MEMBERS);
        assert_eq!(members.of(&rooms[0], &me).1, 0, "forgotten");
    }

    #[test]
    fn who_uses_another_program_is_counted_once() {
        let [me, ann, bob, js, hub] = [(); 5].map(|()| PeerId::random());
        let mut members = Members::default();
        members.set_direct([("r".to_owned(), [ann, js].into())].into(), [("r".to_owned(), [js].into())].into());
        assert!(!members.local_is_foreign("r"), "as many use Tincan");
        assert_eq!(members.foreign("r", &me), 1);
        members.report(hub, &Report { foreign: 2, ..report(hub, 3, &[js, bob], &[]) });
        assert_eq!((members.of("r", &me).1, members.foreign("r", &me)), (4, 2));
        members.report(hub, &Report { foreign: 9, ..report(hub, 1, &[], &[bob]) });
        assert_eq!(members.foreign("r", &me), 1, "no more than are there");
        members.set_direct([("r".to_owned(), [js].into())].into(), [("r".to_owned(), [js].into())].into());
        assert!(members.local_is_foreign("r") && !members.local_is_foreign("elsewhere"));
    }
}
