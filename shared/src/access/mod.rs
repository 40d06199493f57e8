//! The one place that decides whether a peer may do a thing. Decides only; `core/refusing.rs` says what follows.
//!
//! | file | what it decides |
//! |---|---|
//! | this one | who is listed, and who offended too often |
//! | `budget` | how much a peer, and all peers of one address, may say and ask |
//! | `buckets` | so much at once, and more as time passes: what budgets are made of, and a relay's rates |
//! | `counts` | how many things each key holds: connections by address |

mod buckets;
mod budget;
mod counts;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    time::Duration,
};

use libp2p::PeerId;
use n0_future::time::Instant;

pub(crate) use self::{
    buckets::{Buckets, Rate},
    budget::{Budget, Budgets},
    counts::Counts,
};
use crate::Config;

/// Peers whose offences are remembered; beyond it the oldest record is forgotten.
const MAX_REMEMBERED: usize = 4096;

/// What a peer wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Be connected.
    Connect,
    /// Hold a relay reservation.
    Reserve,
    /// Say something in a room.
    Room,
    /// Store a record or a provider.
    Record,
}

/// Why a peer may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The operator listed it.
    Listed,
    /// It offended too often; for a time.
    Offender,
    /// As many peers are here as there is room for.
    Full,
}

impl Denied {
    /// Whether a hub that gives this reason also closes.
    pub(crate) fn closes(code: &str) -> bool {
        [Self::Listed, Self::Offender, Self::Full].iter().any(|denied| denied.code() == code)
    }

    /// A name that never changes, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Listed => "denied",
            Self::Offender => "offender",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listed => "the operator of this node denies it",
            Self::Offender => "it sent what no honest peer sends; try again later",
            Self::Full => "this hub is full; try another one, or again later",
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Record {
    offences: u32,
    latest: Instant,
    refused_until: Option<Instant>,
}

/// The rules and what is remembered of offenders.
#[derive(Debug)]
pub struct Access {
    denied: HashSet<PeerId>,
    threshold: u32,
    refuse_for: Duration,
    records: HashMap<PeerId, Record>,
}

impl Access {
    /// Peers in `denied` may do nothing; others lose everything for `refuse_for` after `threshold` offences.
    #[must_use]
    pub fn new(denied: impl IntoIterator<Item = PeerId>, threshold: u32, refuse_for: Duration) -> Self {
        Self { denied: denied.into_iter().collect(), threshold, refuse_for, records: HashMap::new() }
    }

    /// Takes new rules; what is remembered stays.
    pub fn change(&mut self, config: &Config) {
        self.denied = config.deny.iter().copied().collect();
        (self.threshold, self.refuse_for) = (config.limits.offences, config.limits.refuse_for);
    }

    /// Whether `peer` may do it now.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check(&self, peer: &PeerId, action: Action, now: Instant) -> Result<(), Denied> {
        // Today every action follows the same two rules; they are asked apart so that rules can differ.
        let _: Action = action;
        if self.denied.contains(peer) {
            return Err(Denied::Listed);
        }
        match self.records.get(peer).and_then(|record| record.refused_until) {
            Some(until) if now < until => Err(Denied::Offender),
            _ => Ok(()),
        }
    }

    /// Whether there may be anybody whom a rule forbids something.
    #[must_use]
    pub fn forbids_any(&self) -> bool {
        !(self.denied.is_empty() && self.records.is_empty())
    }

    #[cfg(feature = "sim")]
    pub(crate) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        vec![crate::bounded::bounded("MAX_REMEMBERED", self.records.len(), MAX_REMEMBERED)]
    }

    #[cfg(feature = "sim")]
    pub(crate) fn offenders(&self) -> Vec<PeerId> {
        self.records.keys().copied().collect()
    }

    /// Counts a provable offence of `peer`. Says whether it is refused from now on.
    pub fn offence(&mut self, peer: PeerId, now: Instant) -> bool {
        if self.records.len() >= MAX_REMEMBERED && !self.records.contains_key(&peer) {
            let oldest = self.records.iter().min_by_key(|(_, record)| record.latest).map(|(peer, _)| *peer);
            oldest.map(|oldest| self.records.remove(&oldest));
        }
        let fresh = Record { offences: 0, latest: now, refused_until: None };
        let record = self.records.entry(peer).or_insert(fresh);
        if now.duration_since(record.latest) > self.refuse_for {
            *record = fresh;
        }
        record.offences += 1;
        record.latest = now;
        if record.offences < self.threshold {
            return false;
        }
        record.offences = 0;
        record.refused_until = Some(now + self.refuse_for);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offenders_are_refused_for_a_while_and_only_they() {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let now = Instant::now();
        let (listed, rude, kind) = (PeerId::random(), PeerId::random(), PeerId::random());
        let mut access = Access::new([listed], 3, Duration::from_secs(60));
        assert_eq!(access.check(&listed, Action::Connect, now), Err(Denied::Listed));
        assert!(!access.offence(rude, now) && !access.offence(rude, now));
        assert_eq!(access.check(&rude, Action::Room, now), Ok(()));
        assert!(access.offence(rude, now));
        assert_eq!(access.check(&rude, Action::Room, now), Err(Denied::Offender));
        assert_eq!(access.check(&kind, Action::Room, now), Ok(()));
        assert_eq!(access.check(&rude, Action::Room, now + Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn old_offences_are_forgiven() {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let now = Instant::now();
        let peer = PeerId::random();
        let mut access = Access::new([], 2, Duration::from_secs(60));
        access.offence(peer, now);
        assert!(!access.offence(peer, now + Duration::from_secs(61)));
    }
}
