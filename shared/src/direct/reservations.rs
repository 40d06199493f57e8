//! Places that hubs keep for us, so that others can reach us through them.

use std::{collections::BTreeMap, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

/// The wait after a first refusal; it doubles with each that follows,
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    Held,
    Waiting(Instant),
}

#[derive(Debug)]
struct Reservation {
    state: State,
    failures: u32,
}

/// Of hubs that we are connected to.
#[derive(Debug, Default)]
pub(crate) struct Reservations {
    by_hub: BTreeMap<PeerId, Reservation>,
    held: Vec<PeerId>,
}

impl Reservations {
    /// Hubs that keep a place for us.
    pub(crate) fn held(&self) -> &[PeerId] {
        &self.held
    }

    /// Those, and those that were asked.
    pub(crate) fn taken(&self) -> Vec<PeerId> {
        let is_taken = |(_, reservation): &(&PeerId, &Reservation)| !matches!(reservation.state, State::Waiting(_));
        self.by_hub.iter().filter(is_taken).map(|(hub, _)| *hub).collect()
    }

    /// Whether a hub may be asked now.
    pub(crate) fn may_ask(&self, hub: &PeerId, now: Instant) -> bool {
        match self.by_hub.get(hub).map(|reservation| reservation.state) {
            None => true,
            Some(State::Waiting(until)) => until <= now,
            Some(State::Asked | State::Held) => false,
        }
    }

    pub(crate) fn asked(&mut self, hub: PeerId) {
        self.by_hub.entry(hub).or_insert(Reservation { state: State::Asked, failures: 0 }).state = State::Asked;
    }

    /// It keeps a place for us. Says whether that is news.
    pub(crate) fn up(&mut self, hub: &PeerId) -> bool {
        let Some(reservation) = self.by_hub.get_mut(hub) else { return false };
        *reservation = Reservation { state: State::Held, failures: 0 };
        self.changed()
    }

    /// It does not, or no longer. Says whether it did.
    pub(crate) fn down(&mut self, hub: &PeerId, now: Instant) -> bool {
        let Some(reservation) = self.by_hub.get_mut(hub) else { return false };
        let wait = FIRST_WAIT.saturating_mul(1 << reservation.failures.min(8)).min(LONGEST_WAIT);
        *reservation = Reservation { state: State::Waiting(now + wait), failures: reservation.failures + 1 };
        self.changed()
    }

    /// A hub is gone, or no longer needed. Says whether it kept a place for us.
    pub(crate) fn forget(&mut self, hub: &PeerId) -> bool {
        self.by_hub.remove(hub);
        self.changed()
    }

    fn changed(&mut self) -> bool {
        let is_held = |(_, reservation): &(&PeerId, &Reservation)| reservation.state == State::Held;
        let held: Vec<PeerId> = self.by_hub.iter().filter(is_held).map(|(hub, _)| *hub).collect();
        let before = std::mem::replace(&mut self.held, held);
        before != self.held
    }

    /// When a hub may be asked again. Those that could be when this was last looked at are not waited for: their places are taken.
    pub(crate) fn deadline(&self, looked_at: Option<Instant>) -> Option<Instant> {
        let due = |reservation: &Reservation| match reservation.state {
            State::Waiting(until) => Some(until),
            State::Asked | State::Held => None,
        };
        let is_to_come = |until: &Instant| looked_at.is_none_or(|looked| *until > looked);
        self.by_hub.values().filter_map(due).filter(is_to_come).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_that_refused_and_is_not_needed_keeps_nobody_awake() {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let now = Instant::now();
        let (mut reservations, hub) = (Reservations::default(), PeerId::random());
        reservations.asked(hub);
        assert!(!reservations.down(&hub, now) && !reservations.may_ask(&hub, now));
        let due = reservations.deadline(Some(now)).expect("it is asked again");
        assert!(due == now + FIRST_WAIT && reservations.may_ask(&hub, due));
        // Others keep places by then, so it is not asked.
        assert_eq!(reservations.deadline(Some(due)), None);
        reservations.asked(hub);
        assert!(reservations.up(&hub) && reservations.held() == [hub]);
        assert!(reservations.forget(&hub) && reservations.held().is_empty());
    }
}
