//! A hub's side of `/tincan/hub/1.0.0`: who asked about which rooms, and what each was told last.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;

use super::{
    members::{Listing, Members},
    wire::{Report, Watch},
};
use crate::config::{MAX_LISTED_MEMBERS, MAX_ROOM_BYTES};

/// Rooms one peer may ask about: as many as a hub carries, since hubs ask about all of theirs.
pub(crate) const MAX_WATCHED: usize = 512;

#[derive(Debug, Default)]
struct Watcher {
    local_only: bool,
    rooms: BTreeSet<String>,
    /// What its side of the stream holds, by room and hub; a room it no longer asks about is told empty first.
    told: BTreeMap<String, BTreeMap<PeerId, Listing>>,
}

/// Everybody who asked.
#[derive(Debug)]
pub(crate) struct Desk {
    me: PeerId,
    watchers: BTreeMap<PeerId, Watcher>,
}

impl Desk {
    pub(crate) fn new(me: PeerId) -> Self {
        Self { me, watchers: BTreeMap::new() }
    }

    /// A peer opened its stream: it knows nothing yet.
    pub(crate) fn open(&mut self, peer: PeerId) {
        self.watchers.insert(peer, Watcher::default());
    }

    /// Its stream ended.
    pub(crate) fn close(&mut self, peer: &PeerId) {
        self.watchers.remove(peer);
    }

    /// It said what it wants to know about. Says whether the wish is within bounds; if not it is cut.
    pub(crate) fn watch(&mut self, peer: PeerId, watch: Watch) -> bool {
        let Some(watcher) = self.watchers.get_mut(&peer) else { return true };
        let asked = watch.rooms.len();
        watcher.local_only = watch.local_only;
        watcher.rooms = watch.rooms.into_iter().filter(|room| room.len() <= MAX_ROOM_BYTES).take(MAX_WATCHED).collect();
        asked <= MAX_WATCHED
    }

    /// What has to be told to whom, now that the members are these.
    pub(crate) fn update(&mut self, members: &Members) -> Vec<(PeerId, Report)> {
        let mut reports = Vec::new();
        for (peer, watcher) in &mut self.watchers {
            let unasked: Vec<String> =
                watcher.told.keys().filter(|room| !watcher.rooms.contains(*room)).cloned().collect();
            for room in watcher.rooms.iter().chain(&unasked) {
                let mut now: BTreeMap<PeerId, Listing> = BTreeMap::new();
                if watcher.rooms.contains(room) {
                    let foreign = members.local_foreign(room);
                    now.extend(members.local(room).map(|local| (self.me, listing(local, foreign, peer))));
                    if !watcher.local_only {
                        // Nobody speaks for this hub but itself, and nobody is told his own word.
                        let others = members.remote(room).into_iter().filter(|(hub, _)| *hub != self.me && hub != peer);
                        now.extend(others.map(|(hub, known)| (hub, known.clone())));
                    }
                    now.retain(|_, listing| *listing != Listing::default());
                }
                let old = watcher.told.get(room);
                if old.is_none() && now.is_empty() || old == Some(&now) {
                    continue;
                }
                let old = watcher.told.remove(room).unwrap_or_default();
                reports.extend(differences(room, &old, &now).map(|report| (*peer, report)));
                if !now.is_empty() {
                    watcher.told.insert(room.clone(), now);
                }
            }
        }
        reports
    }
}

fn differences<'a>(
    room: &'a str,
    old: &'a BTreeMap<PeerId, Listing>,
    new: &'a BTreeMap<PeerId, Listing>,
) -> impl Iterator<Item = Report> + use<'a> {
    let hubs: BTreeSet<&PeerId> = old.keys().chain(new.keys()).collect();
    hubs.into_iter().filter(|hub| old.get(hub) != new.get(hub)).map(move |hub| {
        let of = |known: &BTreeMap<PeerId, Listing>| known.get(hub).cloned().unwrap_or_default();
        difference(room, *hub, &of(old), &of(new))
    })
}

/// All members up to the bound, above it a sample; the asker left out.
fn listing(members: &BTreeSet<PeerId>, foreign: Option<&BTreeSet<PeerId>>, asker: &PeerId) -> Listing {
    let others = members.iter().filter(|member| *member != asker);
    let foreign = foreign.into_iter().flatten().filter(|member| *member != asker);
    Listing {
        total: u32::try_from(others.clone().count()).unwrap_or(u32::MAX),
        foreign: u32::try_from(foreign.count()).unwrap_or(u32::MAX),
        listed: others.take(MAX_LISTED_MEMBERS).copied().collect(),
    }
}

fn difference(room: &str, hub: PeerId, old: &Listing, new: &Listing) -> Report {
    let bytes = |peers: &BTreeSet<PeerId>, without: &BTreeSet<PeerId>| {
        peers.difference(without).map(|peer| peer.to_bytes()).collect()
    };
    Report {
        room: room.to_owned(),
        hub: hub.to_bytes(),
        total: new.total,
        joined: bytes(&new.listed, &old.listed),
        left: bytes(&old.listed, &new.listed),
        foreign: new.foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once_and_nobody_is_told_of_himself() {
        let [me, ann, bob] = [(); 3].map(|()| PeerId::random());
        let (mut desk, mut members) = (Desk::new(me), Members::default());
        desk.open(ann);
        desk.watch(ann, Watch { rooms: vec!["r".into()], local_only: false });
        members.set_direct([("r".to_owned(), [ann, bob].into())].into(), BTreeMap::new());
        let told = desk.update(&members);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].0, told[0].1.total, told[0].1.joined.clone()), (ann, 1, vec![bob.to_bytes()]));
        assert!(desk.update(&members).is_empty());
        members.set_direct(BTreeMap::new(), BTreeMap::new());
        assert_eq!(desk.update(&members)[0].1.left, [bob.to_bytes()]);
    }

    #[test]
    fn who_asks_again_is_not_left_with_what_was_true_before() {
        let [me, ann, bob] = [(); 3].map(|()| PeerId::random());
        let (mut desk, mut members) = (Desk::new(me), Members::default());
        let watch =
            |rooms: &[&str]| Watch { rooms: rooms.iter().map(|r| (*r).to_owned()).collect(), local_only: false };
        desk.open(ann);
        desk.watch(ann, watch(&["r"]));
        members.set_direct([("r".to_owned(), [bob].into())].into(), BTreeMap::new());
        desk.update(&members);
        desk.watch(ann, watch(&[]));
        members.set_direct(BTreeMap::new(), BTreeMap::new());
        desk.watch(ann, watch(&["r"]));
        assert_eq!(desk.update(&members)[0].1.left, [bob.to_bytes()]);
    }

    #[test]
    fn a_pretended_hub_cannot_speak_for_this_one() {
        let [me, ann, liar] = [(); 3].map(|()| PeerId::random());
        let (mut desk, mut members) = (Desk::new(me), Members::default());
        desk.open(ann);
        desk.watch(ann, Watch { rooms: vec!["r".into()], local_only: false });
        let lie = Report { room: "r".into(), hub: me.to_bytes(), total: 9, ..Report::default() };
        members.report(liar, &lie);
        assert!(desk.update(&members).is_empty());
    }

    #[test]
    fn a_crowd_is_counted_and_sampled() {
        let me = PeerId::random();
        let (mut desk, mut members) = (Desk::new(me), Members::default());
        let ann = PeerId::random();
        desk.open(ann);
        desk.watch(ann, Watch { rooms: vec!["r".into()], local_only: false });
        members.set_direct([("r".to_owned(), (0..200).map(|_| PeerId::random()).collect())].into(), BTreeMap::new());
        let report = desk.update(&members).remove(0).1;
        assert_eq!((report.total, report.joined.len()), (200, MAX_LISTED_MEMBERS));
    }
}
