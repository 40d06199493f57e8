//! Members of one room at one hub, shared by everybody who was told of them.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use libp2p::PeerId;

/// What a listing without names weighs, in names.
const EMPTY_WEIGHT: usize = 2;

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
    tally: Tally,
}

impl Listing {
    pub(crate) fn new(hub: PeerId, total: u32, foreign: u32, names: &BTreeSet<PeerId>, tally: &Tally) -> Arc<Self> {
        let listing = Self { hub, total, foreign, names: names.iter().copied().collect(), tally: tally.clone() };
        listing.tally.0.fetch_add(listing.weight(), Ordering::Relaxed);
        Arc::new(listing)
    }

    pub(crate) fn names(&self) -> &[PeerId] {
        &self.names
    }

    pub(crate) fn contains(&self, peer: &PeerId) -> bool {
        self.names.binary_search(peer).is_ok()
    }

    /// Whether it counts anybody else.
    pub(crate) fn counts_others(&self, me: &PeerId) -> bool {
        self.total > u32::from(self.contains(me))
    }

    pub(crate) fn weight(&self) -> usize {
        EMPTY_WEIGHT + self.names.len()
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.tally.0.fetch_sub(self.weight(), Ordering::Relaxed);
    }
}
