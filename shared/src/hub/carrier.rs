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
        let mut outputs = Vec::new();
        let mut share: HashMap<PeerId, usize> = HashMap::new();
        let mut refused = BTreeSet::new();
        for (room, members) in demand {
            // Each peer may bring so many rooms; a room that somebody may bring is carried for all.
            let mut allowed = false;
            for member in members {
                let used = share.entry(*member).or_default();
                *used += 1;
                if *used <= limits.carried_rooms_per_peer {
                    allowed = true;
                } else {
                    refused.insert(*member);
                }
            }
            let full = self.rooms.len() >= limits.carried_rooms;
            match self.rooms.get_mut(room) {
                Some(empty_since) if allowed => *empty_since = None,
                None if allowed && !full => {
                    self.rooms.insert(room.clone(), None);
                    outputs.push(Output::Carry(room.clone()));
                }
                _ => {}
            }
        }
        for (room, empty_since) in &mut self.rooms {
            if !demand.contains_key(room) {
                empty_since.get_or_insert(now);
            }
        }
        let due = |since: &Option<Instant>| since.is_some_and(|since| now >= since + limits.carry_linger);
        let released: Vec<String> = self.rooms.iter().filter(|(_, s)| due(s)).map(|(room, _)| room.clone()).collect();
        for room in released {
            self.rooms.remove(&room);
            outputs.push(Output::Release(room));
        }
        outputs.extend(refused.difference(&self.refused).copied().map(Output::Refuse));
        self.refused = refused;
        outputs
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
