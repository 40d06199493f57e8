//! Reasons that hubs give: of each hub the first at once, then at most one a second.

use std::{collections::BTreeMap, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

/// A hub's reasons are told at most so often; of those between only the newest is.
const REASON_EVERY: Duration = Duration::from_secs(1);
/// Hubs whose last reason is remembered. More are never followed at once.
const MAX_GIVING_REASONS: usize = 64;

/// A reason that a hub gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// In words.
    pub(crate) reason: String,
    /// Whether the hub closes the connection with it.
    pub(crate) closes: bool,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    held: Option<Given>,
}

/// What hubs said last, and what of it is still to be told.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    given: BTreeMap<PeerId, Last>,
}

impl Reasons {
    /// A hub gave a reason. It is returned if it is to be told now; else [`Self::due`] may return it later.
    pub(crate) fn give(&mut self, hub: PeerId, given: Given, now: Instant) -> Option<Given> {
        match self.given.get_mut(&hub) {
            Some(last) if now < last.at + REASON_EVERY => {
                last.held = Some(given);
                None
            }
            _ => {
                self.given.retain(|_, last| last.held.is_some() || now < last.at + REASON_EVERY);
                if self.given.len() < MAX_GIVING_REASONS {
                    self.given.insert(hub, Last { at: now, held: None });
                    return Some(given);
                }
                None
            }
        }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        vec![crate::bounded::bounded("MAX_GIVING_REASONS", self.given.len(), MAX_GIVING_REASONS)]
    }

    /// Reasons that were held and may be told now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<(PeerId, Given)> {
        let due = self.given.iter_mut().filter(|(_, last)| last.at + REASON_EVERY <= now);
        due.filter_map(|(hub, last)| {
            let given = last.held.take()?;
            last.at = now;
            Some((*hub, given))
        })
        .collect()
    }

    /// When the next one may be told.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.given.values().filter(|last| last.held.is_some()).map(|last| last.at + REASON_EVERY).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    fn given(reason: &str) -> Given {
        Given { reason: reason.into(), closes: false }
    }

    #[test]
    fn the_first_is_told_at_once_and_of_the_others_the_newest_each_second() {
        let (mut reasons, now) = (Reasons::default(), start());
        let [hub, other] = [(); 2].map(|()| PeerId::random());
        assert_eq!(reasons.give(hub, given("first"), now), Some(given("first")));
        for n in 0..1000 {
            assert_eq!(reasons.give(hub, given(&n.to_string()), now), None);
        }
        assert_eq!(reasons.give(other, given("its own"), now), Some(given("its own")), "each hub for itself");
        assert!(reasons.due(now).is_empty());
        let later = now + REASON_EVERY;
        assert_eq!(reasons.deadline(), Some(later));
        assert_eq!(reasons.due(later), [(hub, given("999"))]);
        assert_eq!((reasons.deadline(), reasons.due(later)), (None, Vec::new()));
        assert_eq!(reasons.give(hub, given("soon"), later), None, "a held one counts too");
    }

    #[test]
    fn hubs_that_come_and_go_are_forgotten() {
        let (mut reasons, mut now) = (Reasons::default(), start());
        for _ in 0..10 * MAX_GIVING_REASONS {
            assert!(reasons.give(PeerId::random(), given("no"), now).is_some());
            now += REASON_EVERY / 8;
        }
        assert!(reasons.given.len() <= 9, "{}", reasons.given.len());
    }
}
