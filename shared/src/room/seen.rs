//! Names of frames that are not taken again.

use std::{
    collections::{BTreeSet, VecDeque},
    ops::Bound,
};

use super::frame::{FrameId, Prefix};
use crate::config::FRAME_TIME_WINDOW;

/// A bounded set of names; the oldest goes first.
#[derive(Debug)]
pub(super) struct Seen {
    most: usize,
    names: BTreeSet<FrameId>,
    /// With when each came, unix time in milliseconds.
    order: VecDeque<(FrameId, u64)>,
    /// Until when a frame may count whose name was forgotten.
    forgot_until_ms: u64,
}

impl Seen {
    pub(super) fn new(most: usize) -> Self {
        Self { most, names: BTreeSet::new(), order: VecDeque::new(), forgot_until_ms: 0 }
    }

    pub(super) fn insert(&mut self, id: FrameId, now_ms: u64) {
        if !self.names.insert(id) {
            return;
        }
        self.order.push_back((id, now_ms));
        if self.order.len() > self.most
            && let Some((oldest, came_ms)) = self.order.pop_front()
        {
            self.names.remove(&oldest);
            // A frame counts for an hour around the time that it names, and may name one an hour ahead.
            let counts_until_ms = came_ms.saturating_add(2 * FRAME_TIME_WINDOW.as_millis() as u64);
            self.forgot_until_ms = self.forgot_until_ms.max(counts_until_ms);
        }
    }

    /// Whether a name was forgotten whose frame may still count.
    pub(super) fn forgot_some(&self, now_ms: u64) -> bool {
        self.forgot_until_ms > now_ms
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
        self.order.iter().rev().map(|(id, _)| id)
    }

    pub(super) fn has_prefix(&self, prefix: &Prefix) -> bool {
        let (mut low, mut high) = ([0; 32], [0xff; 32]);
        low[..8].copy_from_slice(prefix);
        high[..8].copy_from_slice(prefix);
        self.names.range((Bound::Included(FrameId(low)), Bound::Included(FrameId(high)))).next().is_some()
    }
}
