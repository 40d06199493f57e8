//! Callers who say a line when there is a place for it, or wait until all lines were taken.

use std::collections::VecDeque;

use n0_future::time::Instant;

use super::Actor;
use crate::{Error, HostBehaviour, Message, Said, command::Reply, config::MAX_PATIENT, room::Room};

/// A caller who waits.
struct Patient {
    room: String,
    wish: Wish,
}

enum Wish {
    Say { text: String, reply: Reply<Result<Said, Error>> },
    Settle { reply: Reply<Result<(), Error>> },
}

impl Wish {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Say { reply, .. } => reply.is_closed(),
            Self::Settle { reply } => reply.is_closed(),
        }
    }

    fn refuse(self, error: Error) {
        match self {
            Self::Say { reply, .. } => drop(reply.send(Err(error))),
            Self::Settle { reply } => drop(reply.send(Err(error))),
        }
    }
}

/// All who wait, the first to come first.
#[derive(Default)]
pub(super) struct Patience {
    waiting: VecDeque<Patient>,
    /// When the pace of a room allows the next line of somebody who waits.
    due: Option<Instant>,
}

impl Patience {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due
    }
}

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn say(&mut self, room: String, text: String) -> Result<Said, Error> {
        let reach = self.reach(&room);
        let said = self.with_room(&room, |room, me, now, out| room.say(text, reach, me, now, out));
        said.unwrap_or(Err(Error::NotInRoom { room }))
    }

    pub(super) fn say_patiently(&mut self, room: String, text: String, reply: Reply<Result<Said, Error>>) {
        self.with_room(&room, |room, _, _, _| room.be_careful());
        self.wait(room, Wish::Say { text, reply });
    }

    pub(super) fn settle(&mut self, room: String, reply: Reply<Result<(), Error>>) {
        if !self.rooms.get(&room).is_some_and(Room::is_joined) {
            drop(reply.send(Err(Error::NotInRoom { room })));
            return;
        }
        self.with_room(&room, |room, _, now, out| room.settle(now, out));
        self.wait(room, Wish::Settle { reply });
    }

    fn wait(&mut self, room: String, wish: Wish) {
        self.patience.waiting.retain(|patient| !patient.wish.is_abandoned());
        if self.patience.waiting.len() >= MAX_PATIENT {
            wish.refuse(Error::TooManyWaiting { limit: MAX_PATIENT });
            return;
        }
        self.patience.waiting.push_back(Patient { room: room.clone(), wish });
        self.serve_patient(&room);
    }

    pub(super) fn untaken(&self, room: String) -> Result<Vec<Message>, Error> {
        match self.rooms.get(&room).filter(|room| room.is_joined()) {
            Some(room) => Ok(room.untaken()),
            None => Err(Error::NotInRoom { room }),
        }
    }

    /// Does what those want who wait for this room, as far as it can be done now.
    pub(super) fn serve_patient(&mut self, name: &str) {
        if !self.patience.waiting.iter().any(|patient| patient.room == name) {
            return;
        }
        let mut blocked = false;
        for Patient { room, wish } in std::mem::take(&mut self.patience.waiting) {
            let still = if room == name { self.serve(name, wish, &mut blocked) } else { Some(wish) };
            self.patience.waiting.extend(still.map(|wish| Patient { room, wish }));
        }
        self.rest_patient();
    }

    /// Says a line, unless one before it is blocked. Gives back what has to wait on.
    fn serve(&mut self, name: &str, wish: Wish, blocked: &mut bool) -> Option<Wish> {
        if wish.is_abandoned() {
            return None;
        }
        match wish {
            Wish::Say { text, reply } => {
                *blocked |= !self.has_place(name, text.len());
                if *blocked {
                    return Some(Wish::Say { text, reply });
                }
                drop(reply.send(self.say(name.to_owned(), text)));
            }
            Wish::Settle { reply } => {
                let room = self.rooms.get(name).filter(|room| room.is_joined());
                if room.is_some_and(|room| !room.is_settled()) {
                    return Some(Wish::Settle { reply });
                }
                drop(reply.send(room.map(|_| ()).ok_or_else(|| Error::NotInRoom { room: name.to_owned() })));
            }
        }
        None
    }

    fn has_place(&mut self, name: &str, bytes: usize) -> bool {
        let (reach, now) = (self.reach(name), self.now());
        self.rooms.get(name).is_none_or(|room| room.has_place(bytes, reach, now))
    }

    /// Everybody was served: when to look again.
    pub(super) fn rest_patient(&mut self) {
        self.patience.due = self.next_place();
    }

    /// When time alone makes a place for the first line of a room that waits.
    fn next_place(&self) -> Option<Instant> {
        let now = self.now().instant;
        let first = self.patience.waiting.iter().filter_map(|patient| match &patient.wish {
            Wish::Say { text, .. } => self.rooms.get(&patient.room)?.place_at(text.len()).filter(|at| *at > now),
            Wish::Settle { .. } => None,
        });
        first.min()
    }
}
