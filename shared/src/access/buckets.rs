//! How much in what time: so much at once, and more as time passes.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    ops::{Add, Sub},
    time::Duration,
};

/// Keys whose use is remembered in one table; beyond it those that used least are forgotten.
const MAX_REMEMBERED: usize = 8192;
/// How often a full table is searched for those that owe nothing any more.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// So many at once, and then one more whenever `every` has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    burst: NonZeroU32,
    every: Duration,
}

impl Rate {
    /// `burst` at once, and one more each time that `every` passes.
    pub(crate) const fn every(burst: NonZeroU32, every: Duration) -> Self {
        Self { burst, every }
    }

    /// `burst` at once, and `more` in each `period` after that; at least one of both.
    pub(crate) fn new(burst: usize, more: usize, period: Duration) -> Self {
        let at_least_one = |count: usize| NonZeroU32::new(u32::try_from(count).unwrap_or(u32::MAX));
        let more = at_least_one(more).unwrap_or(NonZeroU32::MIN);
        Self { burst: at_least_one(burst).unwrap_or(NonZeroU32::MIN), every: period / more.get() }
    }

    /// `burst` at once, and `more` in each second after that.
    pub(crate) fn per_second(burst: usize, more: usize) -> Self {
        Self::new(burst, more, Duration::from_secs(1))
    }
}

/// A clock's time.
pub(crate) trait Time: Copy + Ord + Add<Duration, Output = Self> + Sub<Output = Duration> {}
impl<T: Copy + Ord + Add<Duration, Output = T> + Sub<Output = Duration>> Time for T {}

/// Token buckets, one for each key, by the generic cell rate algorithm: of each key the table keeps the time at which its
/// bucket will be full again.
#[derive(Debug)]
pub(crate) struct Buckets<K, T> {
    rate: Rate,
    full_at: HashMap<K, T>,
    swept: Option<T>,
}

impl<K: Copy + Eq + Hash, T: Time> Buckets<K, T> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, full_at: HashMap::new(), swept: None }
    }

    /// Whether this key may take something more now.
    pub(crate) fn has_room(&self, key: &K, now: T) -> bool {
        let owed = self.full_at.get(key).filter(|at| **at > now).map_or(Duration::ZERO, |at| *at - now);
        // Time divided is exact enough, and never overflows as times a number would.
        owed / self.rate.burst.get() < self.rate.every || self.rate.every.is_zero()
    }

    /// Takes so much, which may be more than there is: then nothing is left for longer.
    pub(crate) fn take(&mut self, key: K, cost: u32, now: T) {
        if !self.full_at.contains_key(&key) && !self.make_place(now) {
            return;
        }
        let at = self.full_at.entry(key).or_insert(now);
        *at = (*at).max(now) + self.rate.every.saturating_mul(cost.min(self.rate.burst.get()));
    }

    /// Makes place for one key more, if there is none. Says whether there is one now.
    fn make_place(&mut self, now: T) -> bool {
        let is_full = |table: &Self| table.full_at.len() >= MAX_REMEMBERED;
        if is_full(self) && self.swept.is_none_or(|swept| now >= swept + SWEEP_EVERY) {
            self.swept = Some(now);
            self.full_at.retain(|_, at| *at > now);
            // Those that owe least go: an eighth, so that not each newcomer costs a search.
            if is_full(self) {
                let mut all: Vec<(T, K)> = self.full_at.iter().map(|(key, at)| (*at, *key)).collect();
                all.select_nth_unstable_by_key(MAX_REMEMBERED / 8, |(at, _)| *at);
                all.truncate(MAX_REMEMBERED / 8);
                for (_, key) in all {
                    self.full_at.remove(&key);
                }
            }
        }
        !is_full(self)
    }

    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn len(&self) -> usize {
        self.full_at.len()
    }
}

#[cfg(feature = "sim")]
impl<K: Copy + Eq + Hash, T: Time> Buckets<K, T> {
    pub(crate) fn bounds(&self) -> crate::bounded::Bounded {
        crate::bounded::bounded("MAX_REMEMBERED", self.len(), MAX_REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use n0_future::time::Instant;

    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    /// How many of this cost go now.
    fn taken(buckets: &mut Buckets<u32, Instant>, key: u32, cost: u32, now: Instant) -> usize {
        let mut taken = 0;
        while buckets.has_room(&key, now) {
            buckets.take(key, cost, now);
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_rate() {
        let (mut buckets, now) = (Buckets::new(Rate::per_second(10, 2)), start());
        assert_eq!(taken(&mut buckets, 1, 1, now), 10);
        assert_eq!(taken(&mut buckets, 1, 1, now + Duration::from_secs(3)), 6);
        assert_eq!(taken(&mut buckets, 2, 1, now), 10, "another key has its own");
        assert_eq!(taken(&mut buckets, 1, 1, now + Duration::from_secs(3600)), 10, "no more than a burst is saved");
    }

    #[test]
    fn what_costs_more_is_rarer_and_what_costs_too_much_goes_once() {
        let (mut buckets, now) = (Buckets::new(Rate::per_second(1000, 100)), start());
        assert_eq!(taken(&mut buckets, 1, 250, now), 4);
        assert_eq!(taken(&mut buckets, 2, u32::MAX, now), 1);
        assert!(buckets.has_room(&2, now + Duration::from_secs(11)));
    }

    #[test]
    fn a_full_table_forgets_those_that_owe_least() {
        let (mut buckets, now) = (Buckets::new(Rate::per_second(10, 1)), start());
        assert_eq!(taken(&mut buckets, 0, 1, now), 10);
        for key in 1..=2 * MAX_REMEMBERED as u32 {
            buckets.take(key, 1, now);
        }
        assert!(buckets.len() <= MAX_REMEMBERED);
        assert!(!buckets.has_room(&0, now), "who owes most is remembered");
        buckets.take(7_000_000, 1, now + Duration::from_secs(60));
        assert_eq!(buckets.len(), 1, "those who owe nothing need no place");
    }
}
