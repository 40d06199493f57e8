//! Rooms of earlier runs that this node is not in: they stay stored until somebody joins them again.

use std::collections::BTreeMap;

use super::Actor;
use crate::{
    Error, HostBehaviour, StoredRoom,
    room::{Room, SavedRoom, forget},
};

/// Rooms that are stored, joined ones included.
const MAX_STORED_ROOMS: usize = 64;

impl<B: HostBehaviour> Actor<B> {
    /// What an earlier run left: joined again, as far as that is wanted, or kept as it is.
    pub(super) fn restore_rooms(&mut self, mut rooms: BTreeMap<String, SavedRoom>) {
        if self.config.rejoin {
            let joined = self.config.limits.joined_rooms;
            for name in rooms.keys().take(joined).cloned().collect::<Vec<_>>() {
                if let Some(room) = rooms.remove(&name) {
                    self.enter(&name, room.plain, room);
                }
            }
        }
        self.stored = rooms;
    }

    /// What is stored of a room that is to be joined. A room that is new takes the place of the one that was left
    /// alone for longest and has no waiting line.
    pub(super) fn take_stored(&mut self, name: &str) -> Result<SavedRoom, Error> {
        if let Some(saved) = self.stored.remove(name) {
            return Ok(saved);
        }
        let joined = self.rooms.values().filter(|room| room.is_joined()).count();
        if joined + self.stored.len() >= MAX_STORED_ROOMS {
            let idle = self.stored.iter().filter(|(_, room)| room.waiting.is_empty());
            let oldest =
                idle.min_by_key(|(_, room)| room.last_presence.max(room.last_line)).map(|(name, _)| name.clone());
            let Some((oldest, room)) = oldest.and_then(|oldest| self.stored.remove_entry(&oldest)) else {
                let room = self.stored.keys().next().cloned().unwrap_or_default();
                return Err(Error::TooManyStoredRooms { limit: MAX_STORED_ROOMS, room });
            };
            self.store(forget(&oldest, &room));
        }
        Ok(SavedRoom::default())
    }

    pub(super) fn stored_rooms(&self) -> Vec<StoredRoom> {
        let stored = self.stored.iter().filter(|(name, _)| !self.rooms.get(*name).is_some_and(Room::is_joined));
        stored
            .map(|(name, room)| StoredRoom {
                room: name.clone(),
                plain: room.plain,
                waiting: u32::try_from(room.waiting.len()).unwrap_or(u32::MAX),
            })
            .collect()
    }
}
