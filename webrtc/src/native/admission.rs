//! Who may begin a handshake: as many as there is room for, and those who forge their address first to go.

use std::{collections::VecDeque, net::IpAddr};

/// Handshakes in flight.
pub const MAX_HANDSHAKES: usize = 1024;
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

/// Whether another may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Admitted,
    /// This one has to end for it.
    InsteadOf(Id),
    Refused,
}

impl Admission {
    /// Somebody begins. Where there is no room, the oldest ends whose source has not proved that it receives.
    pub(super) fn admit(&mut self, id: Id, source: IpAddr) -> Verdict {
        let of_source = self.0.iter().filter(|other| other.source == source).count();
        let crowded = of_source >= MAX_HANDSHAKES_PER_SOURCE;
        if !crowded && self.0.len() < MAX_HANDSHAKES {
            self.0.push_back(Handshake { id, source, proven: false });
            return Verdict::Admitted;
        }
        let goes = self.0.iter().position(|other| !other.proven && (!crowded || other.source == source));
        let Some(gone) = goes.and_then(|at| self.0.remove(at)) else { return Verdict::Refused };
        self.0.push_back(Handshake { id, source, proven: false });
        Verdict::InsteadOf(gone.id)
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
        assert_eq!(admission.admit(0, ip(1)), Verdict::Admitted);
        for id in 1..=MAX_HANDSHAKES_PER_SOURCE as Id {
            assert_eq!(admission.admit(id, ip(2)), Verdict::Admitted);
        }
        assert_eq!(admission.admit(1000, ip(2)), Verdict::InsteadOf(1));
        assert_eq!(admission.admit(1001, ip(1)), Verdict::Admitted);
    }

    #[test]
    fn who_has_proved_its_address_stays() {
        let mut admission = Admission::default();
        for id in 0..MAX_HANDSHAKES as Id {
            assert_eq!(admission.admit(id, ip((id % 8) as u8)), Verdict::Admitted);
            if id != 500 {
                admission.prove(id);
            }
        }
        assert_eq!(admission.admit(2000, ip(9)), Verdict::InsteadOf(500));
        admission.prove(2000);
        assert_eq!(admission.admit(2001, ip(9)), Verdict::Refused);
        admission.over(3);
        assert_eq!(admission.admit(2002, ip(9)), Verdict::Admitted);
    }
}
