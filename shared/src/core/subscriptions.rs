//! Which rooms each peer takes part in: an index from peers to rooms, and one from rooms to peers.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;

use crate::{room_id::RoomId, text::check_room};

/// Rooms of one peer that are looked at.
pub(crate) const MAX_ROOMS_PER_PEER: usize = 64;
/// Rooms of all peers that are looked at, each counted for each peer. Once there are more, newcomers' share is smaller.
const MAX_ROOMS_OF_ALL: usize = 65_536;
/// Rooms of each peer that are looked at even so.
const MIN_ROOMS_PER_PEER: usize = 16;

/// Rooms that one peer is subscribed to.
#[derive(Debug, Default)]
struct Rooms {
    /// Those it counts as a member of.
    counted: BTreeSet<RoomId>,
    /// Others, beyond the bounds.
    uncounted: BTreeSet<RoomId>,
}

/// Who is subscribed to what, of whoever is connected, also while it is being refused.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    rooms: BTreeMap<PeerId, Rooms>,
    subscribers: BTreeMap<RoomId, BTreeSet<PeerId>>,
    counted: usize,
}

impl Subscriptions {
    /// Forgets what a peer that is gone was subscribed to. Returns the rooms that it counted in.
    pub(super) fn unsubscribe_all(&mut self, peer: &PeerId) -> BTreeSet<RoomId> {
        let Some(Rooms { counted, uncounted }) = self.rooms.remove(peer) else {
            return BTreeSet::new();
        };
        self.counted -= counted.len();
        for room in counted.iter().chain(&uncounted) {
            self.unlist(peer, room);
        }
        counted
    }

    /// A peer subscribed. Says whether it counts in the room.
    pub(super) fn subscribe(&mut self, peer: PeerId, room: &str) -> bool {
        let room = self.subscribers.get_key_value(room).map_or_else(|| RoomId::from(room), |(known, _)| known.clone());
        if !self.subscribers.entry(room.clone()).or_default().insert(peer) {
            return false;
        }
        let theirs = self.rooms.entry(peer).or_default();
        let most = if self.counted < MAX_ROOMS_OF_ALL { MAX_ROOMS_PER_PEER } else { MIN_ROOMS_PER_PEER };
        // Names that are no room's are carried for nobody.
        let counts = theirs.counted.len() < most && check_room(&room).is_ok();
        if counts {
            self.counted += 1;
            theirs.counted.insert(room);
        } else {
            theirs.uncounted.insert(room);
        }
        counts
    }

    /// A peer unsubscribed. Returns rooms in which it now counts, or no longer.
    pub(super) fn unsubscribe(&mut self, peer: &PeerId, room: &str) -> Vec<RoomId> {
        let Some((room, _)) = self.subscribers.get_key_value(room) else { return Vec::new() };
        let room = room.clone();
        self.unlist(peer, &room);
        let Some(theirs) = self.rooms.get_mut(peer) else { return Vec::new() };
        theirs.uncounted.remove(&room);
        if !theirs.counted.remove(&room) {
            return Vec::new();
        }
        self.counted -= 1;
        let next = theirs.uncounted.iter().find(|room| check_room(room).is_ok()).cloned();
        let next = next.filter(|_| theirs.counted.len() < MIN_ROOMS_PER_PEER || self.counted < MAX_ROOMS_OF_ALL);
        if let Some(next) = &next {
            theirs.uncounted.remove(next);
            theirs.counted.insert(next.clone());
            self.counted += 1;
        }
        std::iter::once(room).chain(next).collect()
    }

    fn unlist(&mut self, peer: &PeerId, room: &RoomId) {
        let Some(there) = self.subscribers.get_mut(room) else { return };
        there.remove(peer);
        if there.is_empty() {
            self.subscribers.remove(room);
        }
    }

    /// The rooms in which a peer counts.
    pub(super) fn rooms_of(&self, peer: &PeerId) -> impl Iterator<Item = &RoomId> {
        self.rooms.get(peer).into_iter().flat_map(|theirs| &theirs.counted)
    }

    /// Whether a peer counts in a room that it is subscribed to.
    pub(super) fn is_counted(&self, peer: &PeerId, room: &RoomId) -> bool {
        self.rooms.get(peer).is_some_and(|theirs| theirs.counted.contains(room))
    }

    /// Who is subscribed to a room.
    pub(super) fn subscribers(&self, room: &str) -> impl Iterator<Item = &PeerId> {
        self.subscribers.get(room).into_iter().flatten()
    }

    pub(super) fn is_subscribed(&self, peer: &PeerId, room: &str) -> bool {
        self.subscribers.get(room).is_some_and(|there| there.contains(peer))
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        use crate::bounded::bounded;
        let counted = |theirs: &Rooms| theirs.counted.len();
        let of_one = self.rooms.values().map(counted).max().unwrap_or_default();
        let of_all: usize = self.rooms.values().map(counted).sum();
        vec![
            bounded("MAX_ROOMS_PER_PEER", of_one, MAX_ROOMS_PER_PEER),
            bounded("MAX_ROOMS_OF_ALL", self.counted, MAX_ROOMS_OF_ALL + self.rooms.len() * MIN_ROOMS_PER_PEER),
            bounded("the count of rooms of all peers", self.counted.abs_diff(of_all), 0),
        ]
    }

    #[cfg(feature = "sim")]
    pub(super) fn remembered(&self) -> Vec<crate::bounded::Remembered> {
        let subscribers: BTreeSet<PeerId> = self.subscribers.values().flatten().copied().collect();
        vec![
            ("subscriptions", self.rooms.keys().copied().collect()),
            ("subscribers", subscribers.into_iter().collect()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_counts_in_so_many_rooms_and_another_takes_the_place_of_one_it_leaves() {
        let (mut all, peer) = (Subscriptions::default(), PeerId::random());
        for n in 0..MAX_ROOMS_PER_PEER {
            assert!(all.subscribe(peer, &format!("room{n:03}")));
        }
        assert!(!all.subscribe(peer, "late") && all.subscribers("late").eq([&peer]));
        assert!(!all.subscribe(peer, "room000"), "nothing new");
        assert_eq!(all.unsubscribe(&peer, "room000"), ["room000".into(), "late".into()]);
        assert_eq!(all.rooms_of(&peer).count(), MAX_ROOMS_PER_PEER);
        assert_eq!(all.unsubscribe_all(&peer).len(), MAX_ROOMS_PER_PEER);
        assert_eq!((all.counted, all.subscribers.len(), all.rooms.len()), (0, 0, 0));
    }

    #[test]
    fn a_crowd_in_many_rooms_leaves_a_newcomer_a_smaller_share() {
        let mut all = Subscriptions::default();
        for _ in 0..MAX_ROOMS_OF_ALL / MAX_ROOMS_PER_PEER {
            let peer = PeerId::random();
            (0..MAX_ROOMS_PER_PEER).for_each(|n| _ = all.subscribe(peer, &n.to_string()));
        }
        let late = PeerId::random();
        let counted = (0..MAX_ROOMS_PER_PEER).filter(|n| all.subscribe(late, &n.to_string())).count();
        assert_eq!(counted, MIN_ROOMS_PER_PEER);
    }
}
