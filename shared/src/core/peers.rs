//! Who is connected, how, and which rooms each takes part in.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};

use crate::{Path, PeerInfo, paths::how, room_id::RoomId};

/// Rooms of one peer that are looked at.
pub(crate) const MAX_ROOMS_PER_PEER: usize = 64;
/// Rooms of all peers that are looked at, each counted for each peer. Once there are more, newcomers' share is smaller.
const MAX_ROOMS_OF_ALL: usize = 65_536;
/// Rooms of each peer that are looked at even so.
const MIN_ROOMS_PER_PEER: usize = 16;

/// One connection of a peer.
#[derive(Debug, Clone)]
pub(super) struct Connected {
    pub(super) id: ConnectionId,
    pub(super) address: Multiaddr,
    /// Whether this node dialled it.
    pub(super) is_dialled: bool,
}

/// A connected peer.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) info: PeerInfo,
    pub(super) identified: bool,
    /// Whether it is a hub that greeted us and did not tell us to stay away.
    pub(super) welcome: bool,
    /// Whether it lists `/tincan/sync/1.0.0` in identify.
    pub(super) syncs: bool,
    /// Whether the person or operator of this node had it dialled.
    pub(super) chosen: bool,
    connections: Vec<Connected>,
}

/// Rooms that one peer is subscribed to.
#[derive(Debug, Default)]
struct Subscriptions {
    /// Those it counts as a member of.
    counted: BTreeSet<RoomId>,
    /// Others, beyond the bounds.
    uncounted: BTreeSet<RoomId>,
}

/// Everybody connected, and who is subscribed to what.
#[derive(Debug, Default)]
pub(super) struct Peers {
    known: BTreeMap<PeerId, Peer>,
    connections: usize,
    /// Of whoever is connected, also while it is being refused.
    subscriptions: BTreeMap<PeerId, Subscriptions>,
    subscribers: BTreeMap<RoomId, BTreeSet<PeerId>>,
    counted: usize,
}

impl Peers {
    pub(super) fn get(&self, peer: &PeerId) -> Option<&Peer> {
        self.known.get(peer)
    }

    pub(super) fn get_mut(&mut self, peer: &PeerId) -> Option<&mut Peer> {
        self.known.get_mut(peer)
    }

    pub(super) fn is_connected(&self, peer: &PeerId) -> bool {
        self.known.contains_key(peer)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.known.keys().copied()
    }

    pub(super) fn infos(&self) -> impl Iterator<Item = &PeerInfo> {
        self.known.values().map(|peer| &peer.info)
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Connections of all these peers.
    pub(super) fn connections(&self) -> usize {
        self.connections
    }

    pub(super) fn all_connections(&self) -> impl Iterator<Item = &Connected> {
        self.known.values().flat_map(|peer| &peer.connections)
    }

    /// One more connection. Says whether it is the peer's first.
    pub(super) fn connected(&mut self, peer: PeerId, connection: Connected, since_ms: u64) -> bool {
        self.connections += 1;
        if let Some(known) = self.known.get_mut(&peer) {
            known.connections.push(connection);
            return false;
        }
        self.known.insert(peer, Peer::new(peer, connection, since_ms));
        true
    }

    /// One connection less.
    pub(super) fn disconnected(&mut self, peer: &PeerId, connection: ConnectionId) {
        if let Some(known) = self.known.get_mut(peer) {
            let before = known.connections.len();
            known.connections.retain(|known| known.id != connection);
            self.connections -= before - known.connections.len();
        }
    }

    /// The last connection is gone. Says who it was, if it was let in.
    pub(super) fn gone(&mut self, peer: &PeerId) -> Option<Peer> {
        let gone = self.known.remove(peer)?;
        self.connections -= gone.connections.len();
        Some(gone)
    }

    /// Forgets what a peer that is gone was subscribed to. Returns the rooms that it counted in.
    pub(super) fn unsubscribe_all(&mut self, peer: &PeerId) -> BTreeSet<RoomId> {
        let Some(Subscriptions { counted, uncounted }) = self.subscriptions.remove(peer) else {
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
        let theirs = self.subscriptions.entry(peer).or_default();
        let most = if self.counted < MAX_ROOMS_OF_ALL { MAX_ROOMS_PER_PEER } else { MIN_ROOMS_PER_PEER };
        // Names that are no room's are carried for nobody.
        let counts = theirs.counted.len() < most && crate::text::check_room(&room).is_ok();
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
        let Some(theirs) = self.subscriptions.get_mut(peer) else { return Vec::new() };
        theirs.uncounted.remove(&room);
        if !theirs.counted.remove(&room) {
            return Vec::new();
        }
        self.counted -= 1;
        let next = theirs.uncounted.iter().find(|room| crate::text::check_room(room).is_ok()).cloned();
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
        self.subscriptions.get(peer).into_iter().flat_map(|theirs| &theirs.counted)
    }

    /// Whether a peer counts in a room that it is subscribed to.
    pub(super) fn is_counted(&self, peer: &PeerId, room: &RoomId) -> bool {
        self.subscriptions.get(peer).is_some_and(|theirs| theirs.counted.contains(room))
    }

    /// Who is subscribed to a room.
    pub(super) fn subscribers(&self, room: &str) -> impl Iterator<Item = &PeerId> {
        self.subscribers.get(room).into_iter().flatten()
    }

    /// Whether a peer's subscriptions make it a member. A hub's is carriage, and who is not yet identified may be one.
    pub(super) fn counts(&self, peer: &PeerId) -> bool {
        self.known.get(peer).is_some_and(|known| known.identified && !known.info.hub)
    }

    pub(super) fn is_hub(&self, peer: &PeerId) -> bool {
        self.known.get(peer).is_some_and(|known| known.info.hub)
    }

    /// Whether a peer lists `/tincan/sync/1.0.0`, as every Tincan does; nothing while it is not identified.
    pub(super) fn syncs(&self, peer: &PeerId) -> Option<bool> {
        self.known.get(peer).filter(|known| known.identified).map(|known| known.syncs)
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        use crate::bounded::bounded;
        let counted = |theirs: &Subscriptions| theirs.counted.len();
        let of_one = self.subscriptions.values().map(counted).max().unwrap_or_default();
        let of_all: usize = self.subscriptions.values().map(counted).sum();
        let connections: usize = self.known.values().map(|known| known.connections.len()).sum();
        vec![
            bounded("MAX_ROOMS_PER_PEER", of_one, MAX_ROOMS_PER_PEER),
            bounded("MAX_ROOMS_OF_ALL", self.counted, MAX_ROOMS_OF_ALL + self.subscriptions.len() * MIN_ROOMS_PER_PEER),
            bounded("the count of rooms of all peers", self.counted.abs_diff(of_all), 0),
            bounded("the count of connections", self.connections.abs_diff(connections), 0),
        ]
    }

    #[cfg(feature = "sim")]
    pub(super) fn remembered(&self) -> Vec<crate::bounded::Remembered> {
        let subscribers: BTreeSet<PeerId> = self.subscribers.values().flatten().copied().collect();
        vec![
            ("peers", self.known.keys().copied().collect()),
            ("subscriptions", self.subscriptions.keys().copied().collect()),
            ("subscribers", subscribers.into_iter().collect()),
        ]
    }

    /// Whether this node dialled a peer that is connected.
    pub(super) fn is_dialled(&self, peer: &PeerId) -> bool {
        self.known.get(peer).is_some_and(|known| known.connections.iter().any(|connection| connection.is_dialled))
    }
}

impl Peer {
    fn new(peer: PeerId, connection: Connected, since_ms: u64) -> Self {
        let (path, transport) = how(&connection.address);
        let info = PeerInfo {
            peer,
            address: connection.address.clone(),
            hub: false,
            path,
            transport,
            agent: None,
            rtt_us: None,
            since_ms,
        };
        Self { info, identified: false, welcome: false, syncs: false, chosen: false, connections: vec![connection] }
    }

    pub(super) fn connections(&self) -> &[Connected] {
        &self.connections
    }

    /// Describes it by its best connection: a direct one goes before a relayed one.
    pub(super) fn describe(&mut self) {
        let best = self.connections.iter().min_by_key(|connection| how(&connection.address).0 == Path::Relayed);
        if let Some(best) = best {
            (self.info.path, self.info.transport) = how(&best.address);
            self.info.address = best.address.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_counts_in_so_many_rooms_and_another_takes_the_place_of_one_it_leaves() {
        let (mut peers, peer) = (Peers::default(), PeerId::random());
        for n in 0..MAX_ROOMS_PER_PEER {
            assert!(peers.subscribe(peer, &format!("room{n:03}")));
        }
        assert!(!peers.subscribe(peer, "late") && peers.subscribers("late").eq([&peer]));
        assert!(!peers.subscribe(peer, "room000"), "nothing new");
        assert_eq!(peers.unsubscribe(&peer, "room000"), ["room000".into(), "late".into()]);
        assert_eq!(peers.rooms_of(&peer).count(), MAX_ROOMS_PER_PEER);
        assert_eq!(peers.unsubscribe_all(&peer).len(), MAX_ROOMS_PER_PEER);
        assert_eq!((peers.counted, peers.subscribers.len(), peers.subscriptions.len()), (0, 0, 0));
    }

    #[test]
    fn a_crowd_in_many_rooms_leaves_a_newcomer_a_smaller_share() {
        let mut peers = Peers::default();
        for _ in 0..MAX_ROOMS_OF_ALL / MAX_ROOMS_PER_PEER {
            let peer = PeerId::random();
            (0..MAX_ROOMS_PER_PEER).for_each(|n| _ = peers.subscribe(peer, &n.to_string()));
        }
        let late = PeerId::random();
        let counted = (0..MAX_ROOMS_PER_PEER).filter(|n| peers.subscribe(late, &n.to_string())).count();
        assert_eq!(counted, MIN_ROOMS_PER_PEER);
    }
}
