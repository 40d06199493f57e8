//! Who is in which room among our own peers, and what follows when that changes.

use std::collections::BTreeSet;

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{Core, telling::said_by};
use crate::{room::Room, room_id::RoomId};

impl Core {
    pub(super) fn subscribed(&mut self, peer: PeerId, room: &str) {
        if self.subscriptions.subscribe(peer, room) {
            self.place_in(peer, [RoomId::from(room)].into());
        }
        let Some((room, _)) = self.rooms.get_key_value(room) else { return };
        let room = room.clone();
        self.touch(room.clone());
        // Who dialled asks: one exchange tells both sides what they lack.
        if self.peers.is_dialled(&peer) {
            self.sync_with(peer, &room);
        }
    }

    pub(super) fn unsubscribed(&mut self, peer: PeerId, room: &str) {
        let changed = self.subscriptions.unsubscribe(&peer, room);
        self.place_in(peer, changed.into_iter().collect());
        if let Some((room, _)) = self.rooms.get_key_value(room) {
            self.touch(room.clone());
        }
    }

    /// The host's other network tells anew who is where.
    pub(super) fn attend(&mut self, attending: Vec<(PeerId, String)>) {
        let valid = attending.into_iter().filter(|(_, room)| crate::text::check_room(room).is_ok());
        let now: BTreeSet<(PeerId, RoomId)> = valid.map(|(peer, room)| (peer, room.into())).collect();
        let before = std::mem::replace(&mut self.attending, now);
        for (peer, room) in before.symmetric_difference(&self.attending).cloned().collect::<Vec<_>>() {
            self.place_in(peer, [room].into());
        }
    }

    /// What a peer is has changed: where it counts as a member is looked at anew.
    pub(super) fn place(&mut self, peer: PeerId) {
        let rooms = self.subscriptions.rooms_of(&peer).cloned().collect();
        self.place_in(peer, rooms);
    }

    /// The same in these rooms, and in those where it is on the host's other network.
    pub(super) fn place_in(&mut self, peer: PeerId, mut rooms: BTreeSet<RoomId>) {
        let attended = self.attending.range((peer, RoomId::from(""))..).take_while(|(other, _)| *other == peer);
        rooms.extend(attended.map(|(_, room)| room.clone()));
        let counts = self.peers.counts(&peer);
        let is_foreign = self.peers.syncs(&peer) == Some(false);
        for room in rooms {
            let is_subscribed = counts && self.subscriptions.is_counted(&peer, &room);
            let is_there = is_subscribed || counts && self.attending.contains(&(peer, room.clone()));
            self.members.place(&room, peer, is_there, is_subscribed && is_foreign);
            self.touch(room);
        }
    }

    /// Something about a room has changed that others are told, or that waiting lines wait for.
    pub(super) fn touch(&mut self, room: RoomId) {
        self.touched.insert(room);
        self.looks.changed(self.now.instant);
    }

    /// When to look: something changed, or a carried room is to be let go.
    pub(super) fn look_due(&self) -> Option<Instant> {
        self.looks.deadline(self.carrier.deadline(&self.config.limits))
    }

    /// Looks at the rooms that changed: what to carry, whom to tell, what can be sent.
    pub(super) fn look(&mut self) {
        self.looks.begin();
        let mut touched = std::mem::take(&mut self.touched);
        touched.extend(self.members.take_changed());
        self.direct.changed(self.now.instant);
        if self.is_hub() {
            self.carry(&touched);
            self.desk.changed(&touched, &self.members, &said_by(&self.rooms), self.now.instant);
            self.tell_watchers();
        }
        self.watch_hubs();
        for room in touched {
            if self.rooms.get(&room).is_some_and(Room::is_joined) {
                self.changed.insert(room.clone());
                self.flush(&room);
            }
        }
    }
}
