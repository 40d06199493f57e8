//! Asking for lines that did not come, though later lines of their authors did.

use std::{collections::BTreeSet, time::Duration};

use libp2p::PeerId;

use super::{Core, syncs::GapQuestion};
use crate::room_id::RoomId;

/// How long a line that gossip left out is waited for until others are asked for it: gossip itself asks again at its
/// heartbeat.
const GAP_PATIENCE: Duration = Duration::from_millis(600);
/// A room's gaps are asked about at most this often, whatever its authors number their lines by.
const GAP_EVERY: Duration = Duration::from_secs(1);
/// Peers asked about a room's gaps at a time because they handed over the lines after them.
const MAX_ASKED_FOR_GAPS: usize = 4;

impl Core {
    /// The line before one that `from` handed over is missing. Gossip may still bring it; else `from` and others who are
    /// there are asked for it.
    pub(super) fn mend_gap(&mut self, room: &RoomId, from: PeerId) {
        let now = self.now.instant;
        let last = self.syncs.gaps.get(room).cloned();
        let (due, mut handed_over) = match last {
            Some(GapQuestion { due, handed_over }) if due > now => (due, handed_over),
            last => {
                let earliest = now + GAP_PATIENCE;
                // Not all who miss a line ask in the same moment.
                let spread = GAP_PATIENCE.mul_f64(self.spread());
                let due = last.map_or(earliest, |last| earliest.max(last.due + GAP_EVERY)) + spread;
                for peer in self.those_there(room) {
                    self.syncs.repeats.set_by(&(peer, room.clone()), due);
                }
                (due, BTreeSet::new())
            }
        };
        if handed_over.len() < MAX_ASKED_FOR_GAPS && handed_over.insert(from) && self.peers.is_connected(&from) {
            self.syncs.repeats.set_by(&(from, room.clone()), due);
        }
        self.syncs.gaps.insert(room.clone(), GapQuestion { due, handed_over });
    }
}
