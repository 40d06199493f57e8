//! Who may not stay: told why on the hub stream, then cut off; and rules that change while the node runs.

use libp2p::PeerId;
use n0_future::time::Instant;

use crate::access::Denied;

/// Refused peers that wait to be told; further ones are closed at once.
pub(super) const MAX_REFUSED_WAITING: usize = 64;
/// Peers that are turned away in silence at once; beyond it the oldest is told anew.
pub(super) const MAX_SILENCED: usize = 4096;

/// A peer on its way out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    pub(super) until: Instant,
    pub(super) peer: PeerId,
    pub(super) denied: Denied,
    pub(super) told: bool,
}

/// Peers about to be cut off, and those to be let in again.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    pub(super) leaving: Vec<Refusal>,
    pub(super) pardons: Vec<(Instant, PeerId)>,
}

impl Refusals {
    pub(super) fn deadline(&self) -> Option<Instant> {
        let leaving = self.leaving.iter().map(|refusal| refusal.until);
        leaving.chain(self.pardons.iter().map(|(at, _)| *at)).min()
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        vec![
            crate::bounded::bounded("MAX_REFUSED_WAITING", self.leaving.len(), MAX_REFUSED_WAITING),
            crate::bounded::bounded("MAX_SILENCED", self.pardons.len(), MAX_SILENCED),
        ]
    }
}
