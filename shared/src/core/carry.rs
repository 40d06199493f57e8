//! Rooms that this hub carries: it subscribes to what its peers are in, and lets go of what they left.

use std::collections::BTreeSet;

use libp2p::PeerId;

use super::Core;
use crate::{
    hub::{
        carrier::{NotCarried, Output},
        wire::Reason,
    },
    room::Room,
    room_id::RoomId,
    source::counted_source,
};

impl Core {
    /// Members of these rooms have changed.
    pub(super) fn carry(&mut self, touched: &BTreeSet<RoomId>) {
        let now = self.now.instant;
        let limits = self.config.limits.clone();
        let (peers, trusted) = (&self.peers, &self.config.trusted_proxies);
        let source_of = |peer: &PeerId| counted_source(&peers.get(peer)?.info.address, trusted);
        let outputs = match std::mem::take(&mut self.recarry) {
            true => self.carrier.update(self.members.local_rooms(), source_of, &limits, now),
            false => self.carrier.changed(touched, &self.members, source_of, &limits, now),
        };
        for output in outputs {
            match output {
                Output::Carry(room) => {
                    tracing::info!(room = %crate::neutralise(&room, false), "carrying a room");
                    let me = self.me;
                    self.rooms.entry(room.clone()).or_insert_with(|| Room::new(&room, me, &limits));
                    self.subscribe(&room);
                    self.sync_with_those_there(&room);
                    if self.bridges {
                        self.with_room(&room, |room, me, now, out| room.announce(0, me, now, out));
                    }
                }
                Output::Release(room) => {
                    tracing::info!(room = %crate::neutralise(&room, false), "letting go of a room");
                    self.release(&room);
                }
                Output::Refuse(peer, why) => {
                    self.counters.rooms_refused += 1;
                    self.send_to_watcher(peer, self.not_carried(why));
                }
            }
        }
    }

    pub(super) fn not_carried(&self, why: NotCarried) -> Reason {
        let limits = &self.config.limits;
        let text = match why {
            NotCarried::TooMany => {
                format!("this hub carries {} rooms for one peer; leave some", limits.carried_rooms_per_peer)
            }
            NotCarried::NoPlace(room) => format!(
                "this hub carries {} rooms, and has no place for '{}': leave some rooms, or try another hub",
                limits.carried_rooms,
                crate::neutralise(&room, false)
            ),
        };
        Reason { code: "too_many_rooms".to_owned(), text }
    }
}
