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

use super::peers::PeersByRoom;
use crate::Limits;

/// Why a peer's room is not carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotCarried {
    /// It wants more rooms than it may have.
    TooMany,
    /// There is no place for some of its rooms, of which this is the first by name.
    NoPlace(String),
}

/// What to do about the carried rooms.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Subscribe.
    Carry(String),
    /// Unsubscribe and forget.
    Release(String),
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
    room: &'a String,
    /// How many rooms its most modest member holds with it.
    rank: usize,
    holders: usize,
    is_carried: bool,
}

/// The carried rooms, each with the time since nobody is in it.
#[derive(Debug, Default)]
pub(crate) struct Carrier {
    rooms: BTreeMap<String, Option<Instant>>,
    refused: BTreeMap<PeerId, NotCarried>,
}

impl Carrier {
    /// Recomputes demand from the members among our own peers. `source_of` tells the network that a peer is counted
    /// with, if it is not counted alone.
    pub(crate) fn update(
        &mut self,
        demand: &PeersByRoom,
        source_of: impl Fn(&PeerId) -> Option<IpNet>,
        limits: &Limits,
        now: Instant,
    ) -> Vec<Output> {
        let (claims, mut refused) = self.claims(demand, source_of, limits);
        let (granted, denied) = claims.split_at(claims.len().min(limits.carried_rooms));
        let granted: BTreeSet<String> = granted.iter().map(|claim| claim.room.clone()).collect();
        let denied: BTreeSet<String> = denied.iter().map(|claim| claim.room.clone()).collect();
        for (room, member) in denied.iter().flat_map(|room| demand[room].iter().map(move |member| (room, member))) {
            refused.entry(*member).or_insert_with(|| NotCarried::NoPlace(room.clone()));
        }
        for (room, empty_since) in &mut self.rooms {
            match granted.contains(room) {
                true => *empty_since = None,
                false => drop(empty_since.get_or_insert(now)),
            }
        }
        let new: Vec<String> = granted.into_iter().filter(|room| !self.rooms.contains_key(room)).collect();
        let mut outputs: Vec<Output> =
            self.let_go(&denied, new.len(), limits, now).into_iter().map(Output::Release).collect();
        for room in new {
            self.rooms.insert(room.clone(), None);
            outputs.push(Output::Carry(room));
        }
        let told = |(peer, why): &(&PeerId, &NotCarried)| self.refused.get(peer) == Some(why);
        outputs.extend(refused.iter().filter(|new| !told(new)).map(|(peer, why)| Output::Refuse(*peer, why.clone())));
        self.refused = refused;
        outputs
    }

    /// Why a peer's rooms are not all carried, if so.
    pub(crate) fn refusal(&self, peer: &PeerId) -> Option<NotCarried> {
        self.refused.get(peer).cloned()
    }

    /// Forgets rooms that have been empty for long enough or have lost their place, and, if places are needed, those
    /// that have been empty longest.
    fn let_go(&mut self, denied: &BTreeSet<String>, needed: usize, limits: &Limits, now: Instant) -> Vec<String> {
        let mut empty: Vec<(Instant, String)> =
            self.rooms.iter().filter_map(|(room, since)| Some(((*since)?, room.clone()))).collect();
        empty.sort();
        let lost = denied.iter().filter(|room| self.rooms.remove(*room).is_some());
        let mut released: Vec<String> = lost.cloned().collect();
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

    /// The carried rooms' names.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &String> {
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
