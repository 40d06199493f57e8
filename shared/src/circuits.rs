//! How often peers may take relay reservations and open circuits: a bound by peer, and one by address.
//!
//! The relay itself bounds what is held at a time. What these rates add: nobody opens again and again for ever, and
//! as what is taken also ends (a reservation after an hour, a circuit after `circuit_duration`), the rate of one
//! address bounds what it can hold, so that a part stays for others. They follow from `[limits]`, and are such that
//! the defaults let 300 people behind one address each reserve and open four circuits at once.

use std::{collections::HashMap, hash::Hash, num::NonZeroU32, time::Duration};

use ipnet::IpNet;
use libp2p::{Multiaddr, PeerId};
use web_time::Instant;

use crate::{Config, source::counted_source};

/// Peers, and addresses, whose rate is remembered; beyond it those that used least of it are forgotten.
const MAX_REMEMBERED: usize = 8192;
/// Reservations that one peer may take at once: it needs one on each of its connections.
const PEER_RESERVATIONS: u32 = 16;
/// Time after which it may take one more.
const PEER_RESERVATION_EVERY: Duration = Duration::from_secs(60);
/// How long a reservation lasts.
pub(crate) const RESERVATION_DURATION: Duration = Duration::from_secs(3600);

/// So many at once, and then one more whenever `every` has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    burst: NonZeroU32,
    every: Duration,
}

impl Rate {
    /// `burst` at once, and `more` in each `period` after that.
    fn new(burst: usize, more: usize, period: Duration) -> Self {
        let at_least_one = |count: usize| NonZeroU32::new(u32::try_from(count).unwrap_or(u32::MAX));
        let more = at_least_one(more).unwrap_or(NonZeroU32::MIN);
        Self { burst: at_least_one(burst).unwrap_or(NonZeroU32::MIN), every: period / more.get() }
    }
}

/// Holds everybody of one kind to a rate, by the generic cell rate algorithm: of each it keeps the time at which its
/// whole burst will be there again.
#[derive(Debug)]
struct Limiter<K> {
    rate: Rate,
    whole_at: HashMap<K, Instant>,
}

impl<K: Copy + Eq + Hash> Limiter<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, whole_at: HashMap::new() }
    }

    /// Whether it may take one more now.
    fn has_room(&self, key: &K, now: Instant) -> bool {
        let owed = self.whole_at.get(key).map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        // Time divided is exact enough, and never overflows as times a number would.
        owed / self.rate.burst.get() < self.rate.every || self.rate.every.is_zero()
    }

    fn take(&mut self, key: K, now: Instant) {
        if self.whole_at.len() >= MAX_REMEMBERED && !self.whole_at.contains_key(&key) {
            self.whole_at.retain(|_, at| *at > now);
            let least = self.whole_at.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key);
            least.filter(|_| self.whole_at.len() >= MAX_REMEMBERED).and_then(|least| self.whole_at.remove(&least));
        }
        let at = self.whole_at.entry(key).or_insert(now);
        *at = (*at).max(now) + self.rate.every;
    }
}

/// Holds peers and addresses to their rates.
#[derive(Debug)]
pub(crate) struct Rates {
    peers: Limiter<PeerId>,
    sources: Limiter<IpNet>,
    trusted: Vec<IpNet>,
}

impl Rates {
    /// For reservations. One address takes a quarter of them at once, and another quarter in the time one lasts, so
    /// it never holds more than half.
    pub(crate) fn of_reservations(config: &Config) -> Self {
        let quarter = config.limits.reservations / 4;
        Self {
            peers: Limiter::new(Rate { burst: peer_reservations(), every: PEER_RESERVATION_EVERY }),
            sources: Limiter::new(Rate::new(quarter, quarter, RESERVATION_DURATION)),
            trusted: config.trusted_proxies.clone(),
        }
    }

    /// For circuits. One address opens three fifths of them at once, and another fifth in the time one lasts.
    pub(crate) fn of_circuits(config: &Config) -> Self {
        let limits = &config.limits;
        let fifth = limits.circuits / 5;
        let burst = limits.circuits_per_peer.saturating_mul(2);
        Self {
            peers: Limiter::new(Rate::new(burst, limits.circuits_per_peer, limits.circuit_duration)),
            sources: Limiter::new(Rate::new(fifth.saturating_mul(3), fifth, limits.circuit_duration)),
            trusted: config.trusted_proxies.clone(),
        }
    }

    /// Whether a peer at this address may take one more now; if so it is counted. No bound by address holds for this
    /// machine and for trusted proxies, as many people share them.
    pub(crate) fn allow(&mut self, peer: PeerId, address: &Multiaddr, now: Instant) -> bool {
        let source = counted_source(address, &self.trusted);
        let allowed =
            self.peers.has_room(&peer, now) && source.is_none_or(|source| self.sources.has_room(&source, now));
        if allowed {
            self.peers.take(peer, now);
            source.into_iter().for_each(|source| self.sources.take(source, now));
        }
        allowed
    }
}

const fn peer_reservations() -> NonZeroU32 {
    NonZeroU32::new(PEER_RESERVATIONS).expect("it is above 0")
}

#[cfg(test)]
#[path = "circuits_tests.rs"]
mod tests;
