//! Which inbound handshakes are in flight, and which of them is evicted when there are too many.
//!
//! All of them have returned a cookie, so none has a forged address: an attacker needs real addresses, or stops half-way.
//! There are two stages, before and after DTLS is up. The first one takes a single round trip, so attackers who stop in one
//! stage evict only each other, and nobody in the other stage.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

/// Handshakes in flight.
pub const MAX_HANDSHAKES: usize = 1024;
/// The same from one source: an IPv4 address, or an IPv6 /64.
pub const MAX_HANDSHAKES_PER_SOURCE: usize = 512;
/// Handshakes in flight, and evicted ones whose tasks have not ended yet, which takes a while on a busy machine.
pub const MAX_UNFINISHED_HANDSHAKES: usize = 2 * MAX_HANDSHAKES;

/// A long round trip.
const ROUND_TRIP: Duration = Duration::from_millis(200);
/// Round trips of each stage: until DTLS is up, and from there until Noise is through.
const ROUND_TRIPS: [u32; 2] = [1, 5];
/// Bits of an IPv6 network prefix.
const NETWORK: u32 = 64;

/// The number of a connection, unique for its socket.
pub(super) type ConnectionId = u64;

#[derive(Debug)]
struct Handshake {
    id: ConnectionId,
    source: IpAddr,
    encrypted: bool,
    /// When it reached this stage.
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
    /// Within each stage, oldest first.
    in_flight: VecDeque<Handshake>,
    unfinished: usize,
}

impl Admission {
    /// Whether none can be admitted now. An honest dialer repeats its ClientHello.
    pub(super) fn is_full(&self) -> bool {
        self.unfinished >= MAX_UNFINISHED_HANDSHAKES
    }

    /// Admits a handshake whose dialer has returned a cookie. Returns the one that has to end for it, if any:
    ///
    /// - of the same source if that has [`MAX_HANDSHAKES_PER_SOURCE`], else of any source if there are [`MAX_HANDSHAKES`];
    /// - of the stage before DTLS is up if at least half are in it, else of the other stage;
    /// - the oldest of these if it had time to finish its stage, else one at random: under a flood in which even the oldest
    ///   is young, evicting the oldest would let nobody through.
    ///
    /// `random_below` returns a random number below its argument.
    pub(super) fn admit(
        &mut self,
        id: ConnectionId,
        from: IpAddr,
        now: Instant,
        random_below: impl FnOnce(usize) -> usize,
    ) -> Option<ConnectionId> {
        let source = source(from);
        let crowded = self.in_flight.iter().filter(|other| other.source == source).count() >= MAX_HANDSHAKES_PER_SOURCE;
        let evicted = if crowded {
            self.to_evict(MAX_HANDSHAKES_PER_SOURCE, now, random_below, |other| other.source == source)
        } else if self.in_flight.len() >= MAX_HANDSHAKES {
            self.to_evict(MAX_HANDSHAKES, now, random_below, |_| true)
        } else {
            None
        };
        let evicted = evicted.and_then(|at| self.in_flight.remove(at));
        self.unfinished += 1;
        self.in_flight.push_back(Handshake { id, source, encrypted: false, since: now });
        evicted.map(|evicted| evicted.id)
    }

    /// The index of the one to evict, among so many candidates.
    fn to_evict(
        &self,
        places: usize,
        now: Instant,
        random_below: impl FnOnce(usize) -> usize,
        is_candidate: impl Fn(&Handshake) -> bool,
    ) -> Option<usize> {
        let of_stage = |encrypted| {
            let all = self.in_flight.iter().enumerate();
            all.filter(move |(_, other)| other.encrypted == encrypted).filter(|(_, other)| is_candidate(other))
        };
        let encrypted = of_stage(false).count() * 2 < places;
        let (oldest, handshake) = of_stage(encrypted).next()?;
        if handshake.is_late(now) {
            return Some(oldest);
        }
        of_stage(encrypted).nth(random_below(of_stage(encrypted).count())).map(|(at, _)| at)
    }

    /// DTLS is up; Noise comes next.
    pub(super) fn encrypted(&mut self, id: ConnectionId, now: Instant) {
        if let Some(at) = self.in_flight.iter().position(|handshake| handshake.id == id)
            && let Some(handshake) = self.in_flight.remove(at)
        {
            self.in_flight.push_back(Handshake { encrypted: true, since: now, ..handshake });
        }
    }

    /// Takes a handshake out, as it is done or evicted. It still counts as unfinished.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.in_flight.retain(|handshake| handshake.id != id);
    }

    /// An admitted handshake no longer takes resources: its task has ended, or its connection is authenticated.
    pub(super) fn finished(&mut self, id: ConnectionId) {
        self.remove(id);
        self.unfinished = self.unfinished.saturating_sub(1);
    }
}

/// All addresses of an IPv6 /64 are one source.
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

    const ALL: ConnectionId = MAX_HANDSHAKES as ConnectionId;
    const LATE: Duration = ROUND_TRIP;

    fn ip(last: ConnectionId) -> IpAddr {
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
        let network = |host: ConnectionId| IpAddr::from([0x2001, 0xdb8, 0, 7, 0, 0, 0, host as u16]);
        let neighbour = IpAddr::from([0x2001, 0xdb8, 0, 8, 0, 0, 0, 1]);
        assert_eq!(admission.admit(0, neighbour, now, never), None);
        for id in 1..=MAX_HANDSHAKES_PER_SOURCE as ConnectionId {
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
        let encrypted: Vec<ConnectionId> = (0..ALL / 2).map(|n| 2 * n).collect();
        encrypted.iter().for_each(|id| admission.encrypted(*id, begin));
        for n in 0..4 * ALL {
            let evicted = admission.admit(ALL + n, ip(n), begin + 10 * LATE, |_| 0).expect("somebody goes");
            assert!(!encrypted.contains(&evicted), "{evicted}");
        }
        assert!(admission.is_full(), "of those who made room, none has ended");
        (0..ALL).for_each(|id| admission.finished(2 * ALL + id));
        assert_eq!(admission.unfinished, 4 * MAX_HANDSHAKES);
        admission.remove(encrypted[0]);
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
