//! Reasons that hubs give: of each hub the first at once, then at most one a second.

use std::{collections::HashMap, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

/// A hub's reasons are told at most so often; of those between only the newest is.
const REASON_EVERY: Duration = Duration::from_secs(1);
/// Hubs whose last reason is remembered. More are never followed at once.
const MAX_GIVING_REASONS: usize = 64;

#[derive(Debug)]
struct Given {
    at: Instant,
    held: Option<String>,
}

/// What hubs said last, and what of it is still to be told.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    given: HashMap<PeerId, Given>,
}

impl Reasons {
    /// A hub gave a reason. It is returned if it is to be told now; else [`Self::due`] may return it later.
    pub(crate) fn give(&mut self, hub: PeerId, reason: String, now: Instant) -> Option<String> {
        match self.given.get_mut(&hub) {
            Some(given) if now < given.at + REASON_EVERY => {
                given.held = Some(reason);
                None
            }
            _ => {
                self.given.retain(|_, given| given.held.is_some() || now < given.at + REASON_EVERY);
                if self.given.len() < MAX_GIVING_REASONS {
                    self.given.insert(hub, Given { at: now, held: None });
                    return Some(reason);
                }
                None
            }
        }
    }

    /// Reasons that were held and may be told now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<(PeerId, String)> {
        let due = self.given.iter_mut().filter(|(_, given)| given.at + REASON_EVERY <= now);
        due.filter_map(|(hub, given)| {
            let reason = given.held.take()?;
            given.at = now;
            Some((*hub, reason))
        })
        .collect()
    }

    /// When the next one may be told.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.given.values().filter(|given| given.held.is_some()).map(|given| given.at + REASON_EVERY).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn the_first_is_told_at_once_and_of_the_others_the_newest_each_second() {
        let (mut reasons, now) = (Reasons::default(), start());
        let [hub, other] = [(); 2].map(|()| PeerId::random());
        assert_eq!(reasons.give(hub, "first".into(), now).as_deref(), Some("first"));
        for n in 0..1000 {
            assert_eq!(reasons.give(hub, n.to_string(), now), None);
        }
        assert_eq!(reasons.give(other, "its own".into(), now).as_deref(), Some("its own"), "each hub for itself");
        assert!(reasons.due(now).is_empty());
        let later = now + REASON_EVERY;
        assert_eq!(reasons.deadline(), Some(later));
        assert_eq!(reasons.due(later), [(hub, "999".to_owned())]);
        assert_eq!((reasons.deadline(), reasons.due(later)), (None, Vec::new()));
        assert_eq!(reasons.give(hub, "soon".into(), later), None, "a held one counts too");
    }

    #[test]
    fn hubs_that_come_and_go_are_forgotten() {
        let (mut reasons, mut now) = (Reasons::default(), start());
        for _ in 0..10 * MAX_GIVING_REASONS {
            assert!(reasons.give(PeerId::random(), "no".into(), now).is_some());
            now += REASON_EVERY / 8;
        }
        assert!(reasons.given.len() <= 9, "{}", reasons.given.len());
    }
}
