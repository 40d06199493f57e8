//! Lines are said, at once or when there is a place, and whom they would reach; callers wait until lines were taken.

use std::collections::BTreeSet;

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{
    Core,
    patience::{Patient, Wish},
};
use crate::{
    Error, Message, Said,
    command::Reply,
    config::MAX_PATIENT,
    room::{Reach, Room},
    room_id::RoomId,
};

impl Core {
    pub(super) fn say(&mut self, room: String, text: String) -> Result<Said, Error> {
        let reach = self.reach(&room);
        let id = RoomId::from(room.as_str());
        let said = self.with_room(&id, |room, me, now, out| room.say(text, reach, me, now, out));
        said.unwrap_or(Err(Error::NotInRoom { room }))
    }

    /// Whom a line said now would reach: nobody unless a member is connected, or is known by a hub that is believed and
    /// carries the room.
    pub(super) fn reach(&self, name: &str) -> Reach {
        let carries = |hub: &PeerId| self.subscriptions.is_subscribed(hub, name);
        let is_reached = self.members.is_reached(name, &self.me, carries);
        let members = if is_reached { self.members.total(name, &self.me) } else { 0 };
        // Who has not said yet what it knows is taken for one of ours.
        let receipts = !self.receivers(name).is_empty();
        let is_plain = self.rooms.get(name).is_some_and(Room::is_plain);
        self.reach_in_time(Reach { members, receipts }, is_plain)
    }

    /// Sends what waits in a room, if somebody is there.
    pub(super) fn flush(&mut self, name: &RoomId) {
        if self.rooms.get(name).is_some_and(|room| room.waiting() > 0) {
            let reach = self.reach(name);
            self.with_room(name, |room, me, now, out| room.flush(reach, me, now, out));
        }
        self.serve_patient(name);
    }

    pub(super) fn say_patiently(&mut self, room: String, text: String, reply: Reply<Result<Said, Error>>) {
        let room = RoomId::from(room);
        self.with_room(&room, |room, _, _, _| room.be_careful());
        self.wait(room, Wish::Say { text, reply });
    }

    pub(super) fn settle(&mut self, room: String, reply: Reply<Result<(), Error>>) {
        if !self.is_joined(&room) {
            drop(reply.send(Err(Error::NotInRoom { room })));
            return;
        }
        let room = RoomId::from(room);
        self.with_room(&room, |room, _, now, out| room.settle(now, out));
        self.wait(room, Wish::Settle { reply });
    }

    fn wait(&mut self, room: RoomId, wish: Wish) {
        self.patience.waiting.retain(|patient| !patient.wish.is_abandoned());
        if self.patience.waiting.len() >= MAX_PATIENT {
            wish.refuse(Error::TooManyWaiting { limit: MAX_PATIENT });
            return;
        }
        self.patience.waiting.push_back(Patient { room: room.clone(), wish });
        self.serve_patient(&room);
    }

    pub(super) fn untaken(&self, room: String) -> Result<Vec<Message>, Error> {
        match self.rooms.get(room.as_str()).filter(|room| room.is_joined()) {
            Some(room) => Ok(room.untaken()),
            None => Err(Error::NotInRoom { room }),
        }
    }

    /// Does what those want who wait for this room, as far as it can be done now.
    pub(super) fn serve_patient(&mut self, name: &RoomId) {
        if !self.patience.waiting.iter().any(|patient| patient.room == *name) {
            return;
        }
        let mut blocked = false;
        for Patient { room, wish } in std::mem::take(&mut self.patience.waiting) {
            let still = if room == *name { self.serve(name, wish, &mut blocked) } else { Some(wish) };
            self.patience.waiting.extend(still.map(|wish| Patient { room, wish }));
        }
        self.patience.due = self.next_place();
    }

    /// Says a line, unless one before it is blocked. Gives back what has to wait on.
    fn serve(&mut self, name: &RoomId, wish: Wish, blocked: &mut bool) -> Option<Wish> {
        if wish.is_abandoned() {
            return None;
        }
        match wish {
            Wish::Say { text, reply } => {
                *blocked |= !self.has_place(name, text.len());
                if *blocked {
                    return Some(Wish::Say { text, reply });
                }
                drop(reply.send(self.say(name.to_string(), text)));
            }
            Wish::Settle { reply } => {
                let room = self.rooms.get(name).filter(|room| room.is_joined());
                if room.is_some_and(|room| !room.is_settled()) {
                    return Some(Wish::Settle { reply });
                }
                drop(reply.send(room.map(|_| ()).ok_or_else(|| Error::NotInRoom { room: name.to_string() })));
            }
        }
        None
    }

    fn has_place(&self, name: &RoomId, bytes: usize) -> bool {
        let (reach, now) = (self.reach(name), self.now);
        self.rooms.get(name).is_none_or(|room| room.has_place(bytes, reach, now))
    }

    /// The pace of a room allows the next line of somebody who waits.
    pub(super) fn serve_paced(&mut self) {
        if self.patience.due.is_some_and(|due| due <= self.now.instant) {
            let rooms: BTreeSet<RoomId> = self.patience.waiting.iter().map(|patient| patient.room.clone()).collect();
            rooms.iter().for_each(|room| self.serve_patient(room));
        }
    }

    /// When time alone makes a place for the first line of a room that waits.
    fn next_place(&self) -> Option<Instant> {
        let now = self.now.instant;
        let first = self.patience.waiting.iter().filter_map(|patient| match &patient.wish {
            Wish::Say { text, .. } => self.rooms.get(&patient.room)?.place_at(text.len()).filter(|at| *at > now),
            Wish::Settle { .. } => None,
        });
        first.min()
    }
}
