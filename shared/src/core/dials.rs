//! Dials: begun for a caller, for a hub to stay connected to, for a peer that was discovered; and how they failed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use libp2p::{Multiaddr, PeerId};
use n0_future::time::Instant;

use super::DialId;
use crate::{Error, command::Reply, links::SILENCE};

/// Peers found on the local network that are dialled at once.
pub(super) const MAX_FINDS_DIALLED: usize = 16;
/// Further ones that wait.
pub(super) const MAX_WAITING_FINDS: usize = 256;

/// A dial that a caller asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) address: String,
    pub(super) since: Instant,
    pub(super) reply: Reply<Result<PeerId, Error>>,
}

/// Those that callers wait for.
#[derive(Debug, Default)]
pub(super) struct Dials {
    pub(super) last: u64,
    pub(super) asked: BTreeMap<DialId, Asked>,
    /// Of peers that were found on the local network.
    pub(super) finding: BTreeSet<DialId>,
    /// Those that are still to be dialled.
    pub(super) found: VecDeque<(PeerId, Vec<Multiaddr>)>,
}

impl Dials {
    pub(super) fn next(&mut self) -> DialId {
        self.last += 1;
        DialId(self.last)
    }

    /// A dial has ended.
    pub(super) fn ended(&mut self, dial: DialId) {
        self.finding.remove(&dial);
    }

    pub(super) fn take_asked(&mut self, dial: DialId) -> Option<Asked> {
        self.asked.remove(&dial)
    }

    pub(super) fn ask(&mut self, dial: DialId, asked: Asked) {
        self.asked.retain(|_, asked| !asked.reply.is_closed());
        self.asked.insert(dial, asked);
    }

    /// Those that have told nothing for too long.
    pub(super) fn silent(&self, now: Instant) -> Vec<DialId> {
        self.asked.iter().filter(|(_, asked)| asked.since + SILENCE <= now).map(|(dial, _)| *dial).collect()
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        vec![
            crate::bounded::bounded("MAX_FINDS_DIALLED", self.finding.len(), MAX_FINDS_DIALLED),
            crate::bounded::bounded("MAX_WAITING_FINDS", self.found.len(), MAX_WAITING_FINDS),
        ]
    }

    /// When the first will have been silent for too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.asked.values().map(|asked| asked.since + SILENCE).min()
    }
}
