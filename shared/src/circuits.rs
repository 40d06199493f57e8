//! How often peers may take relay reservations and open circuits: a bound by peer, and one by address.
//!
//! The relay itself bounds what is held at a time. What these rates add: nobody opens again and again for ever, and
//! as what is taken also ends (a reservation after an hour, a circuit after `circuit_duration`), the rate of one
//! address bounds what it can hold, so that a part stays for others. They follow from `[limits]`, and are such that
//! the defaults let 300 people behind one address each reserve and open four circuits at once.

use std::{num::NonZeroU32, time::Duration};

use libp2p::{Multiaddr, PeerId};
use web_time::Instant;

use crate::{
    Config,
    access::{Budget, Rate},
};

/// Reservations that one peer may take at once: it needs one on each of its connections.
const PEER_RESERVATIONS: u32 = 16;
/// Time after which it may take one more.
const PEER_RESERVATION_EVERY: Duration = Duration::from_secs(60);
/// How long a reservation lasts.
pub(crate) const RESERVATION_DURATION: Duration = Duration::from_secs(3600);

/// Holds peers and addresses to their rates.
#[derive(Debug)]
pub(crate) struct Rates(Budget<Instant>);

impl Rates {
    /// For reservations. One address takes a quarter of them at once, and another quarter in the time one lasts, so
    /// it never holds more than half.
    pub(crate) fn of_reservations(config: &Config) -> Self {
        let quarter = config.limits.reservations / 4;
        let peers = Rate::every(peer_reservations(), PEER_RESERVATION_EVERY);
        Self(Budget::new(peers, Rate::new(quarter, quarter, RESERVATION_DURATION), &config.trusted_proxies))
    }

    /// For circuits. One address opens three fifths of them at once, and another fifth in the time one lasts.
    pub(crate) fn of_circuits(config: &Config) -> Self {
        let limits = &config.limits;
        let fifth = limits.circuits / 5;
        let burst = limits.circuits_per_peer.saturating_mul(2);
        let peers = Rate::new(burst, limits.circuits_per_peer, limits.circuit_duration);
        let sources = Rate::new(fifth.saturating_mul(3), fifth, limits.circuit_duration);
        Self(Budget::new(peers, sources, &config.trusted_proxies))
    }

    /// Whether a peer at this address may take one more now; if so it is counted. No bound by address holds for this
    /// machine and for trusted proxies, as many people share them.
    pub(crate) fn allow(&mut self, peer: PeerId, address: &Multiaddr, now: Instant) -> bool {
        self.0.allow(peer, address, 1, now)
    }
}

const fn peer_reservations() -> NonZeroU32 {
    NonZeroU32::new(PEER_RESERVATIONS).expect("it is above 0")
}

#[cfg(test)]
#[path = "circuits_tests.rs"]
mod tests;
