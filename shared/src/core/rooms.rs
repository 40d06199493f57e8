//! Rooms: what they decide becomes outputs of the node; joining and leaving; who is there to be asked.

use libp2p::PeerId;

use super::{Core, Output};
use crate::{
    Change, Error, Event,
    room::{self, Identity, Now, Room, RoomOutput, SavedRoom},
    room_id::RoomId,
};

/// Peers asked for a room's last frames on joining it, or for what gossip has not brought.
const MAX_ASKED: usize = 3;

impl Core {
    pub(super) fn store(&mut self, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.out.push(Output::Store(changes));
        }
    }

    pub(super) fn identity(&self) -> Identity<'_> {
        let relays = self.direct.reservations.held();
        Identity { keypair: &self.keypair, nick: &self.nick, bridge: self.bridges, relays }
    }

    /// Lets a room decide, then has done what it decided.
    pub(super) fn with_room<T>(
        &mut self,
        name: &RoomId,
        decide: impl FnOnce(&mut Room, Identity<'_>, Now, &mut Vec<RoomOutput>) -> T,
    ) -> Option<T> {
        let room = self.rooms.get_mut(name)?;
        let mut outputs = Vec::new();
        let relays = self.direct.reservations.held();
        let me = Identity { keypair: &self.keypair, nick: &self.nick, bridge: self.bridges, relays };
        let result = decide(room, me, self.now, &mut outputs);
        self.room_timers.set(name, room.deadline());
        self.pass_on(name, outputs);
        Some(result)
    }

    /// What a room decided becomes outputs of the node.
    pub(super) fn pass_on(&mut self, name: &RoomId, outputs: Vec<RoomOutput>) {
        let mut changes = Vec::new();
        for output in outputs {
            match output {
                RoomOutput::Publish(payload) => self.out.push(Output::Publish { room: name.clone(), payload }),
                // By a clock that was set, our own earlier frames are from the future.
                RoomOutput::Emit(event) if *event == Event::RunsElsewhere && self.is_clock_doubtful() => {}
                RoomOutput::Emit(event) => self.emit(*event),
                RoomOutput::Store(change) => changes.push(change),
                RoomOutput::Changed => {
                    self.changed.insert(name.clone());
                    if self.is_hub() {
                        // Who is listed may have another nick.
                        self.touch(name.clone());
                    }
                }
                RoomOutput::Spoken(frame) => self.spoken(&frame),
                RoomOutput::Signed(author) => self.prove(name, author),
                RoomOutput::Gap(from) => self.mend_gap(name, from),
                RoomOutput::AskReceipts => self.ask_receipts(name),
            }
        }
        self.store(changes);
    }

    /// What is due in rooms: lines held back for too long, frames past their hour, lines that may be sent now.
    pub(super) fn tick_rooms(&mut self) {
        for name in self.room_timers.take_due(self.now.instant) {
            self.with_room(&name, |room, _, now, out| room.tick(now, out));
            self.expire(&name);
            self.flush(&name);
        }
    }

    /// Joins: subscribes, asks those who are there for the last lines, says who we are.
    pub(super) fn enter(&mut self, name: &RoomId, plain: bool, saved: SavedRoom) {
        let limits = self.config.limits.clone();
        let me = self.me;
        self.rooms.entry(name.clone()).or_insert_with(|| Room::new(name, me, &limits));
        self.subscribe(name);
        self.with_room(name, |room, _, now, out| room.join(plain, saved, &limits, now, out));
        self.expire(name);
        self.sync_with_those_there(name);
        self.announce(name);
        self.changed.insert(name.clone());
        self.touch(name.clone());
    }

    /// Says who we are in a room.
    pub(super) fn announce(&mut self, name: &RoomId) {
        // No hub that nobody chose keeps us from it.
        let total = self.members.trusted_total(name, &self.me);
        self.with_room(name, |room, me, now, out| room.announce(total, me, now, out));
        if room::is_large(total) {
            self.sync_with_those_there(name);
        }
    }

    /// Whether a room has too many members for gossip to carry what each says of itself.
    pub(super) fn is_large(&self, name: &str) -> bool {
        room::is_large(self.members.trusted_total(name, &self.me))
    }

    /// Somebody has said something in a room, and nobody else can have.
    pub(super) fn prove(&mut self, name: &RoomId, peer: PeerId) {
        // It may have said over which hubs it is reached directly.
        self.direct.changed(self.now.instant);
        if self.members.prove(name, &peer) {
            self.looks.changed(self.now.instant);
        }
    }

    pub(super) fn leave(&mut self, name: &str) -> Result<(), Error> {
        let joined = self.rooms.get_key_value(name).filter(|(_, room)| room.is_joined());
        let Some((name, _)) = joined else { return Err(Error::NotInRoom { room: name.to_owned() }) };
        let name = name.clone();
        self.with_room(&name, |room, _, _, out| room.leave(out));
        if !self.carrier.carries(&name) {
            self.release(&name);
        }
        self.described.remove(&name);
        self.serve_patient(&name);
        self.syncs.left(&name);
        self.changed.remove(&name);
        self.close_unagreed();
        self.emit(Event::Left { room: name.to_string() });
        self.touch(name);
        Ok(())
    }

    /// Unsubscribes and forgets, unless the room is still joined.
    pub(super) fn release(&mut self, name: &RoomId) {
        if self.is_joined(name) {
            return;
        }
        self.out.push(Output::Unsubscribe(name.clone()));
        self.rooms.remove(name);
        self.syncs.left(name);
        self.room_timers.set(name, None);
        self.touch(name.clone());
    }

    pub(super) fn subscribe(&mut self, name: &RoomId) {
        self.out.push(Output::Subscribe(name.clone()));
    }

    pub(super) fn is_joined(&self, name: &str) -> bool {
        self.rooms.get(name).is_some_and(Room::is_joined)
    }

    /// Syncs with some peers that are in a room, or carry it; chosen hubs first.
    pub(super) fn sync_with_those_there(&mut self, name: &RoomId) {
        for peer in self.those_there(name) {
            self.sync_with(peer, name);
        }
    }

    /// Who is asked about a room.
    pub(super) fn those_there(&self, name: &str) -> Vec<PeerId> {
        let subscribers = self.subscriptions.subscribers(name).filter(|peer| self.peers.syncs(peer) != Some(false));
        let mut there: Vec<PeerId> = subscribers.copied().collect();
        // Whoever likes may call itself a hub; those that this node chose go first, the others last.
        there.sort_by_key(|peer| match self.peers.is_hub(peer) {
            true if self.is_chosen(peer) => 0,
            false => 1,
            true => 2,
        });
        there.truncate(MAX_ASKED);
        there
    }
}
