//! Direct connections to peers that cannot listen, as pages are: over which hubs they are arranged, with whom, and when again.
//!
//! Who wants them in a room reserves a place at up to [`MAX_RELAYS`](crate::room::MAX_RELAYS) hubs and names these in its presence. Others in the
//! room who want them too dial it by one of these hubs; the transport (`tincan_webrtc::signalling`) does the rest.
//!
//! A room may have more members than a page can be connected to. Each chooses its neighbours among all by peer id, so that
//! together they make one ring, then who speaks, then others by a number that is the same on both sides. Of two peers the one
//! with the smaller id dials; the other one only when nothing came of that.

mod choice;
mod reservations;
mod tries;

use std::{collections::BTreeMap, time::Duration};

use libp2p::swarm::ConnectionId;
use n0_future::time::Instant;

pub(crate) use self::{
    choice::{RoomView, choose},
    reservations::Reservations,
    tries::Tries,
};

/// Many lines and members that come at once are looked at together.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What this node knows of direct connections.
#[derive(Debug, Default)]
pub(crate) struct Direct {
    pub(crate) reservations: Reservations,
    pub(crate) tries: Tries,
    /// When to look anew at whom to connect to.
    look_at: Option<Instant>,
    /// When that was last done.
    looked_at: Option<Instant>,
    /// Connections beside a direct one that are no longer needed, and when they are closed.
    pub(crate) surplus: BTreeMap<ConnectionId, Instant>,
}

impl Direct {
    /// Something has changed that the choice of connections depends on.
    pub(crate) fn changed(&mut self, now: Instant) {
        let at = self.looked_at.map_or(now, |looked| now.max(looked + LOOK_EVERY));
        self.look_at.get_or_insert(at);
    }

    pub(crate) fn looked(&mut self, now: Instant) {
        (self.look_at, self.looked_at) = (None, Some(now));
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let surplus = self.surplus.values().min().copied();
        [self.look_at, surplus, self.reservations.deadline(self.looked_at), self.tries.deadline()]
            .into_iter()
            .flatten()
            .min()
    }
}
