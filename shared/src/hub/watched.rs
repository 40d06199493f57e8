//! Rooms that watchers asked about, and what holds in each.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use libp2p::PeerId;

use super::{
    listing::{Listing, Presences},
    members::Members,
    pace::ChangePace,
    peer_set::PeerSet,
    watcher::{Told, Watcher},
};
use crate::{
    config::{LARGE_ROOM, MAX_LISTED_MEMBERS},
    room_id::RoomId,
};

/// A room that somebody asked about.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Their numbers.
    pub(super) watchers: BTreeSet<u64>,
    /// Members among this hub's own peers.
    pub(super) local: Option<Arc<Listing>>,
    /// Whether presences are handed over, and changes told less often.
    pub(super) is_large: bool,
    pub(super) pace: ChangePace,
}

impl Watched {
    /// Lists the members among this hub's own peers anew.
    pub(super) fn list(
        &mut self,
        me: PeerId,
        name: &str,
        members: &Members,
        said: &impl Fn(&str, &BTreeSet<PeerId>) -> Presences,
    ) {
        self.is_large = members.total(name, &me) as usize > LARGE_ROOM;
        let Some(local) = members.local(name) else {
            self.local = None;
            return;
        };
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (total, foreign) = (count(local.len()), count(members.local_foreign(name).map_or(0, PeerSet::len)));
        // One more than are told, since the asker is left out.
        let names: BTreeSet<PeerId> = local.iter().take(MAX_LISTED_MEMBERS + 1).copied().collect();
        let presences = if self.is_large { said(name, &names) } else { Presences::new() };
        let numbers = (total, foreign);
        if !self.local.as_ref().is_some_and(|old| old.is_of(numbers, &names, &presences)) {
            self.local = Some(Listing::new(me, numbers, &names, presences, members.tally()));
        }
    }
}

/// What a watcher is to know of a room: this hub's members, and what the others say of theirs.
pub(super) fn holds(
    me: PeerId,
    watched: Option<&Watched>,
    members: &Members,
    watcher: &Watcher,
    name: &str,
) -> Vec<Told> {
    let is_in = |room: Option<&PeerSet>| room.is_some_and(|members| members.contains(&watcher.peer));
    let local = watched.and_then(|watched| watched.local.clone());
    let mut now: Vec<Told> = Vec::new();
    now.extend(local.map(|listing| Told {
        listing,
        is_in: is_in(members.local(name)),
        is_foreign: is_in(members.local_foreign(name)),
    }));
    if !watcher.local_only {
        // Nobody speaks for this hub but itself, and nobody is told his own word.
        let others = members.remote(name).into_iter().filter(|(hub, _)| *hub != me && *hub != watcher.peer);
        now.extend(others.map(|(_, listing)| Told { listing: listing.clone(), is_in: false, is_foreign: false }));
    }
    now.retain(|told| !told.is_empty(&watcher.peer));
    now
}

/// A watcher no longer asks about a room.
pub(super) fn unlist(rooms: &mut BTreeMap<RoomId, Watched>, room: &str, number: u64) {
    let Some(watched) = rooms.get_mut(room) else { return };
    watched.watchers.remove(&number);
    if watched.watchers.is_empty() {
        rooms.remove(room);
    }
}
