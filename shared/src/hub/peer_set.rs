//! A set of peers that takes little memory when it is small: a room mostly has few members, and there may be very many
//! rooms. A `BTreeSet` of one peer takes about 900 bytes.

use std::collections::BTreeMap;

use libp2p::PeerId;

use crate::room_id::RoomId;

/// Peers in order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PeerSet(Vec<PeerId>);

/// Peers in each room; rooms without any are left out.
pub(crate) type PeersByRoom = BTreeMap<RoomId, PeerSet>;

impl PeerSet {
    pub(crate) fn contains(&self, peer: &PeerId) -> bool {
        self.0.binary_search(peer).is_ok()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, PeerId> {
        self.0.iter()
    }

    /// Says whether it is new.
    fn insert(&mut self, peer: PeerId) -> bool {
        let Err(at) = self.0.binary_search(&peer) else { return false };
        if self.0.capacity() == 0 {
            // A vector of one that grows has space for four at once.
            self.0.reserve_exact(1);
        }
        self.0.insert(at, peer);
        true
    }

    /// Says whether it was there.
    fn remove(&mut self, peer: &PeerId) -> bool {
        let Ok(at) = self.0.binary_search(peer) else { return false };
        self.0.remove(at);
        true
    }
}

/// Puts a peer into a room of these or takes it out. Says whether that changes anything.
pub(super) fn place(rooms: &mut PeersByRoom, room: &RoomId, peer: PeerId, is_there: bool) -> bool {
    if is_there {
        return match rooms.get_mut(room) {
            Some(peers) => peers.insert(peer),
            None => rooms.entry(room.clone()).or_default().insert(peer),
        };
    }
    let Some(peers) = rooms.get_mut(room) else { return false };
    let was_there = peers.remove(&peer);
    if peers.0.is_empty() {
        rooms.remove(room);
    }
    was_there
}

impl<'a> IntoIterator for &'a PeerSet {
    type Item = &'a PeerId;
    type IntoIter = std::slice::Iter<'a, PeerId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<const N: usize> From<[PeerId; N]> for PeerSet {
    fn from(peers: [PeerId; N]) -> Self {
        let mut set = Self::default();
        peers.into_iter().for_each(|peer| _ = set.insert(peer));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_in_order_and_each_once() {
        let [ann, bob, eve] = [(); 3].map(|()| PeerId::random());
        let peers = PeerSet::from([bob, ann, bob]);
        assert_eq!(peers, PeerSet::from([ann, bob]));
        assert!(peers.contains(&ann) && !peers.contains(&eve));
        assert!(peers.iter().is_sorted());
    }

    #[test]
    fn a_room_that_everybody_left_is_left_out() {
        let (mut rooms, peer, room) = (PeersByRoom::new(), PeerId::random(), RoomId::from("r"));
        assert!(!place(&mut rooms, &room, peer, false));
        assert!(place(&mut rooms, &room, peer, true) && !place(&mut rooms, &room, peer, true));
        assert!(place(&mut rooms, &room, peer, false) && rooms.is_empty());
    }
}
