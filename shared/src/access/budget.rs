//! Budgets by peer and by address: what one peer may do, and what all peers of one address (of IPv6 a /64) may do
//! together. Keys are free, so a bound by peer alone bounds nobody; addresses are not.
//!
//! What is over budget is turned away before it costs anything: no signature is checked for it. 300 people behind one
//! address must be able to come at once; who has more is named with `--trusted-proxy`. No bound by address holds for
//! this machine, for trusted proxies and behind a relay, as many share these.

use ipnet::IpNet;
use libp2p::{Multiaddr, PeerId};
use n0_future::time::Instant;

use super::buckets::{Buckets, Rate, Time};
use crate::source::counted_source;

/// Frames that were not seen before, which one peer may hand over at once: each costs a signature's check. It may be all
/// that is said in its rooms, since peers pass on what others say.
const MAX_FRAMES_PER_PEER: usize = 4_096;
/// The same in a second after that.
const FRAMES_PER_SECOND: usize = 512;
/// The same of all peers of one address, at once.
const MAX_FRAMES_PER_SOURCE: usize = 16_384;
/// The same in a second after that.
const SOURCE_FRAMES_PER_SECOND: usize = 1_024;
/// Bytes of such frames that one peer may hand over at once.
const MAX_FRAME_BYTES_PER_PEER: usize = 4 * 1024 * 1024;
/// The same in a second after that.
const FRAME_BYTES_PER_SECOND: usize = 1024 * 1024;
/// The same of all peers of one address, at once.
const MAX_FRAME_BYTES_PER_SOURCE: usize = 16 * 1024 * 1024;
/// The same in a second after that.
const SOURCE_FRAME_BYTES_PER_SECOND: usize = 2 * 1024 * 1024;
/// Questions of a sync that one peer may ask at once: three for each of its rooms, and again.
const MAX_SYNCS_PER_PEER: usize = 256;
/// The same in a second after that.
const SYNCS_PER_SECOND: usize = 16;
/// The same of all peers of one address, at once.
const MAX_SYNCS_PER_SOURCE: usize = 8_192;
/// The same in a second after that.
const SOURCE_SYNCS_PER_SECOND: usize = 256;

/// What peers and addresses may do of one kind.
#[derive(Debug)]
pub(crate) struct Budget<T> {
    peers: Buckets<PeerId, T>,
    sources: Buckets<IpNet, T>,
    trusted: Vec<IpNet>,
}

impl<T: Time> Budget<T> {
    pub(crate) fn new(peers: Rate, sources: Rate, trusted: &[IpNet]) -> Self {
        Self { peers: Buckets::new(peers), sources: Buckets::new(sources), trusted: trusted.to_vec() }
    }

    /// Whether a peer at this address may do something of this cost now; if so it is counted.
    pub(crate) fn allow(&mut self, peer: PeerId, address: &Multiaddr, cost: u32, now: T) -> bool {
        let source = counted_source(address, &self.trusted);
        let allowed =
            self.peers.has_room(&peer, now) && source.is_none_or(|source| self.sources.has_room(&source, now));
        if allowed {
            self.peers.take(peer, cost, now);
            source.into_iter().for_each(|source| self.sources.take(source, cost, now));
        }
        allowed
    }
}

/// The budgets of what peers say and ask in rooms.
#[derive(Debug)]
pub(crate) struct Budgets {
    frames: Budget<Instant>,
    bytes: Budget<Instant>,
    syncs: Budget<Instant>,
    /// Frames, and their bytes, that peers said themselves beyond their budgets: as much again.
    excess: [Buckets<PeerId, Instant>; 2],
}

impl Budgets {
    /// Frames and bytes a second that one peer may hand over.
    pub(crate) fn of_one_peer() -> (u32, u32) {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (number(FRAMES_PER_SECOND), number(FRAME_BYTES_PER_SECOND))
    }

    pub(crate) fn new(trusted: &[IpNet]) -> Self {
        let budget = |peers: (usize, usize), sources: (usize, usize)| {
            Budget::new(Rate::per_second(peers.0, peers.1), Rate::per_second(sources.0, sources.1), trusted)
        };
        Self {
            frames: budget((MAX_FRAMES_PER_PEER, FRAMES_PER_SECOND), (MAX_FRAMES_PER_SOURCE, SOURCE_FRAMES_PER_SECOND)),
            bytes: budget(
                (MAX_FRAME_BYTES_PER_PEER, FRAME_BYTES_PER_SECOND),
                (MAX_FRAME_BYTES_PER_SOURCE, SOURCE_FRAME_BYTES_PER_SECOND),
            ),
            syncs: budget((MAX_SYNCS_PER_PEER, SYNCS_PER_SECOND), (MAX_SYNCS_PER_SOURCE, SOURCE_SYNCS_PER_SECOND)),
            excess: [
                Buckets::new(Rate::per_second(MAX_FRAMES_PER_PEER, FRAMES_PER_SECOND)),
                Buckets::new(Rate::per_second(MAX_FRAME_BYTES_PER_PEER, FRAME_BYTES_PER_SECOND)),
            ],
        }
    }

    /// Whether a peer may hand over a frame of so many bytes that was not seen before.
    pub(crate) fn allow_frame(&mut self, peer: PeerId, address: &Multiaddr, bytes: usize, now: Instant) -> bool {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.frames.allow(peer, address, 1, now) && self.bytes.allow(peer, address, bytes, now)
    }

    /// Whether a frame beyond its budget, which the peer signed itself, makes more than twice that budget.
    pub(crate) fn is_flood(&mut self, peer: PeerId, bytes: usize, now: Instant) -> bool {
        let costs = [1, u32::try_from(bytes).unwrap_or(u32::MAX)];
        if self.excess.iter().any(|excess| !excess.has_room(&peer, now)) {
            return true;
        }
        self.excess.iter_mut().zip(costs).for_each(|(excess, cost)| excess.take(peer, cost, now));
        false
    }

    /// Whether a peer may ask a question of a sync.
    pub(crate) fn allow_sync(&mut self, peer: PeerId, address: &Multiaddr, now: Instant) -> bool {
        self.syncs.allow(peer, address, 1, now)
    }

    #[cfg(feature = "sim")]
    pub(crate) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        let all = [&self.frames, &self.bytes, &self.syncs];
        let excess = self.excess.iter().map(Buckets::bounds);
        all.iter().flat_map(|budget| [budget.peers.bounds(), budget.sources.bounds()]).chain(excess).collect()
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
