//! How full a room is: for the simulator.

use super::{lines::KEPT_LINES, nicks::MAX_NICKS, state::Room};
use crate::bounded::{Bounded, bounded};

impl Room {
    /// Everything in it that has a bound.
    pub(crate) fn bounds(&self) -> Vec<Bounded> {
        let mut all = self.ring.bounds();
        all.push(bounded("MAX_NICKS", self.nicks.len(), MAX_NICKS));
        if let Some(joined) = &self.joined {
            all.push(bounded("waiting_lines", joined.waiting.len(), joined.max_waiting));
            all.push(bounded("KEPT_LINES", joined.history.len(), KEPT_LINES));
            all.extend(joined.order.bounds());
            all.extend(joined.outbox.bounds());
        }
        all
    }
}
