//! Members of one room at one hub, shared by everybody who was told of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use libp2p::PeerId;

/// What a listing without names weighs, in names.
const EMPTY_WEIGHT: usize = 2;

/// What a presence weighs, in names.
const PRESENCE_WEIGHT: usize = 6;

/// What a member last said of itself, signed.
#[derive(Debug, Clone)]
pub(crate) struct SignedPresence {
    /// Its number among the presences of its author: a higher one is newer.
    pub(crate) sequence: u64,
    /// The frame as it travels.
    pub(crate) bytes: Arc<[u8]>,
}

/// Presences of members, by author.
pub(crate) type Presences = BTreeMap<PeerId, SignedPresence>;

/// The weight of all listings of one node that somebody still holds: of each its names and a little more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<AtomicUsize>);

impl Tally {
    pub(crate) fn total(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Members of one room at one hub. It never changes, so that those who were told of it share it.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) hub: PeerId,
    pub(crate) total: u32,
    /// How many of the total use another program.
    pub(crate) foreign: u32,
    /// Some of them, or all, in order.
    names: Box<[PeerId]>,
    /// Of a large room, where gossip does not carry them: what those in `names` say of themselves.
    presences: Presences,
    tally: Tally,
}

impl Listing {
    pub(crate) fn new(
        hub: PeerId,
        (total, foreign): (u32, u32),
        names: &BTreeSet<PeerId>,
        presences: Presences,
        tally: &Tally,
    ) -> Arc<Self> {
        let names = names.iter().copied().collect();
        let listing = Self { hub, total, foreign, names, presences, tally: tally.clone() };
        listing.tally.0.fetch_add(listing.weight(), Ordering::Relaxed);
        Arc::new(listing)
    }

    pub(crate) fn names(&self) -> &[PeerId] {
        &self.names
    }

    /// What those in [`Self::names`] say of themselves, as far as it is known and gossip does not carry it.
    pub(crate) fn presences(&self) -> &Presences {
        &self.presences
    }

    /// Whether it says the same as one of these would.
    pub(crate) fn is_of(&self, numbers: (u32, u32), names: &BTreeSet<PeerId>, presences: &Presences) -> bool {
        let sequences = |presences: &Presences| presences.iter().map(|(author, it)| (*author, it.sequence)).collect();
        let (ours, theirs): (Vec<_>, Vec<_>) = (sequences(&self.presences), sequences(presences));
        (self.total, self.foreign) == numbers && self.names.iter().eq(names) && ours == theirs
    }

    pub(crate) fn contains(&self, peer: &PeerId) -> bool {
        self.names.binary_search(peer).is_ok()
    }

    pub(crate) fn weight(&self) -> usize {
        EMPTY_WEIGHT + self.names.len() + self.presences.len() * PRESENCE_WEIGHT
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.tally.0.fetch_sub(self.weight(), Ordering::Relaxed);
    }
}
