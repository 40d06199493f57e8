//! How full everything is that has a bound, for the simulator, which looks after every step.

use libp2p::PeerId;

/// One thing that has a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounded {
    /// The bound's name.
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) bound: usize,
}

/// How full something is that may hold `bound`.
pub(crate) fn bounded(name: &'static str, size: usize, bound: usize) -> Bounded {
    Bounded { name, size, bound }
}

/// Peers that a part remembers for as long as they are connected, with the part's name.
pub(crate) type Remembered = (&'static str, Vec<PeerId>);
