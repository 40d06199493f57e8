//! Which handshakes are in flight, and which of them ends when there are too many.
//!
//! All of them have returned a cookie, so nobody is here by a forged address. Who floods a listener all the same needs
//! addresses that it receives at, or stops half-way. There are two stages, encrypted and not yet; as the first is passed
//! within a round trip, those who stop in one of them push out each other, and nobody in the other one.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

/// Handshakes in flight.
pub const MAX_HANDSHAKES: usize = 1024;
/// Of them from one source: an IPv4 address, or all of IPv6 that share the first 64 bits, as one network does.
pub const MAX_HANDSHAKES_PER_SOURCE: usize = 512;
/// Handshakes in flight, and those that had to make room and have not ended yet: on a busy machine that takes a while.
pub const MAX_UNENDED: usize = 2 * MAX_HANDSHAKES;

/// A long round trip.
const ROUND_TRIP: Duration = Duration::from_millis(200);
/// Round trips until a handshake is encrypted, and from there until it is over.
const ROUND_TRIPS: [u32; 2] = [1, 5];
/// Bits of an IPv6 address that are the network's.
const NETWORK: u32 = 64;

/// A connection, among those of one socket.
pub(super) type Id = u64;

#[derive(Debug)]
struct Handshake {
    id: Id,
    source: IpAddr,
    encrypted: bool,
    /// When it came to this stage.
    since: Instant,
}

impl Handshake {
    fn is_late(&self, now: Instant) -> bool {
        let patience = ROUND_TRIP * ROUND_TRIPS[usize::from(self.encrypted)];
        now.saturating_duration_since(self.since) >= patience
    }
}

/// Handshakes in flight.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// In each stage, the first to come to it is the first.
    in_flight: VecDeque<Handshake>,
    unended: usize,
}

impl Admission {
    /// Whether more come than end, so that nobody can be admitted: who means it repeats its hello.
    pub(super) fn is_swamped(&self) -> bool {
        self.unended >= MAX_UNENDED
    }

    /// Somebody has returned a cookie. Returns whose handshake has to end for it: one of the same source where that has
    /// many, else anybody's where there are many. It is one that is not encrypted while those are half of all, or else one
    /// that is; and of these the oldest if it had time for its stage. When even the oldest is young, so many come that
    /// taking it would let nobody through; then one of them is drawn. `draw` returns a number below what it is given.
    pub(super) fn admit(
        &mut self,
        id: Id,
        from: IpAddr,
        now: Instant,
        draw: impl FnOnce(usize) -> usize,
    ) -> Option<Id> {
        let source = source(from);
        let crowded = self.in_flight.iter().filter(|other| other.source == source).count() >= MAX_HANDSHAKES_PER_SOURCE;
        let gone = if crowded {
            self.rival(MAX_HANDSHAKES_PER_SOURCE, now, draw, |other| other.source == source)
        } else if self.in_flight.len() >= MAX_HANDSHAKES {
            self.rival(MAX_HANDSHAKES, now, draw, |_| true)
        } else {
            None
        };
        let gone = gone.and_then(|at| self.in_flight.remove(at));
        self.unended += 1;
        self.in_flight.push_back(Handshake { id, source, encrypted: false, since: now });
        gone.map(|gone| gone.id)
    }

    /// Where the one is that has to make room, among so many that it could be.
    fn rival(
        &self,
        places: usize,
        now: Instant,
        draw: impl FnOnce(usize) -> usize,
        is_rival: impl Fn(&Handshake) -> bool,
    ) -> Option<usize> {
        let of_stage = |encrypted| {
            let all = self.in_flight.iter().enumerate();
            all.filter(move |(_, other)| other.encrypted == encrypted).filter(|(_, other)| is_rival(other))
        };
        let encrypted = of_stage(false).count() * 2 < places;
        let (oldest, handshake) = of_stage(encrypted).next()?;
        if handshake.is_late(now) {
            return Some(oldest);
        }
        of_stage(encrypted).nth(draw(of_stage(encrypted).count())).map(|(at, _)| at)
    }

    /// A handshake is encrypted now, and still has to say who it is.
    pub(super) fn encrypted(&mut self, id: Id, now: Instant) {
        if let Some(at) = self.in_flight.iter().position(|handshake| handshake.id == id)
            && let Some(handshake) = self.in_flight.remove(at)
        {
            self.in_flight.push_back(Handshake { encrypted: true, since: now, ..handshake });
        }
    }

    /// It is over, either way.
    pub(super) fn over(&mut self, id: Id) {
        self.in_flight.retain(|handshake| handshake.id != id);
    }

    /// One that was admitted has ended: nothing is left of it, or it is a handshake no more.
    pub(super) fn ended(&mut self, id: Id) {
        self.over(id);
        self.unended = self.unended.saturating_sub(1);
    }
}

/// Who may have many addresses is one source with all of them.
fn source(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << (Ipv6Addr::BITS - NETWORK))).into(),
        ip => ip,
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a beginning is needed, any")]
mod tests {
    use super::*;

    const ALL: Id = MAX_HANDSHAKES as Id;
    const LATE: Duration = ROUND_TRIP;

    fn ip(last: Id) -> IpAddr {
        [192, 0, 2, (last % 200) as u8].into()
    }

    fn never(_: usize) -> usize {
        panic!("the oldest is old enough")
    }

    /// All places taken, by the sources in turn.
    fn full(now: Instant) -> Admission {
        let mut admission = Admission::default();
        for id in 0..ALL {
            assert_eq!(admission.admit(id, ip(id), now, never), None);
        }
        admission
    }

    #[test]
    fn one_source_crowds_out_only_itself() {
        let (mut admission, now) = (Admission::default(), Instant::now());
        let network = |host: Id| IpAddr::from([0x2001, 0xdb8, 0, 7, 0, 0, 0, host as u16]);
        let neighbour = IpAddr::from([0x2001, 0xdb8, 0, 8, 0, 0, 0, 1]);
        assert_eq!(admission.admit(0, neighbour, now, never), None);
        for id in 1..=MAX_HANDSHAKES_PER_SOURCE as Id {
            assert_eq!(admission.admit(id, network(id), now, never), None);
        }
        assert_eq!(
            admission.admit(10_000, network(10_000), now + LATE, never),
            Some(1),
            "of many hosts of one network"
        );
        assert_eq!(admission.admit(10_001, neighbour, now + LATE, never), None);
        assert_eq!(source("::ffff:192.0.2.1".parse().expect("an address")), ip(1));
    }

    #[test]
    fn the_oldest_goes_once_it_had_time_for_a_round_trip() {
        let begin = Instant::now();
        let mut admission = full(begin);
        for n in 0..2 * ALL {
            let now = begin + LATE * (n / ALL + 1) as u32;
            assert_eq!(admission.admit(ALL + n, ip(n), now, never), Some(n));
        }
    }

    #[test]
    fn of_those_who_are_all_young_any_may_go() {
        let now = Instant::now();
        let mut admission = full(now);
        assert_eq!(admission.admit(ALL, ip(0), now, |places| places - 1), Some(ALL - 1));
        assert_eq!(admission.admit(ALL + 1, ip(0), now, |_| 0), Some(0));
        assert_eq!(admission.admit(ALL + 2, ip(0), now, |places| places / 2), Some(ALL / 2 + 1));
    }

    #[test]
    fn who_is_encrypted_is_safe_from_those_who_are_not() {
        let begin = Instant::now();
        let mut admission = full(begin);
        let encrypted: Vec<Id> = (0..ALL / 2).map(|n| 2 * n).collect();
        encrypted.iter().for_each(|id| admission.encrypted(*id, begin));
        for n in 0..4 * ALL {
            let gone = admission.admit(ALL + n, ip(n), begin + 10 * LATE, |_| 0).expect("somebody goes");
            assert!(!encrypted.contains(&gone), "{gone}");
        }
        assert!(admission.is_swamped(), "of those who made room, none has ended");
        (0..ALL).for_each(|id| admission.ended(2 * ALL + id));
        assert_eq!(admission.unended, 4 * MAX_HANDSHAKES);
        admission.over(encrypted[0]);
        assert_eq!(admission.admit(9 * ALL, ip(0), begin, never), None);
    }

    #[test]
    fn who_begins_is_safe_from_those_who_stop_once_they_are_encrypted() {
        let begin = Instant::now();
        let mut admission = full(begin);
        (0..ALL).for_each(|id| admission.encrypted(id, begin));
        let late = begin + 5 * LATE;
        for n in 0..ALL / 2 {
            assert_eq!(admission.admit(2 * ALL + n, ip(n), late, never), Some(n));
        }
        assert_eq!(admission.admit(5 * ALL, ip(0), late + LATE, never), Some(2 * ALL), "they are half of all now");
    }
}
