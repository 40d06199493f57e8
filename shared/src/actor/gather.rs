//! Who is in which room, looked at over all connections, and what follows from it.

use libp2p::PeerId;
use n0_future::time::Instant;

use super::Actor;
use crate::{HostBehaviour, hub::peers::Collected, room::Room};

/// Rooms of one peer that are looked at.
pub(crate) const MAX_ROOMS_PER_PEER: usize = 64;
/// Rooms of all peers that are looked at, each counted for each peer. When there are more, each peer's share is smaller.
const MAX_ROOMS_OF_ALL: usize = 65_536;
/// Rooms of each peer that are looked at even so.
const MIN_ROOMS_PER_PEER: usize = 16;

impl<B: HostBehaviour> Actor<B> {
    /// Who is where may have changed: look again, after gathering what else changes.
    pub(super) fn members_changed(&mut self) {
        let now = self.now().instant;
        self.looks.changed(now);
    }

    /// When to look: something changed, or a carried room is to be let go.
    pub(super) fn look_due(&self) -> Option<Instant> {
        self.looks.deadline(self.carrier.deadline(&self.config.limits))
    }

    /// Looks at all connections anew: who is in which room, whom to tell, what to carry, what can be sent.
    pub(super) fn look_at_members(&mut self) {
        let began = self.now().instant;
        self.looks.begin();
        self.gather_members();
        if self.is_hub() {
            self.carry();
            self.tell_watchers();
        }
        self.watch_hubs();
        for name in self.rooms.keys().cloned().collect::<Vec<_>>() {
            if !self.rooms.get(&name).is_some_and(Room::is_joined) {
                continue;
            }
            self.changed.insert(name.clone());
            self.flush(&name);
        }
        let ended = self.now().instant;
        self.looks.end(began, ended);
    }

    fn gather_members(&mut self) {
        // A hub's subscription is carriage, and who is not yet identified may be one.
        let counts = |peer: &PeerId| self.peers.get(peer).is_some_and(|known| known.identified && !known.info.hub);
        let all: Vec<_> = self.swarm.behaviour().gossip.all_peers().filter(|(peer, _)| counts(peer)).collect();
        let most = rooms_per_peer(all.iter().map(|(_, topics)| topics.len()));
        let (mut direct, mut foreign) = (Collected::default(), Collected::default());
        for (peer, topics) in all {
            let is_foreign = self.syncs(peer) == Some(false);
            // Names that are no room's are carried for nobody.
            let rooms = topics.into_iter().filter(|topic| crate::text::check_room(topic.as_str()).is_ok());
            for topic in rooms.take(most) {
                direct.add(topic.as_str(), *peer);
                if is_foreign {
                    foreign.add(topic.as_str(), *peer);
                }
            }
        }
        for (peer, room) in self.swarm.behaviour().host.attending() {
            if crate::text::check_room(&room).is_ok() && counts(&peer) {
                direct.add(&room, peer);
            }
        }
        self.members.set_direct(direct.done(), foreign.done());
    }
}

/// How many rooms of each peer are looked at, given how many each is in.
fn rooms_per_peer(rooms: impl Iterator<Item = usize>) -> usize {
    let (mut peers, mut all) = (0, 0);
    for rooms in rooms {
        peers += 1;
        all += rooms.min(MAX_ROOMS_PER_PEER);
    }
    if all <= MAX_ROOMS_OF_ALL {
        return MAX_ROOMS_PER_PEER;
    }
    (MAX_ROOMS_OF_ALL / peers).clamp(MIN_ROOMS_PER_PEER, MAX_ROOMS_PER_PEER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_in_many_rooms_makes_everybodys_share_smaller_to_a_bound() {
        let crowd = |peers: usize, rooms: usize| rooms_per_peer(std::iter::repeat_n(rooms, peers));
        assert_eq!(crowd(0, 0), MAX_ROOMS_PER_PEER);
        assert_eq!(crowd(1024, MAX_ROOMS_PER_PEER), MAX_ROOMS_PER_PEER);
        assert_eq!(crowd(20_000, 3), MAX_ROOMS_PER_PEER, "no need to cut");
        assert_eq!(crowd(2048, 1000), MAX_ROOMS_PER_PEER / 2);
        assert_eq!(crowd(20_000, 1000), MIN_ROOMS_PER_PEER);
    }
}
