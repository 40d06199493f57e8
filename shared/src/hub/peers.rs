//! A set of peers that takes little memory when it is small: a room mostly has few members, and there may be very many
//! rooms. A `BTreeSet` of one peer takes about 900 bytes.

use std::collections::BTreeMap;

use libp2p::PeerId;

/// Peers in order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Peers(Box<[PeerId]>);

/// Peers in each room; rooms without any are left out.
pub(crate) type PeersByRoom = BTreeMap<String, Peers>;

impl Peers {
    pub(crate) fn contains(&self, peer: &PeerId) -> bool {
        self.0.binary_search(peer).is_ok()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, PeerId> {
        self.0.iter()
    }
}

impl From<Vec<PeerId>> for Peers {
    fn from(mut peers: Vec<PeerId>) -> Self {
        peers.sort_unstable();
        peers.dedup();
        Self(peers.into())
    }
}

impl<const N: usize> From<[PeerId; N]> for Peers {
    fn from(peers: [PeerId; N]) -> Self {
        Vec::from(peers).into()
    }
}

impl FromIterator<PeerId> for Peers {
    fn from_iter<I: IntoIterator<Item = PeerId>>(peers: I) -> Self {
        peers.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a Peers {
    type Item = &'a PeerId;
    type IntoIter = std::slice::Iter<'a, PeerId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Who is in which room, in the making.
#[derive(Debug, Default)]
pub(crate) struct Collected(BTreeMap<String, Vec<PeerId>>);

impl Collected {
    pub(crate) fn add(&mut self, room: &str, peer: PeerId) {
        match self.0.get_mut(room) {
            Some(peers) => peers.push(peer),
            // Most rooms that a crowd of strangers makes up have one member.
            None => drop(self.0.insert(room.to_owned(), vec![peer])),
        }
    }

    pub(crate) fn done(self) -> PeersByRoom {
        self.0.into_iter().map(|(room, peers)| (room, peers.into())).collect()
    }
}

/// Rooms that differ, found in one pass over both.
pub(crate) fn differing<'a>(old: &'a PeersByRoom, new: &'a PeersByRoom) -> impl Iterator<Item = &'a String> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    std::iter::from_fn(move || {
        loop {
            let (Some((before, was)), Some((after, is))) = (old.peek(), new.peek()) else {
                return old.next().or_else(|| new.next()).map(|(room, _)| room);
            };
            let (order, same) = (before.cmp(after), was == is);
            let (first, second) = match order {
                std::cmp::Ordering::Less => (old.next(), None),
                std::cmp::Ordering::Greater => (None, new.next()),
                std::cmp::Ordering::Equal => (old.next(), new.next()),
            };
            if order.is_ne() || !same {
                return first.or(second).map(|(room, _)| room);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_in_order_and_each_once() {
        let [ann, bob, eve] = [(); 3].map(|()| PeerId::random());
        let mut collected = Collected::default();
        for peer in [bob, ann, bob] {
            collected.add("r", peer);
        }
        let rooms = collected.done();
        assert_eq!(rooms["r"], Peers::from([ann, bob]));
        assert!(rooms["r"].contains(&ann) && !rooms["r"].contains(&eve));
        assert!(rooms["r"].iter().is_sorted());
    }

    #[test]
    fn rooms_differ_that_came_went_or_have_other_members() {
        let [ann, bob] = [(); 2].map(|()| PeerId::random());
        let rooms = |rooms: &[(&str, PeerId)]| -> PeersByRoom {
            rooms.iter().map(|(room, peer)| ((*room).to_owned(), [*peer].into())).collect()
        };
        let old = rooms(&[("a", ann), ("b", ann), ("d", ann), ("f", ann), ("g", ann)]);
        let new = rooms(&[("b", ann), ("c", ann), ("d", bob), ("f", ann)]);
        let found: Vec<&String> = differing(&old, &new).collect();
        assert_eq!(found, ["a", "c", "d", "g"]);
        assert_eq!(differing(&old, &old).count(), 0);
        assert_eq!(differing(&old, &PeersByRoom::new()).count(), old.len());
    }
}
