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
    /// Somebody begins. Returns who has to end for it: of its source where that has many, and before all others the
    /// oldest whose source has not proved that it receives. An honest dialer is through before it is the oldest.
    pub(super) fn admit(&mut self, id: Id, source: IpAddr) -> Option<Id> {
        let crowded = self.0.iter().filter(|other| other.source == source).count() >= MAX_HANDSHAKES_PER_SOURCE;
        let gone = (crowded || self.0.len() >= MAX_HANDSHAKES).then(|| {
            let of_source = |other: &Handshake| !crowded || other.source == source;
            let unproven = self.0.iter().position(|other| of_source(other) && !other.proven);
            let goes = unproven.or_else(|| self.0.iter().position(of_source))?;
            self.0.remove(goes).map(|gone| gone.id)
        });
        self.0.push_back(Handshake { id, source, proven: false });
        gone.flatten()
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

    #[test]
    fn who_has_proved_its_address_goes_last() {
        let mut admission = Admission::default();
        for id in 0..MAX_HANDSHAKES as Id {
            assert_eq!(admission.admit(id, ip((id % 8) as u8)), None);
            if id != 500 {
                admission.prove(id);
            }
        }
        assert_eq!(admission.admit(2000, ip(9)), Some(500));
        admission.prove(2000);
        assert_eq!(admission.admit(2001, ip(9)), Some(0));
        admission.over(3);
        assert_eq!(admission.admit(2002, ip(9)), None);
    }
}
