//! A second direct connection of a peer.
//!
//! gossipsub names its rooms on a peer's first connection only. So it matters why a second one comes:
//!
//! - the first is dead and only the other side knows: all are closed, and the peer starts anew;
//! - two of our dials reached one peer, as with two addresses of one hub that do not name it: the later one is closed by
//!   whoever dialled;
//! - two programs run with one key, as when a data directory was copied. The older one stays; the later one is closed.
//!   When that happens again and again, it is told why and no longer dials this hub until its person wants it.
//!
//! Which it is shows when the older connection is asked for an answer. That the old connection of a page that is being
//! reloaded still answers for a moment makes no second program: the page comes back after it was closed once.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use libp2p::{PeerId, swarm::ConnectionId};
use n0_future::time::Instant;

/// So many later connections within [`TWIN_SPAN`], each closed while the older one answered, make a second program.
const MAX_CUTS: usize = 3;
/// See [`MAX_CUTS`].
const TWIN_SPAN: Duration = Duration::from_secs(60);
/// Peers whose cuts are remembered; beyond it one is forgotten.
const MAX_CUT_PEERS: usize = 1024;

/// What is known of a peer's two connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Double {
    pub(super) older: ConnectionId,
    pub(super) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The older connection is asked.
    Asked,
    /// It has answered; who dialled twice may close the later one until then.
    Answered(Instant),
    /// The later one is a second program's and was told; it is closed then.
    Told(Instant),
}

/// Peers with two connections.
#[derive(Debug, Default)]
pub(super) struct Doubles {
    pub(super) doubles: BTreeMap<PeerId, Double>,
    /// Hub streams that were opened meanwhile beside an open one.
    pub(super) second_streams: BTreeMap<PeerId, u64>,
    cuts: BTreeMap<PeerId, VecDeque<Instant>>,
}

impl Doubles {
    pub(super) fn deadline(&self) -> Option<Instant> {
        let due = |double: &Double| match double.state {
            State::Asked => None,
            State::Answered(at) | State::Told(at) => Some(at),
        };
        self.doubles.values().filter_map(due).min()
    }

    /// One more later connection was closed. Says whether they are those of a second program.
    pub(super) fn cut(&mut self, peer: PeerId, now: Instant) -> bool {
        self.cuts.retain(|_, cuts| cuts.back().is_some_and(|last| now < *last + TWIN_SPAN));
        if self.cuts.len() >= MAX_CUT_PEERS && !self.cuts.contains_key(&peer) {
            self.cuts.pop_first();
        }
        let cuts = self.cuts.entry(peer).or_default();
        cuts.retain(|at| now < *at + TWIN_SPAN);
        cuts.push_back(now);
        if cuts.len() > MAX_CUTS {
            cuts.pop_front();
        }
        cuts.len() >= MAX_CUTS
    }
}
