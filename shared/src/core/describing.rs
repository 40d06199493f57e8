//! How rooms and the node stand is said when it changes.

use super::{Core, status::Known};
use crate::{Event, Link, Member, Path, RoomInfo, Status, room::Room};

impl Core {
    /// Says how rooms stand whose description changed.
    pub(super) fn describe_rooms(&mut self) {
        for name in std::mem::take(&mut self.changed) {
            let Some(room) = self.rooms.get(&name).filter(|room| room.is_joined()) else { continue };
            let info = self.room_info(&name, room);
            if self.described.insert(name, info.clone()).as_ref() != Some(&info) {
                self.emit(Event::Room(info));
            }
        }
    }

    pub(super) fn room_info(&self, name: &str, room: &Room) -> RoomInfo {
        let (listed, total) = self.members.of(name, &self.me);
        let foreign = self.members.foreign(name, &self.me);
        let foreign = !room.is_plain() && foreign > total.saturating_sub(foreign) && !self.is_ours(room, &listed);
        let members = listed.into_iter().map(|peer| {
            let known = self.peers.get(&peer).map(|known| (known.info.path, known.info.transport.clone()));
            let (path, transport) = known.unwrap_or((Path::Relayed, "gossip".to_owned()));
            Member { peer, nick: room.nick(&peer).map(str::to_owned), path, transport }
        });
        RoomInfo {
            room: name.to_owned(),
            direct: self.arranges && room.is_direct(),
            plain: room.is_plain(),
            foreign,
            members: members.collect(),
            total,
            waiting: u32::try_from(room.waiting()).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn current_status(&self) -> Status {
        let (link, hub, retry_at) = self.standing();
        let now = self.now.instant;
        let wait = retry_at.map(|at| u64::try_from(at.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX));
        Status { link, hub, retry_in_ms: wait }
    }

    pub(super) fn describe_status(&mut self) {
        let standing = self.standing();
        if self.status != Some(standing) {
            self.status = Some(standing);
            self.emit(Event::Status(self.current_status()));
        }
    }

    fn standing(&self) -> Known {
        // Of the few hubs that are asked who is where; a hub may have thousands of peers.
        let hub = self.hubs.keys().any(|hub| self.peers.get(hub).is_some_and(|known| known.welcome));
        let in_a_room = || {
            let mut joined = self.rooms.iter().filter(|(_, room)| room.is_joined());
            joined.any(|(name, _)| self.members.local(name).is_some())
        };
        if hub || in_a_room() {
            (Link::Online, hub, None)
        } else if self.links.is_dialling() || self.peers.len() > 0 {
            (Link::Connecting, false, None)
        } else {
            (Link::Offline, false, self.links.retry_at())
        }
    }
}
