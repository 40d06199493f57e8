//! With whom to be connected directly, where a room has more members than that.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use libp2p::PeerId;

/// A room as the choice sees it.
#[derive(Debug, Default)]
pub(crate) struct RoomView {
    /// Members that take direct connections, or have one with us.
    pub(crate) members: BTreeSet<PeerId>,
    /// Who spoke last, the latest first.
    pub(crate) speakers: Vec<PeerId>,
}

/// At most `most` peers, those that matter most first.
pub(crate) fn choose(me: PeerId, rooms: &[RoomView], most: usize) -> Vec<PeerId> {
    let neighbours = rooms.iter().flat_map(|room| neighbours(me, &room.members));
    let speakers = rooms.iter().flat_map(|room| room.speakers.iter().filter(|peer| room.members.contains(peer)));
    let all: BTreeSet<PeerId> = rooms.iter().flat_map(|room| &room.members).copied().collect();
    let mut others: Vec<PeerId> = all.into_iter().collect();
    others.sort_by_key(|peer| lot(me, *peer));
    let mut chosen: Vec<PeerId> = Vec::new();
    for peer in neighbours.chain(speakers.copied()).chain(others) {
        if chosen.len() == most {
            break;
        }
        if peer != me && !chosen.contains(&peer) {
            chosen.push(peer);
        }
    }
    chosen
}

/// The members before and behind us, by peer id and in a ring.
fn neighbours(me: PeerId, members: &BTreeSet<PeerId>) -> impl Iterator<Item = PeerId> {
    let next = members.range(me..).find(|peer| **peer != me).or_else(|| members.first());
    let before = members.range(..me).next_back().or_else(|| members.last());
    next.into_iter().chain(before).copied()
}

/// A number that both draw for a pair of peers, so that who wants the other is wanted by it.
fn lot(one: PeerId, other: PeerId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (one.min(other), one.max(other)).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_of_few_connections_each_is_one_network() {
        for size in [2, 3, 10, 50] {
            let members: BTreeSet<PeerId> = (0..size).map(|_| PeerId::random()).collect();
            let chosen = |me: PeerId| choose(me, &[RoomView { members: members.clone(), speakers: vec![] }], 3);
            let mut reached: BTreeSet<PeerId> = members.first().into_iter().copied().collect();
            for _ in 0..size {
                let next: Vec<PeerId> = reached.iter().flat_map(|peer| chosen(*peer)).collect();
                reached.extend(next);
            }
            assert_eq!(reached, members);
            assert!(members.iter().all(|me| chosen(*me).len() == 3.min(size - 1) && !chosen(*me).contains(me)));
        }
    }

    #[test]
    fn who_speaks_goes_before_others() {
        let (me, speaker) = (PeerId::random(), PeerId::random());
        let members: BTreeSet<PeerId> = (0..40).map(|_| PeerId::random()).chain([me, speaker]).collect();
        let stranger = PeerId::random();
        let rooms = [RoomView { members, speakers: vec![stranger, me, speaker] }];
        let chosen = choose(me, &rooms, 3);
        assert!(chosen.len() == 3 && chosen.contains(&speaker) && !chosen.contains(&stranger), "{chosen:?}");
        let two = choose(speaker, &rooms, 40);
        assert!(two.contains(&me));
    }
}
