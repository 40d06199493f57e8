//! What callers ask, each answered at once or filed until the network answers.

use super::{Core, NICK, TurnedAway};
use crate::{Change, Counters, Error, Message, RoomInfo, command::Command, room_id::RoomId};

impl Core {
    pub(super) fn command(&mut self, command: Command) {
        // A reply that cannot be delivered belongs to a caller that no longer waits.
        match command {
            Command::Status { reply } => drop(reply.send(self.current_status())),
            Command::Peers { reply } => drop(reply.send(self.peers.infos().cloned().collect())),
            Command::Rooms { reply } => drop(reply.send(self.joined_rooms())),
            Command::StoredRooms { reply } => drop(reply.send(self.stored_rooms())),
            Command::Messages { room, reply } => drop(reply.send(self.messages(&room))),
            Command::Join { room, plain, reply } => drop(reply.send(self.join(&room, plain))),
            Command::SetDirect { room, direct, reply } => drop(reply.send(self.set_direct(&room, direct))),
            Command::Leave { room, reply } => drop(reply.send(self.leave(&room))),
            Command::Say { room, text, patient: true, reply } => self.say_patiently(room, text, reply),
            Command::Say { room, text, patient: false, reply } => drop(reply.send(self.say(room, text))),
            Command::Settle { room, reply } => self.settle(room, reply),
            Command::Untaken { room, reply } => drop(reply.send(self.untaken(room))),
            Command::SetNick { nick, reply } => drop(reply.send(self.set_nick(&nick))),
            Command::Dial { address, reply } => self.dial(address, reply),
            Command::StayConnected { addresses, reply } => {
                self.links.add(addresses, self.now.instant);
                self.follow_chosen();
                let _ = reply.send(());
            }
            Command::Retry { wanted, reply } => {
                self.retry(wanted);
                let _ = reply.send(());
            }
            Command::Reload { rules, reply } => drop(reply.send(self.reload(*rules))),
            // The actor's own: it asks the swarm.
            Command::Info { .. }
            | Command::Put { .. }
            | Command::Get { .. }
            | Command::Provide { .. }
            | Command::Providers { .. }
            | Command::Counters { .. }
            | Command::Shutdown { .. } => {}
        }
    }

    pub(super) fn count_turned_away(&mut self, what: TurnedAway) {
        *match what {
            TurnedAway::Range => &mut self.counters.addresses_refused,
            TurnedAway::Connection => &mut self.counters.connections_refused,
            TurnedAway::Circuit => &mut self.counters.circuits_refused,
        } += 1;
    }

    /// What happened so far, and how much there is now, but for records.
    pub(crate) fn counted(&self) -> Counters {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Counters {
            peers: number(self.peers.len()),
            rooms: number(self.rooms.len()),
            watchers: number(self.watchers.len()),
            ..self.counters
        }
    }

    fn joined_rooms(&self) -> Vec<RoomInfo> {
        let joined = self.rooms.iter().filter(|(_, room)| room.is_joined());
        joined.map(|(name, room)| self.room_info(name, room)).collect()
    }

    fn messages(&self, room: &str) -> Result<Vec<Message>, Error> {
        let joined = self.rooms.get(room).filter(|room| room.is_joined());
        let room = joined.ok_or_else(|| Error::NotInRoom { room: room.to_owned() })?;
        Ok(room.messages(self.identity()))
    }

    fn join(&mut self, name: &str, plain: bool) -> Result<RoomInfo, Error> {
        crate::text::check_room(name)?;
        let room = RoomId::from(name);
        if !self.is_joined(name) {
            let limit = self.config.limits.joined_rooms;
            if self.rooms.values().filter(|room| room.is_joined()).count() >= limit {
                return Err(Error::TooManyRooms { limit });
            }
            let saved = self.take_stored(name)?;
            self.enter(&room, plain, saved);
        } else if self.with_room(&room, |room, _, _, out| room.set_plain(plain, out)) == Some(true) && !plain {
            self.sync_with_those_there(&room);
            self.announce(&room);
        }
        let room = self.rooms.get(name).ok_or_else(|| Error::NotInRoom { room: name.to_owned() })?;
        Ok(self.room_info(name, room))
    }

    fn set_nick(&mut self, nick: &str) -> Result<(), Error> {
        let nick = nick.trim();
        crate::text::check_nick(nick)?;
        self.nick = nick.to_owned();
        self.store(vec![Change { key: NICK.to_owned(), value: Some(nick.as_bytes().to_vec()) }]);
        for name in self.rooms.keys().cloned().collect::<Vec<_>>() {
            self.announce(&name);
        }
        Ok(())
    }
}
