//! One hub to stay connected to: where it is, how the last tries went, what was told about them.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use n0_future::time::Instant;

use crate::core::DialId;

/// The wait after a first failure, and after a hub is lost: half to all of it. It doubles with each failure.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(400);
/// The longest wait, so that a hub that is back is found within seconds.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Addresses of one hub.
const MAX_ADDRESSES: usize = 32;
/// Reasons for not reaching a hub that were told, and are not told again until it has been reached.
const MAX_TOLD: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Waiting(Instant),
    /// `wide`: also at addresses that nobody named, and not yet cut short.
    Dialling {
        dial: DialId,
        since: Instant,
        wide: Option<PeerId>,
    },
    Up {
        peer: PeerId,
        since: Instant,
    },
}

#[derive(Debug)]
pub(super) struct Link {
    /// Named by the addresses; never changes.
    pub(super) expected: Option<PeerId>,
    /// Who was last reached there.
    pub(super) last: Option<PeerId>,
    pub(super) addresses: Vec<Multiaddr>,
    /// Others that it told when it was last connected, or that discovery found.
    pub(super) learnt: Vec<Multiaddr>,
    /// Nobody named it; it was found on the local network.
    pub(super) found: bool,
    /// It is no longer found there, and is forgotten then. While it is connected that is put off.
    pub(super) forget_at: Option<Instant>,
    /// Until when it is dialled even if it is no longer found: it was in a room of ours when it was lost.
    pub(super) kept_until: Option<Instant>,
    pub(super) failures: u32,
    /// Failed dials: the next one begins with another address.
    pub(super) turn: usize,
    /// Told to stay away: not dialled before.
    pub(super) rest_until: Option<Instant>,
    /// Another program with our key is there: not dialled until a person wants it.
    pub(super) asleep: bool,
    /// Dialled even where another dial to this peer is under way: a person wants it, or that dial has fallen silent.
    pub(super) wanted: bool,
    /// Why it could not be reached, as far as that was told.
    pub(super) told: Vec<String>,
    pub(super) state: State,
}

impl Link {
    pub(super) fn new(expected: Option<PeerId>, addresses: Vec<Multiaddr>, state: State) -> Self {
        Self {
            expected,
            last: None,
            learnt: Vec::new(),
            addresses,
            found: false,
            forget_at: None,
            kept_until: None,
            failures: 0,
            turn: 0,
            rest_until: None,
            asleep: false,
            wanted: false,
            told: Vec::new(),
            state,
        }
    }

    /// Adds addresses, newest first.
    pub(super) fn put_first(&mut self, addresses: Vec<Multiaddr>) {
        self.addresses.retain(|address| !addresses.contains(address));
        self.addresses.splice(0..0, addresses);
        self.addresses.truncate(MAX_ADDRESSES);
    }

    /// Remembers addresses that nobody named.
    pub(super) fn learn(&mut self, addresses: impl IntoIterator<Item = Multiaddr>) {
        for address in addresses {
            if self.learnt.len() < MAX_ADDRESSES && !self.learnt.contains(&address) {
                self.learnt.push(address);
            }
        }
    }

    /// These and the learnt ones in turn: however many of either are silent, the others are soon tried. Those that are
    /// among `addresses` already, with or without the id at their end, are left out.
    pub(super) fn with_learnt(&self, peer: PeerId, addresses: Vec<Multiaddr>) -> Vec<Multiaddr> {
        let whole = |address: &Multiaddr| address.clone().with_p2p(peer).unwrap_or_else(|address| address);
        let is_new = |learnt: &&Multiaddr| !addresses.iter().any(|address| whole(address) == whole(learnt));
        let learnt: Vec<Multiaddr> = self.learnt.iter().filter(is_new).cloned().collect();
        in_turn(addresses, learnt)
    }

    pub(super) fn is_dialling(&self, by: DialId) -> bool {
        matches!(self.state, State::Dialling { dial, .. } if dial == by)
    }

    /// The first address where this is news of a hub that somebody named.
    pub(super) fn tell(&mut self, reason: &str) -> Option<Multiaddr> {
        if self.found || self.told.len() >= MAX_TOLD || self.told.iter().any(|told| told == reason) {
            return None;
        }
        self.told.push(reason.to_owned());
        self.addresses.first().cloned()
    }

    pub(super) fn reached(&mut self, peer: PeerId, now: Instant) {
        self.told.clear();
        self.asleep = false;
        self.last = Some(peer);
        self.state = State::Up { peer, since: now };
    }

    /// Takes in what is known of another way to the same peer.
    pub(super) fn absorb(&mut self, other: Self) {
        self.found &= other.found;
        self.expected = self.expected.or(other.expected);
        let new = other.addresses.into_iter().filter(|address| !self.addresses.contains(address));
        let new: Vec<Multiaddr> = new.collect();
        self.addresses.extend(new);
        self.addresses.truncate(MAX_ADDRESSES);
        self.learn(other.learnt);
    }

    /// When it is to be dialled, if it waits for that.
    pub(super) fn dials_at(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(at) if !self.asleep => Some(at),
            _ => None,
        }
    }

    pub(super) fn is_up(&self, peer: PeerId) -> bool {
        matches!(self.state, State::Up { peer: up, .. } if up == peer)
    }

    pub(super) fn fail(&mut self, now: Instant, spread: f64) {
        let longest = FIRST_WAIT.saturating_mul(1 << self.failures.min(8)).min(LONGEST_WAIT);
        self.failures += 1;
        let at = now + longest.mul_f64(0.5 + 0.5 * spread.clamp(0.0, 1.0));
        self.state = State::Waiting(self.rest_until.map_or(at, |rest| rest.max(at)));
    }
}

/// The same addresses, IPv6 and IPv4 in turn as long as there are both: where one family leads nowhere, the next is the
/// other's. Names keep their places among the family that comes first.
pub(super) fn alternate_families(addresses: Vec<Multiaddr>) -> Vec<Multiaddr> {
    let is_v6 = |address: &Multiaddr| matches!(address.iter().next(), Some(Protocol::Ip6(_) | Protocol::Ip6zone(_)));
    let first_is_v6 = addresses.first().is_some_and(is_v6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| is_v6(address) == first_is_v6);
    in_turn(first, second)
}

/// One of the first, one of the second, and so on.
fn in_turn(first: Vec<Multiaddr>, second: Vec<Multiaddr>) -> Vec<Multiaddr> {
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(first.next());
        all.extend(second.next());
        if all.len() == before {
            return all;
        }
    }
}

/// The peer an address ends at: the last `/p2p/` of it.
pub(crate) fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}
