//! Peers that opened a stream to this hub to be told who is where.

use std::collections::BTreeMap;

use libp2p::PeerId;

/// Messages that wait to be written on one stream.
pub(crate) const TELL_QUEUE: usize = 12;
/// Of these, places that reports leave free for what cannot wait. Who fills them too is cut off and asks anew.
const TELL_RESERVE: usize = 4;

/// A watcher's stream.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) serial: u64,
    /// How many messages more it takes.
    pub(super) space: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Watchers(pub(super) BTreeMap<PeerId, Open>);

impl Watchers {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn ids(&self) -> Vec<PeerId> {
        self.0.keys().copied().collect()
    }

    #[cfg(feature = "sim")]
    pub(super) fn remembered(&self) -> Vec<PeerId> {
        self.0.keys().copied().collect()
    }

    pub(super) fn is_open(&self, peer: &PeerId) -> bool {
        self.0.contains_key(peer)
    }

    pub(super) fn is_current(&self, peer: &PeerId, serial: u64) -> bool {
        self.0.get(peer).is_some_and(|open| open.serial == serial)
    }

    /// How many reports a stream takes.
    pub(super) fn space(&self, peer: &PeerId) -> usize {
        self.0.get(peer).map_or(0, |open| open.space.saturating_sub(TELL_RESERVE))
    }
}
