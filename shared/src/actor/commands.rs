//! What callers ask, each answered at once or filed until the network answers.

use libp2p::Multiaddr;

use super::{Actor, start::NICK};
use crate::{
    Change, Counters, Error, HostBehaviour, Message, NodeInfo, RoomInfo, command::Command, hub::wire, room::sync,
};

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn command(&mut self, command: Command) {
        // A reply that cannot be delivered belongs to a caller that no longer waits.
        match command {
            Command::Info { reply } => drop(reply.send(self.info())),
            Command::Status { reply } => drop(reply.send(self.current_status())),
            Command::Peers { reply } => drop(reply.send(self.peers.values().map(|peer| peer.info.clone()).collect())),
            Command::Rooms { reply } => drop(reply.send(self.joined_rooms())),
            Command::StoredRooms { reply } => drop(reply.send(self.stored_rooms())),
            Command::Messages { room, reply } => drop(reply.send(self.messages(&room))),
            Command::Join { room, plain, reply } => drop(reply.send(self.join(&room, plain))),
            Command::Leave { room, reply } => drop(reply.send(self.leave(&room))),
            Command::Say { room, text, patient: true, reply } => self.say_patiently(room, text, reply),
            Command::Say { room, text, patient: false, reply } => drop(reply.send(self.say(room, text))),
            Command::Settle { room, reply } => self.settle(room, reply),
            Command::Untaken { room, reply } => drop(reply.send(self.untaken(room))),
            Command::SetNick { nick, reply } => drop(reply.send(self.set_nick(&nick))),
            Command::Dial { address, reply } => self.dial(address, reply),
            Command::StayConnected { addresses, reply } => {
                let now = self.now();
                self.links.add(addresses, now.instant);
                self.follow_chosen();
                let _ = reply.send(());
            }
            Command::Retry { wanted, reply } => {
                self.retry(wanted);
                let _ = reply.send(());
            }
            Command::Put { key, value, reply } => self.put(key, value, reply),
            Command::Get { key, reply } => self.get(&key, reply),
            Command::Provide { key, reply } => self.provide(key, reply),
            Command::Providers { key, reply } => self.providers(&key, reply),
            Command::Counters { reply } => drop(reply.send(self.counted())),
            Command::Reload { rules, reply } => drop(reply.send(self.reload(rules))),
            Command::Shutdown { reply } => self.stopping = Some(reply),
        }
    }

    fn counted(&mut self) -> Counters {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (records_refused, records_displaced) = self.kad().store_mut().turned_away();
        Counters {
            peers: number(self.peers.len()),
            rooms: number(self.rooms.len()),
            watchers: number(self.watchers.len()),
            records: number(self.kad().store_mut().count()),
            records_refused,
            records_displaced,
            queries: number(self.pending.len()),
            ..self.counters
        }
    }

    fn info(&self) -> NodeInfo {
        let with_id = |address: &Multiaddr| address.clone().with_p2p(self.me).unwrap_or_else(|address| address);
        let external: Vec<Multiaddr> = self.config.external.iter().map(with_id).collect();
        let mut addresses: Vec<Multiaddr> =
            external.iter().cloned().chain(self.listening.iter().map(with_id)).collect();
        addresses.dedup();
        let own = [wire::PROTOCOL.to_string()].into_iter().filter(|_| self.is_hub());
        let common = [sync::PROTOCOL.to_string(), self.config.kad_protocol.clone(), "/meshsub/1.2.0".to_owned()];
        NodeInfo {
            peer_id: self.me,
            addresses,
            external,
            agent: self.config.agent.clone(),
            protocols: own.chain(common).collect(),
            nick: self.nick.clone(),
        }
    }

    fn joined_rooms(&self) -> Vec<RoomInfo> {
        let joined = self.rooms.iter().filter(|(_, room)| room.is_joined());
        joined.map(|(name, room)| self.room_info(name, room)).collect()
    }

    fn messages(&self, room: &str) -> Result<Vec<Message>, Error> {
        let joined = self.rooms.get(room).filter(|room| room.is_joined());
        let room = joined.ok_or_else(|| Error::NotInRoom { room: room.to_owned() })?;
        Ok(room.messages(self.me()))
    }

    fn join(&mut self, name: &str, plain: bool) -> Result<RoomInfo, Error> {
        crate::text::check_room(name)?;
        let limit = self.config.limits.joined_rooms;
        let joined = self.rooms.values().filter(|room| room.is_joined()).count();
        if !self.rooms.get(name).is_some_and(crate::room::Room::is_joined) {
            if joined >= limit {
                return Err(Error::TooManyRooms { limit });
            }
            let saved = self.take_stored(name)?;
            self.enter(name, plain, saved);
        } else if self.with_room(name, |room, _, _, out| room.set_plain(plain, out)) == Some(true) && !plain {
            self.ask_those_there(name);
            let total = self.members.of(name, &self.me).1;
            self.with_room(name, |room, me, now, out| room.announce(total, me, now, out));
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
            let total = self.members.of(&name, &self.me).1;
            self.with_room(&name, |room, me, now, out| room.announce(total, me, now, out));
        }
        Ok(())
    }
}
