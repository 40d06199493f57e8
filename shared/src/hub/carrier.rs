//! Which rooms a hub carries: gossipsub forwards only what its node subscribes to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use libp2p::PeerId;
use n0_future::time::Instant;

use crate::Limits;

/// What to do about the carried rooms.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Subscribe.
    Carry(String),
    /// Unsubscribe and forget.
    Release(String),
    /// A peer wants more rooms than it may have.
    Refuse(PeerId),
}

/// The carried rooms, each with the time since nobody is in it.
#[derive(Debug, Default)]
pub(crate) struct Carrier {
    rooms: BTreeMap<String, Option<Instant>>,
    refused: BTreeSet<PeerId>,
}

impl Carrier {
    /// Recomputes demand from the members among our own peers.
    pub(crate) fn update(
        &mut self,
        demand: &BTreeMap<String, BTreeSet<PeerId>>,
        limits: &Limits,
        now: Instant,
    ) -> Vec<Output> {
        let (allowed, mut refused) = self.share_out(demand, limits);
        let mut outputs = Vec::new();
        for (room, empty_since) in &mut self.rooms {
            match allowed.contains(room) {
                true => *empty_since = None,
                false => drop(empty_since.get_or_insert(now)),
            }
        }
        let due = |since: &Option<Instant>| since.is_some_and(|since| now >= since + limits.carry_linger);
        let released: Vec<String> = self.rooms.iter().filter(|(_, s)| due(s)).map(|(room, _)| room.clone()).collect();
        for room in released {
            self.rooms.remove(&room);
            outputs.push(Output::Release(room));
        }
        for room in allowed {
            if self.rooms.contains_key(&room) {
                continue;
            }
            if self.rooms.len() < limits.carried_rooms {
                self.rooms.insert(room.clone(), None);
                outputs.push(Output::Carry(room));
            } else {
                refused.extend(&demand[&room]);
            }
        }
        outputs.extend(refused.difference(&self.refused).copied().map(Output::Refuse));
        self.refused = refused;
        outputs
    }

    /// Each peer may bring so many rooms, those first that are carried already; a room that somebody may bring
    /// is carried for all.
    fn share_out(
        &self,
        demand: &BTreeMap<String, BTreeSet<PeerId>>,
        limits: &Limits,
    ) -> (BTreeSet<String>, BTreeSet<PeerId>) {
        let (mut allowed, mut refused) = (BTreeSet::new(), BTreeSet::new());
        let mut used: HashMap<PeerId, usize> = HashMap::new();
        let (carried, new): (Vec<_>, Vec<_>) = demand.iter().partition(|(room, _)| self.rooms.contains_key(*room));
        for (room, members) in carried.into_iter().chain(new) {
            for member in members {
                let used = used.entry(*member).or_default();
                if *used < limits.carried_rooms_per_peer {
                    *used += 1;
                    allowed.insert(room.clone());
                } else {
                    refused.insert(*member);
                }
            }
        }
        (allowed, refused)
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
mod tests {
    use std::time::Duration;

    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_room_is_carried_while_somebody_is_in_it_and_a_little_longer() {
        let (mut carrier, limits, now) = (Carrier::default(), crate::Config::hub().limits, start());
        let ann = PeerId::random();
        let demand = BTreeMap::from([("r".to_owned(), BTreeSet::from([ann]))]);
        assert_eq!(carrier.update(&demand, &limits, now), [Output::Carry("r".into())]);
        assert!(carrier.update(&BTreeMap::new(), &limits, now).is_empty());
        assert_eq!(carrier.deadline(&limits), Some(now + limits.carry_linger));
        assert!(carrier.update(&demand, &limits, now + Duration::from_secs(5)).is_empty(), "came back");
        assert!(carrier.update(&BTreeMap::new(), &limits, now + Duration::from_secs(6)).is_empty());
        let end = now + Duration::from_secs(6) + limits.carry_linger;
        assert_eq!(carrier.update(&BTreeMap::new(), &limits, end), [Output::Release("r".into())]);
    }

    #[test]
    fn one_peer_cannot_fill_the_hub() {
        let (mut carrier, limits, now) = (Carrier::default(), crate::Config::hub().limits, start());
        let (greedy, modest) = (PeerId::random(), PeerId::random());
        let mut demand: BTreeMap<String, BTreeSet<PeerId>> =
            (0..100).map(|n| (format!("r{n:03}"), BTreeSet::from([greedy]))).collect();
        demand.insert("r099".into(), BTreeSet::from([greedy, modest]));
        let outputs = carrier.update(&demand, &limits, now);
        assert_eq!(carrier.rooms().count(), limits.carried_rooms_per_peer + 1);
        assert!(carrier.rooms().any(|room| room == "r099"), "carried for the modest one");
        assert!(outputs.contains(&Output::Refuse(greedy)));
    }
}
