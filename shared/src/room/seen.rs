//! Names of frames that are not taken again.

use std::{
    collections::{BTreeSet, VecDeque},
    ops::Bound,
};

use super::frame::{FrameId, Prefix};

/// A bounded set of names; the oldest goes first.
#[derive(Debug)]
pub(super) struct Seen {
    most: usize,
    names: BTreeSet<FrameId>,
    order: VecDeque<FrameId>,
}

impl Seen {
    pub(super) fn new(most: usize) -> Self {
        Self { most, names: BTreeSet::new(), order: VecDeque::new() }
    }

    pub(super) fn insert(&mut self, id: FrameId) {
        if !self.names.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, id: &FrameId) -> bool {
        self.names.contains(id)
    }

    #[cfg(feature = "sim")]
    pub(super) fn len(&self) -> usize {
        self.order.len().max(self.names.len())
    }

    /// All of them, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &FrameId> {
        self.order.iter().rev()
    }

    pub(super) fn has_prefix(&self, prefix: &Prefix) -> bool {
        let (mut low, mut high) = ([0; 32], [0xff; 32]);
        low[..8].copy_from_slice(prefix);
        high[..8].copy_from_slice(prefix);
        self.names.range((Bound::Included(FrameId(low)), Bound::Included(FrameId(high)))).next().is_some()
    }
}
