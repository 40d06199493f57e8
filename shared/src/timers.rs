//! When something is due, for many things.

use std::collections::{BTreeMap, BTreeSet};

use n0_future::time::Instant;

/// One deadline for each key.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    by_key: BTreeMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new(), by_time: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets the deadline of a key, or removes it.
    pub(crate) fn set(&mut self, key: &K, at: Option<Instant>) {
        if self.by_key.get(key).copied() == at {
            return;
        }
        if let Some(before) = self.by_key.remove(key) {
            self.by_time.remove(&(before, key.clone()));
        }
        if let Some(at) = at {
            self.by_key.insert(key.clone(), at);
            self.by_time.insert((at, key.clone()));
        }
    }

    /// Sets the deadline of a key that has none, or a later one.
    pub(crate) fn set_by(&mut self, key: &K, at: Instant) {
        if self.by_key.get(key).is_none_or(|before| at < *before) {
            self.set(key, Some(at));
        }
    }

    /// The first deadline of all.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the keys that are due, the first to become so first.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<K> {
        let mut due = Vec::new();
        while let Some((at, _)) = self.by_time.first()
            && *at <= now
            && let Some((_, key)) = self.by_time.pop_first()
        {
            self.by_key.remove(&key);
            due.push(key);
        }
        due
    }

    #[cfg(feature = "sim")]
    pub(crate) fn len(&self) -> usize {
        self.by_time.len().max(self.by_key.len())
    }

    #[cfg(feature = "sim")]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.by_key.keys()
    }

    /// Forgets keys.
    pub(crate) fn remove_where(&mut self, gone: impl Fn(&K) -> bool) {
        self.by_key.retain(|key, _| !gone(key));
        self.by_time.retain(|(_, key)| !gone(key));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_are_due_in_the_order_of_their_deadlines_each_once() {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut timers = Timers::default();
        timers.set(&"b", Some(after(2)));
        timers.set(&"a", Some(after(3)));
        timers.set(&"a", Some(after(1)));
        timers.set_by(&"b", after(9));
        timers.set(&"c", Some(after(1)));
        timers.set(&"c", None);
        assert_eq!(timers.next(), Some(after(1)));
        assert_eq!(timers.take_due(after(2)), ["a", "b"]);
        assert_eq!((timers.next(), timers.take_due(after(9)).len()), (None, 0));
    }
}
