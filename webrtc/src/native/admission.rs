//! Who may begin a handshake: as many as there is room for, and those who forge their address first to go.

use std::{collections::VecDeque, net::IpAddr};

/// Handshakes in flight.
pub const MAX_HANDSHAKES: usize = 512;
/// Of them from one address.
pub const MAX_HANDSHAKES_PER_SOURCE: usize = 256;

/// A connection, among those of one socket.
pub(super) type Id = u64;

#[derive(Debug)]
struct Handshake {
    id: Id,
    source: IpAddr,
    /// What we sent to its address has come back.
    proven: bool,
}

/// Handshakes in flight, oldest first.
#[derive(Debug, Default)]
pub(super) struct Admission(VecDeque<Handshake>);

impl Admission {
    /// Somebody begins. Returns who has to end for it, of its source where that has many: the oldest of those whose source
    /// has not proved that it receives, while they are half of all, or else of the others. So neither who forges
    /// addresses nor who stops half-way keeps others out, and an honest dialer is through before it is the oldest.
    pub(super) fn admit(&mut self, id: Id, source: IpAddr) -> Option<Id> {
        let crowded = self.0.iter().filter(|other| other.source == source).count() >= MAX_HANDSHAKES_PER_SOURCE;
        let places = if crowded { MAX_HANDSHAKES_PER_SOURCE } else { MAX_HANDSHAKES };
        let rivals = || self.0.iter().enumerate().filter(|(_, other)| !crowded || other.source == source);
        let goes = if crowded || self.0.len() >= places {
            let unproven = rivals().filter(|(_, rival)| !rival.proven).count();
            let proven_goes = unproven * 2 < places;
            rivals().find(|(_, rival)| rival.proven == proven_goes).map(|(at, _)| at)
        } else {
            None
        };
        self.0.push_back(Handshake { id, source, proven: false });
        self.0.remove(goes?).map(|gone| gone.id)
    }

    /// Its source receives what we send.
    pub(super) fn prove(&mut self, id: Id) {
        self.0.iter_mut().filter(|handshake| handshake.id == id).for_each(|handshake| handshake.proven = true);
    }

    /// It is over, either way.
    pub(super) fn over(&mut self, id: Id) {
        self.0.retain(|handshake| handshake.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn one_source_crowds_out_only_itself() {
        let mut admission = Admission::default();
        assert_eq!(admission.admit(0, ip(1)), None);
        for id in 1..=MAX_HANDSHAKES_PER_SOURCE as Id {
            assert_eq!(admission.admit(id, ip(2)), None);
        }
        assert_eq!(admission.admit(10_000, ip(2)), Some(1));
        assert_eq!(admission.admit(10_001, ip(1)), None);
    }

    /// All places taken, by the sources in turn.
    fn full(proven: impl Fn(Id) -> bool) -> Admission {
        let mut admission = Admission::default();
        for id in 0..MAX_HANDSHAKES as Id {
            assert_eq!(admission.admit(id, ip((id % 8) as u8)), None);
            if proven(id) {
                admission.prove(id);
            }
        }
        admission
    }

    #[test]
    fn who_has_proved_its_address_is_safe_from_those_who_forge_theirs() {
        let mut admission = full(|id| id % 2 == 0);
        for n in 0..MAX_HANDSHAKES as Id {
            let gone = admission.admit(2000 + n, ip(9)).expect("somebody goes");
            assert!(gone % 2 == 1 || gone >= 2000, "{gone}");
        }
        admission.over(2);
        assert_eq!(admission.admit(5000, ip(10)), None);
    }

    #[test]
    fn who_begins_is_safe_from_those_who_stop_half_way() {
        let mut admission = full(|_| true);
        let half = MAX_HANDSHAKES as Id / 2;
        for n in 0..half {
            assert_eq!(admission.admit(2000 + n, ip((9 + n % 2) as u8)), Some(n));
        }
        assert_eq!(admission.admit(3000, ip(11)), Some(2000), "they are half of all now");
    }
}
