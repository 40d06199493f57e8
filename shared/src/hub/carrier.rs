//! Which rooms a hub carries: gossipsub forwards only what its node subscribes to.
//!
//! Places are shared out among those who want them. The rooms of each are numbered, those that are carried already first;
//! a room's rank is the smallest number that a member gives it. So everybody's first room comes before anybody's second.
//! When there are more rooms than places the last ranks are not carried: whoever has few rooms gets a place that others
//! lose who have many.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use ipnet::IpNet;
use libp2p::PeerId;
use n0_future::time::Instant;

use super::{members::Members, peer_set::PeersByRoom};
use crate::{Limits, room_id::RoomId};

/// Why a peer's room is not carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotCarried {
    /// It wants more rooms than it may have.
    TooMany,
    /// There is no place for some of its rooms, of which this is the first by name.
    NoPlace(RoomId),
}

/// What to do about the carried rooms.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Subscribe.
    Carry(RoomId),
    /// Unsubscribe and forget.
    Release(RoomId),
    /// A peer wants rooms that are not carried.
    Refuse(PeerId, NotCarried),
}

/// Who counts as one when places are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    /// All peers of one network.
    Source(IpNet),
    Peer(PeerId),
}

/// A room that is wanted.
struct Claim<'a> {
    room: &'a RoomId,
    /// How many rooms its most modest member holds with it.
    rank: usize,
    holders: usize,
    is_carried: bool,
}

/// The carried rooms, each with the time since nobody is in it.
#[derive(Debug)]
pub(crate) struct Carrier {
    rooms: BTreeMap<RoomId, Option<Instant>>,
    refused: BTreeMap<PeerId, NotCarried>,
    /// Whether every room had its place when all were shared out last.
    is_ample: bool,
}

impl Default for Carrier {
    fn default() -> Self {
        Self { rooms: BTreeMap::new(), refused: BTreeMap::new(), is_ample: true }
    }
}

impl Carrier {
    #[cfg(feature = "sim")]
    pub(crate) fn bounds(&self, limits: &Limits) -> Vec<crate::bounded::Bounded> {
        vec![crate::bounded::bounded("carried_rooms", self.rooms.len(), limits.carried_rooms)]
    }

    /// Members of these rooms among our own peers have changed. `source_of` tells the network that a peer is counted
    /// with, if it is not counted alone.
    pub(crate) fn changed(
        &mut self,
        rooms: &BTreeSet<RoomId>,
        members: &Members,
        source_of: impl Fn(&PeerId) -> Option<IpNet>,
        limits: &Limits,
        now: Instant,
    ) -> Vec<Output> {
        let is_ample = self.refused.is_empty() && self.is_ample && members.local_rooms().len() <= limits.carried_rooms;
        if !is_ample || members.is_any_in_more_than(limits.carried_rooms_per_peer) {
            return self.update(members.local_rooms(), source_of, limits, now);
        }
        let mut new = Vec::new();
        for room in rooms {
            let is_wanted = members.local(room).is_some();
            match self.rooms.get_mut(room) {
                Some(empty_since) if is_wanted => *empty_since = None,
                Some(empty_since) => drop(empty_since.get_or_insert(now)),
                None if is_wanted => new.push(room.clone()),
                None => {}
            }
        }
        let released = self.let_go(&BTreeSet::new(), new.len(), limits, now);
        self.carry(released, new)
    }

    /// Shares out all places anew among the members of our own peers.
    pub(crate) fn update(
        &mut self,
        demand: &PeersByRoom,
        source_of: impl Fn(&PeerId) -> Option<IpNet>,
        limits: &Limits,
        now: Instant,
    ) -> Vec<Output> {
        let (claims, mut refused) = self.claims(demand, source_of, limits);
        let (granted, denied) = claims.split_at(claims.len().min(limits.carried_rooms));
        let granted: BTreeSet<RoomId> = granted.iter().map(|claim| claim.room.clone()).collect();
        let denied: BTreeSet<RoomId> = denied.iter().map(|claim| claim.room.clone()).collect();
        for (room, member) in denied.iter().flat_map(|room| demand[room].iter().map(move |member| (room, member))) {
            refused.entry(*member).or_insert_with(|| NotCarried::NoPlace(room.clone()));
        }
        for (room, empty_since) in &mut self.rooms {
            match granted.contains(room) {
                true => *empty_since = None,
                false => drop(empty_since.get_or_insert(now)),
            }
        }
        let new: Vec<RoomId> = granted.into_iter().filter(|room| !self.rooms.contains_key(room)).collect();
        let released = self.let_go(&denied, new.len(), limits, now);
        let mut outputs = self.carry(released, new);
        let told = |(peer, why): &(&PeerId, &NotCarried)| self.refused.get(peer) == Some(why);
        outputs.extend(refused.iter().filter(|new| !told(new)).map(|(peer, why)| Output::Refuse(*peer, why.clone())));
        self.refused = refused;
        self.is_ample = denied.is_empty();
        outputs
    }

    fn carry(&mut self, released: Vec<RoomId>, new: Vec<RoomId>) -> Vec<Output> {
        self.rooms.extend(new.iter().map(|room| (room.clone(), None)));
        released.into_iter().map(Output::Release).chain(new.into_iter().map(Output::Carry)).collect()
    }

    /// Why a peer's rooms are not all carried, if so.
    pub(crate) fn refusal(&self, peer: &PeerId) -> Option<NotCarried> {
        self.refused.get(peer).cloned()
    }

    /// Forgets rooms that have been empty for long enough or have lost their place, and, if places are needed, those
    /// that have been empty longest.
    fn let_go(&mut self, denied: &BTreeSet<RoomId>, needed: usize, limits: &Limits, now: Instant) -> Vec<RoomId> {
        let mut empty: Vec<(Instant, RoomId)> =
            self.rooms.iter().filter_map(|(room, since)| Some(((*since)?, room.clone()))).collect();
        empty.sort();
        let lost = denied.iter().filter(|room| self.rooms.remove(*room).is_some());
        let mut released: Vec<RoomId> = lost.cloned().collect();
        for (since, room) in empty {
            let due = now >= since + limits.carry_linger || self.rooms.len() + needed > limits.carried_rooms;
            if due && self.rooms.remove(&room).is_some() {
                released.push(room);
            }
        }
        released
    }

    /// The rooms that are wanted, those first that are to be carried; and peers that want more than they may have.
    /// A room that somebody may bring is carried for all.
    fn claims<'a>(
        &self,
        demand: &'a PeersByRoom,
        source_of: impl Fn(&PeerId) -> Option<IpNet>,
        limits: &Limits,
    ) -> (Vec<Claim<'a>>, BTreeMap<PeerId, NotCarried>) {
        let mut holders: HashMap<PeerId, Holder> = HashMap::new();
        let mut holder = |peer: &PeerId| {
            *holders.entry(*peer).or_insert_with(|| source_of(peer).map_or(Holder::Peer(*peer), Holder::Source))
        };
        let mut wanted: Vec<_> = demand.iter().collect();
        // What is carried stays with its members, rather than what is new.
        wanted.sort_by_cached_key(|(room, members)| (!self.rooms.contains_key(*room), Reverse(members.len())));
        let (mut claims, mut refused) = (Vec::new(), BTreeMap::new());
        let (mut brought, mut held) = (HashMap::<PeerId, usize>::new(), HashMap::<Holder, usize>::new());
        for (room, members) in wanted {
            let mut theirs: HashSet<Holder> = HashSet::new();
            for member in members {
                let brought = brought.entry(*member).or_default();
                if *brought < limits.carried_rooms_per_peer {
                    *brought += 1;
                    theirs.insert(holder(member));
                } else {
                    refused.insert(*member, NotCarried::TooMany);
                }
            }
            let ranks = theirs.iter().map(|holder| {
                let held = held.entry(*holder).or_default();
                *held += 1;
                *held
            });
            if let Some(rank) = ranks.min() {
                let is_carried = self.rooms.contains_key(room);
                claims.push(Claim { room, rank, holders: theirs.len(), is_carried });
            }
        }
        // Of equal rank those go first that several share, then those that are carried already.
        claims.sort_by_key(|claim| (claim.rank, claim.holders < 2, !claim.is_carried, Reverse(claim.holders)));
        (claims, refused)
    }

    /// Whether a room is carried.
    pub(crate) fn carries(&self, room: &str) -> bool {
        self.rooms.contains_key(room)
    }

    /// The carried rooms' names.
    #[cfg(test)]
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &RoomId> {
        self.rooms.keys()
    }

    /// When a room may be let go.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        self.rooms.values().flatten().min().map(|since| *since + limits.carry_linger)
    }
}

#[cfg(test)]
#[path = "carrier_tests.rs"]
mod tests;
