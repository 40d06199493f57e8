//! Who loses a place when strangers want more places than there are: the source that holds most, and of what it holds
//! the entry farthest from this node's id. Nobody can take the places of many by being quick or early.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use libp2p::{Multiaddr, PeerId, kad::KBucketDistance as Distance};

use crate::{IpNet, source::counted_source};

/// Whom an entry is counted with: a range of addresses, or a peer where no bound by address holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Source(Arc<str>);

impl Source {
    pub(crate) fn of(peer: &PeerId, address: &Multiaddr, trusted: &[IpNet]) -> Self {
        Self(match counted_source(address, trusted) {
            Some(range) => range.to_string().into(),
            None => peer.to_string().into(),
        })
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The entries of all strangers, in the order in which they lose their places.
#[derive(Debug)]
pub(crate) struct Places<T> {
    by_source: HashMap<Source, BTreeSet<(Distance, T)>>,
    /// How many entries each source has, and the distance of its farthest one.
    ranks: BTreeSet<(usize, Distance, Source)>,
    taken: usize,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { by_source: HashMap::new(), ranks: BTreeSet::new(), taken: 0 }
    }
}

impl<T: Ord + Clone> Places<T> {
    pub(crate) fn insert(&mut self, source: &Source, distance: Distance, entry: T) {
        self.change(source, |entries| entries.insert((distance, entry)));
    }

    pub(crate) fn remove(&mut self, source: &Source, distance: Distance, entry: T) {
        self.change(source, |entries| entries.remove(&(distance, entry)));
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// The entry that is the first to go.
    pub(crate) fn first_to_go(&self) -> Option<T> {
        let (_, _, source) = self.ranks.last()?;
        let (_, entry) = self.by_source.get(source)?.last()?;
        Some(entry.clone())
    }

    fn change(&mut self, source: &Source, change: impl FnOnce(&mut BTreeSet<(Distance, T)>) -> bool) {
        let entries = self.by_source.entry(source.clone()).or_default();
        if let Some((farthest, _)) = entries.last() {
            self.ranks.remove(&(entries.len(), *farthest, source.clone()));
        }
        self.taken -= entries.len();
        change(entries);
        self.taken += entries.len();
        match entries.last() {
            Some((farthest, _)) => {
                self.ranks.insert((entries.len(), *farthest, source.clone()));
            }
            None => {
                self.by_source.remove(source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use libp2p::kad::U256;

    use super::*;

    fn at(distance: u64) -> Distance {
        Distance(U256::from(distance))
    }

    #[test]
    fn the_source_that_holds_most_loses_its_farthest() {
        let [greedy, modest] = ["greedy", "modest"].map(|name| Source::from(name.to_owned()));
        let mut places = Places::default();
        for n in 1..=4 {
            places.insert(&greedy, at(n), n);
        }
        places.insert(&modest, at(100), 100);
        assert_eq!((places.taken(), places.first_to_go()), (5, Some(4)));
        places.remove(&greedy, at(4), 4);
        places.remove(&greedy, at(3), 3);
        places.remove(&greedy, at(2), 2);
        assert_eq!(places.first_to_go(), Some(100), "with as many each, the farthest goes");
        places.remove(&modest, at(100), 100);
        places.remove(&modest, at(100), 100);
        places.remove(&greedy, at(1), 1);
        assert_eq!((places.taken(), places.first_to_go()), (0, None));
        assert!(places.by_source.is_empty() && places.ranks.is_empty());
    }

    #[test]
    fn addresses_count_by_range_and_shared_ones_by_peer() {
        let (one, other) = (PeerId::random(), PeerId::random());
        let of = |peer: &PeerId, address: &str| Source::of(peer, &address.parse().unwrap(), &[]);
        assert_eq!(of(&one, "/ip4/192.0.2.1/tcp/1"), of(&other, "/ip4/192.0.2.1/tcp/2"));
        assert_ne!(of(&one, "/ip4/127.0.0.1/tcp/1"), of(&other, "/ip4/127.0.0.1/tcp/1"));
    }
}
