//! When each peer is dialled directly, and when again.

use std::{collections::BTreeMap, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

use crate::core::DialId;

/// Whoever has the larger peer id of two leaves it to the other for so long.
const GIVE_WAY: Duration = Duration::from_secs(4);
/// After a failure nothing is tried for so long; after each further one twice as long,
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(900);
/// After a connection that was lost, as when the other page is reloaded.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// A connection that is lost sooner counts as a failure: two programs with one key would take turns otherwise.
const SHORT: Duration = Duration::from_secs(10);
/// Peers that are remembered; beyond it those go that are due first.
const MAX_REMEMBERED: usize = 256;

#[derive(Debug, Clone, Copy)]
struct Try {
    failures: u32,
    next: Instant,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Tries {
    by_peer: BTreeMap<PeerId, Try>,
    dialling: BTreeMap<DialId, PeerId>,
    /// Since when direct connections stand, and how many were short before.
    standing: BTreeMap<PeerId, (Instant, u32)>,
    /// When the first of those that are wanted is due.
    due: Option<Instant>,
}

impl Tries {
    /// Of those that are wanted, who is to be dialled now.
    pub(crate) fn due(&mut self, me: PeerId, wanted: impl Iterator<Item = PeerId>, now: Instant) -> Vec<PeerId> {
        let (mut due, mut later) = (Vec::new(), None);
        for peer in wanted.filter(|peer| !self.dialling.values().any(|dialled| dialled == peer)).collect::<Vec<_>>() {
            let first = now + if me < peer { Duration::ZERO } else { GIVE_WAY };
            let next = self.by_peer.entry(peer).or_insert(Try { failures: 0, next: first }).next;
            if next <= now {
                due.push(peer);
            } else {
                later = Some(later.map_or(next, |later: Instant| later.min(next)));
            }
        }
        self.due = later;
        while self.by_peer.len() > MAX_REMEMBERED {
            let Some(first) = self.by_peer.iter().min_by_key(|(_, tried)| tried.next).map(|(peer, _)| *peer) else {
                break;
            };
            self.by_peer.remove(&first);
        }
        due
    }

    pub(crate) fn dialled(&mut self, peer: PeerId, dial: DialId) {
        self.dialling.insert(dial, peer);
    }

    /// Dials that are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.dialling.len()
    }

    /// A dial has failed. Says whether it was one of these.
    pub(crate) fn failed(&mut self, dial: DialId, now: Instant, spread: f64) -> bool {
        let Some(peer) = self.dialling.remove(&dial) else { return false };
        let failures = self.by_peer.get(&peer).map_or(0, |tried| tried.failures);
        self.wait(peer, failures, now, spread);
        true
    }

    fn wait(&mut self, peer: PeerId, failures: u32, now: Instant, spread: f64) {
        let wait = FIRST_WAIT.saturating_mul(1 << failures.min(8)).min(LONGEST_WAIT).mul_f64(1.0 + spread / 2.0);
        self.by_peer.insert(peer, Try { failures: failures + 1, next: now + wait });
    }

    /// A dial has led to a connection.
    pub(crate) fn ended(&mut self, dial: DialId) {
        self.dialling.remove(&dial);
    }

    /// There is a direct connection.
    pub(crate) fn connected(&mut self, peer: PeerId, now: Instant) {
        let failures = self.by_peer.remove(&peer).map_or(0, |tried| tried.failures);
        self.standing.entry(peer).or_insert((now, failures));
    }

    /// It is lost.
    pub(crate) fn lost(&mut self, peer: PeerId, now: Instant, spread: f64) {
        match self.standing.remove(&peer) {
            Some((since, failures)) if now < since + SHORT => self.wait(peer, failures, now, spread),
            _ => drop(self.by_peer.insert(peer, Try { failures: 0, next: now + AGAIN_AFTER })),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due
    }
}
