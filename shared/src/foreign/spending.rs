//! What is spent of a rate: payloads and bytes, paid back as time passes.

use std::{collections::HashMap, hash::Hash, time::Duration};

use n0_future::time::Instant;

/// What was not used is saved up for so long: the longest payload needs most of a second's bytes of its source.
pub(super) const BURST: Duration = Duration::from_secs(2);
/// Sources, forwarders or rooms with something spent that are remembered; further ones have spent nothing.
pub(super) const REMEMBERED_SPENDERS: usize = 8192;
/// How often those are looked for that have spent nothing any more.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What may be spent in a second, and for how long it is saved up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) messages: u32,
    pub(super) bytes: u32,
    pub(super) burst: Duration,
}

impl Rate {
    pub(super) const fn new(messages: u32, bytes: u32) -> Self {
        Self { messages, bytes, burst: BURST }
    }
}

/// What was spent, as of a moment; it is paid back at the rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    pub(super) messages: f64,
    pub(super) bytes: f64,
    pub(super) at: Instant,
}

impl Spent {
    pub(super) fn nothing(now: Instant) -> Self {
        Self { messages: 0.0, bytes: 0.0, at: now }
    }

    /// All that may be spent at once.
    pub(super) fn everything(rate: Rate, now: Instant) -> Self {
        let seconds = rate.burst.as_secs_f64();
        Self { messages: seconds * f64::from(rate.messages), bytes: seconds * f64::from(rate.bytes), at: now }
    }

    pub(super) fn at(self, rate: Rate, now: Instant) -> Self {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        Self {
            messages: (self.messages - seconds * f64::from(rate.messages)).max(0.0),
            bytes: (self.bytes - seconds * f64::from(rate.bytes)).max(0.0),
            at: now,
        }
    }

    pub(super) fn and(self, bytes: usize) -> Self {
        Self { messages: self.messages + 1.0, bytes: self.bytes + bytes as f64, ..self }
    }

    /// Whether it is at most this share of what may be spent at once.
    pub(super) fn is_within(self, rate: Rate, share: f64) -> bool {
        let seconds = rate.burst.as_secs_f64() * share;
        self.messages <= seconds * f64::from(rate.messages) && self.bytes <= seconds * f64::from(rate.bytes)
    }

    pub(super) fn is_nothing(self) -> bool {
        self.messages <= 0.0 && self.bytes <= 0.0
    }
}

/// What each kind of spender has spent.
#[derive(Debug)]
pub(super) struct Spenders<K> {
    rate: Rate,
    pub(super) spent: HashMap<K, Spent>,
    /// When the table was full and swept.
    swept: Option<Instant>,
}

impl<K: Clone + Eq + Hash> Spenders<K> {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, spent: HashMap::new(), swept: None }
    }

    /// What `who` will have spent with so many bytes more; nothing when that is more than this share of its budget.
    pub(super) fn try_spend(&self, who: &K, bytes: usize, share: f64, now: Instant) -> Option<Spent> {
        let spent = self.spent.get(who).map_or(Spent::nothing(now), |spent| spent.at(self.rate, now)).and(bytes);
        spent.is_within(self.rate, share).then_some(spent)
    }

    pub(super) fn set(&mut self, who: &K, spent: Spent, now: Instant) {
        let full = self.spent.len() >= REMEMBERED_SPENDERS;
        if full && self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_EVERY) {
            let rate = self.rate;
            self.spent.retain(|_, spent| !spent.at(rate, now).is_nothing());
            self.swept = Some(now);
        }
        if self.spent.len() < REMEMBERED_SPENDERS || self.spent.contains_key(who) {
            self.spent.insert(who.clone(), spent);
        }
    }
}
