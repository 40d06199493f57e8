//! How many things each key holds at once.

use std::{collections::HashMap, hash::Hash};

/// Counts what is held, under a name of its own, for a key each.
#[derive(Debug)]
pub(crate) struct Counts<I, K> {
    held: HashMap<I, K>,
    by_key: HashMap<K, usize>,
}

impl<I, K> Default for Counts<I, K> {
    fn default() -> Self {
        Self { held: HashMap::new(), by_key: HashMap::new() }
    }
}

impl<I: Eq + Hash, K: Copy + Eq + Hash> Counts<I, K> {
    /// Holds one thing more for a key, unless it holds `most` already. Says whether it does.
    pub(crate) fn hold(&mut self, thing: I, key: K, most: usize) -> bool {
        let count = self.by_key.get(&key).copied().unwrap_or_default();
        if count >= most {
            return false;
        }
        self.release(&thing);
        *self.by_key.entry(key).or_default() += 1;
        self.held.insert(thing, key);
        true
    }

    /// A thing is held no longer.
    pub(crate) fn release(&mut self, thing: &I) {
        let Some(key) = self.held.remove(thing) else { return };
        if let Some(count) = self.by_key.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.by_key.remove(&key);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_holds_so_many_and_gets_places_back() {
        let mut counts = Counts::default();
        assert!(counts.hold(1, "a", 2) && counts.hold(2, "a", 2) && !counts.hold(3, "a", 2));
        assert!(counts.hold(3, "b", 2), "another key has its own");
        counts.release(&1);
        counts.release(&1);
        assert!(counts.hold(4, "a", 2) && !counts.hold(5, "a", 2));
        [2, 3, 4].iter().for_each(|thing| counts.release(thing));
        assert!(counts.is_empty());
    }
}
