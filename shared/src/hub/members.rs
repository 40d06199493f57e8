//! Who is in which room: what direct connections show and what hubs report, added up.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use libp2p::PeerId;

use super::wire::Report;
use crate::config::{MAX_LISTED_MEMBERS, MAX_ROOM_BYTES};

/// Rooms times hubs that one hub's stream may report on.
const MAX_REPORTS_PER_SOURCE: usize = 2048;

/// Members of one room that one hub's stream may name, at all hubs that it reports on.
const MAX_NAMED_PER_SOURCE: usize = 512;

/// Members of one room at one hub that are believed.
const MAX_TOTAL: u32 = 100_000;

/// Members of one room as one hub told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) total: u32,
    /// How many of the total use another program.
    pub(crate) foreign: u32,
    pub(crate) listed: BTreeSet<PeerId>,
}

/// What came on one hub's stream, by room and the hub reported on.
type Reports = BTreeMap<String, BTreeMap<PeerId, Listing>>;

/// Everything known about who is where.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Rooms to connected peers that are no hubs.
    direct: BTreeMap<String, BTreeSet<PeerId>>,
    /// Those of them that use another program: they list no `/tincan/sync/1.0.0`.
    foreign: BTreeMap<String, BTreeSet<PeerId>>,
    /// By the hub whose stream it came on.
    reports: HashMap<PeerId, Reports>,
}

impl Members {
    /// Takes a new picture of the direct connections' subscriptions.
    pub(crate) fn set_direct(
        &mut self,
        direct: BTreeMap<String, BTreeSet<PeerId>>,
        foreign: BTreeMap<String, BTreeSet<PeerId>>,
    ) {
        (self.direct, self.foreign) = (direct, foreign);
    }

    /// Takes a hub's word. Nonsense in it is passed over.
    pub(crate) fn report(&mut self, source: PeerId, report: &Report) {
        let Ok(hub) = PeerId::from_bytes(&report.hub) else { return };
        if report.room.len() > MAX_ROOM_BYTES {
            return;
        }
        let reports = self.reports.entry(source).or_default();
        let is_new = !reports.get(&report.room).is_some_and(|hubs| hubs.contains_key(&hub));
        if is_new && reports.values().map(BTreeMap::len).sum::<usize>() >= MAX_REPORTS_PER_SOURCE {
            return;
        }
        let hubs = reports.entry(report.room.clone()).or_default();
        let elsewhere = hubs.iter().filter(|(other, _)| **other != hub).map(|(_, known)| known.listed.len()).sum();
        let most = MAX_NAMED_PER_SOURCE.saturating_sub(elsewhere).min(MAX_LISTED_MEMBERS + 1);
        let known = hubs.entry(hub).or_default();
        for left in peers(&report.left) {
            known.listed.remove(&left);
        }
        known.listed.extend(peers(&report.joined));
        // A hub that lists more than it may is cut, not believed.
        while known.listed.len() > most {
            known.listed.pop_last();
        }
        known.total = report.total.min(MAX_TOTAL);
        known.foreign = report.foreign.min(known.total);
        if known.total == 0 && known.listed.is_empty() {
            hubs.remove(&hub);
            if hubs.is_empty() {
                reports.remove(&report.room);
            }
        }
    }

    /// A hub's stream ended: what it said no longer holds.
    pub(crate) fn forget(&mut self, source: &PeerId) {
        self.reports.remove(source);
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
    pub(crate) fn remote(&self, room: &str) -> BTreeMap<PeerId, &Listing> {
        let mut remote = BTreeMap::new();
        for (source, reports) in &self.reports {
            for (hub, report) in reports.get(room).into_iter().flatten() {
                if hub == source || !remote.contains_key(hub) {
                    remote.insert(*hub, report);
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
            let named = u32::try_from(report.listed.len()).unwrap_or(u32::MAX);
            unlisted = u32::saturating_add(unlisted, report.total.saturating_sub(named));
            listed.extend(&report.listed);
        }
        listed.remove(me);
        let total = u32::try_from(listed.len()).unwrap_or(u32::MAX).saturating_add(unlisted);
        (listed, total)
    }

    /// How many of those whom [`Self::of`] counts use another program. Older hubs do not tell.
    pub(crate) fn foreign(&self, room: &str, me: &PeerId) -> u32 {
        let remote = self.remote(room);
        let told = || remote.iter().filter(|(hub, _)| *hub != me).map(|(_, report)| *report);
        let is_told = |peer: &&PeerId| told().any(|report| report.listed.contains(*peer));
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
        members.report(hub, &report(other, 7, &[bob], &[]));
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
