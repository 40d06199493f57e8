//! Rooms: what they decide is done here, with gossip, listeners and storage.

use std::collections::BTreeSet;

use libp2p::{
    PeerId,
    gossipsub::{self, IdentTopic, MessageAcceptance, PublishError, TopicHash},
};

use super::Actor;
use crate::{
    Error, Event, HostBehaviour, Member, Path, RoomInfo,
    access::Action,
    behaviour::Gossip,
    room::{Me, Now, Output, Reach, Room, SavedRoom, Verdict},
};

/// Peers asked for a room's last frames on joining it, or for what gossip has not brought.
const MAX_ASKED: usize = 3;

impl<B: HostBehaviour> Actor<B> {
    /// Lets a room decide, then does what it decided.
    pub(super) fn with_room<T>(
        &mut self,
        name: &str,
        decide: impl FnOnce(&mut Room, Me<'_>, Now, &mut Vec<Output>) -> T,
    ) -> Option<T> {
        let (now, bridge) = (self.now(), self.bridges());
        let room = self.rooms.get_mut(name)?;
        let mut outputs = Vec::new();
        let result = decide(room, Me { keypair: &self.keypair, nick: &self.nick, bridge }, now, &mut outputs);
        self.perform(name, outputs);
        Some(result)
    }

    fn perform(&mut self, name: &str, outputs: Vec<Output>) {
        let mut changes = Vec::new();
        for output in outputs {
            match output {
                Output::Publish(payload) => self.publish(name, payload),
                Output::Emit(event) => self.emit(*event),
                Output::Store(change) => changes.push(change),
                Output::Changed => drop(self.changed.insert(name.to_owned())),
                Output::Spoken(frame) => self.spoken(&frame),
                Output::Gap => self.mend_gap(name),
                Output::AskReceipts => self.ask_receipts(name),
            }
        }
        self.store(changes);
    }

    pub(super) fn publish(&mut self, name: &str, payload: Vec<u8>) {
        match self.gossip().publish(TopicHash::from_raw(name), payload) {
            // With nobody there the frame is kept, and the next sync carries it.
            Ok(_) | Err(PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => tracing::warn!(room = name, %error, "not published; left to the next sync"),
        }
    }

    /// Joins: subscribes, asks those who are there for the last lines, says who we are.
    pub(super) fn enter(&mut self, name: &str, plain: bool, saved: SavedRoom) {
        let limits = self.config.limits.clone();
        let me = self.me;
        self.rooms.entry(name.to_owned()).or_insert_with(|| Room::new(name, me, &limits));
        self.subscribe(name);
        self.with_room(name, |room, _, now, out| room.join(plain, saved, &limits, now, out));
        self.ask_those_there(name);
        let total = self.members.of(name, &self.me).1;
        self.with_room(name, |room, me, now, out| room.announce(total, me, now, out));
        self.changed.insert(name.to_owned());
        self.members_changed();
    }

    pub(super) fn leave(&mut self, name: &str) -> Result<(), Error> {
        if !self.rooms.get(name).is_some_and(Room::is_joined) {
            return Err(Error::NotInRoom { room: name.to_owned() });
        }
        self.with_room(name, |room, _, _, out| room.leave(out));
        if !self.carrier.rooms().any(|carried| carried == name) {
            self.release(name);
        }
        self.described.remove(name);
        self.serve_patient(name);
        self.gaps.remove(name);
        self.changed.remove(name);
        self.emit(Event::Left { room: name.to_owned() });
        self.members_changed();
        Ok(())
    }

    /// Unsubscribes and forgets, unless the room is still joined.
    pub(super) fn release(&mut self, name: &str) {
        if self.rooms.get(name).is_some_and(Room::is_joined) {
            return;
        }
        self.gossip().unsubscribe(&IdentTopic::new(name));
        self.swarm.behaviour_mut().host.leave(name);
        self.rooms.remove(name);
    }

    pub(super) fn subscribe(&mut self, name: &str) {
        if let Err(error) = self.gossip().subscribe(&IdentTopic::new(name)) {
            tracing::warn!(room = name, %error, "not subscribed");
        }
        self.swarm.behaviour_mut().host.enter(name);
    }

    /// Asks some peers that are in a room, or carry it, for its last frames; hubs first.
    pub(super) fn ask_those_there(&mut self, name: &str) {
        for peer in self.those_there(name) {
            self.meet(peer, name);
        }
    }

    /// Who is asked about a room.
    pub(super) fn those_there(&mut self, name: &str) -> Vec<PeerId> {
        let mut there = self.subscribers(name);
        there.retain(|peer| self.syncs(peer) != Some(false));
        there.sort_by_key(|peer| !self.peers.get(peer).is_some_and(|known| known.info.hub));
        there.truncate(MAX_ASKED);
        there
    }

    pub(super) fn subscribers(&mut self, name: &str) -> Vec<PeerId> {
        let topic = TopicHash::from_raw(name);
        self.gossip().all_peers().filter(|(_, topics)| topics.contains(&&topic)).map(|(peer, _)| *peer).collect()
    }

    /// Whom a line said now would reach: nobody while nobody could forward it.
    pub(super) fn reach(&mut self, name: &str) -> Reach {
        let elsewhere = self.swarm.behaviour().host.attending().iter().any(|(_, room)| room == name);
        let subscribers = self.subscribers(name);
        let members = if elsewhere || !subscribers.is_empty() { self.members.of(name, &self.me).1 } else { 0 };
        // Who has not said yet what it knows is taken for one of ours.
        Reach { members, receipts: subscribers.iter().any(|peer| self.syncs(peer) != Some(false)) }
    }

    pub(super) fn gossip_event(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                let acceptance = self.judge(&propagation_source, message);
                self.gossip().report_message_validation_result(&message_id, &propagation_source, acceptance);
            }
            gossipsub::Event::Subscribed { peer_id, topic, .. } => {
                self.members_changed();
                // Who dialled asks: one exchange tells both sides what they lack.
                if self.rooms.contains_key(topic.as_str()) && self.dialled(&peer_id) {
                    self.meet(peer_id, topic.as_str());
                }
            }
            gossipsub::Event::Unsubscribed { .. } => self.members_changed(),
            gossipsub::Event::SlowPeer { peer_id, failed_messages } => {
                self.counters.slow_peers += 1;
                tracing::debug!(peer = %peer_id, ?failed_messages, "a slow peer missed messages");
                self.emit(Event::Slow { peer: peer_id });
                self.sync_with_slow(peer_id);
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => {
                tracing::debug!(peer = %peer_id, "speaks no gossipsub");
            }
        }
    }

    fn judge(&mut self, from: &PeerId, message: gossipsub::Message) -> MessageAcceptance {
        let now = self.now().instant;
        if self.access.check(from, Action::Room, now).is_err() {
            return MessageAcceptance::Ignore;
        }
        let Some(source) = message.source else { return MessageAcceptance::Ignore };
        let number = message.sequence_number.unwrap_or_default();
        let verdict = self.with_room(message.topic.as_str(), |room, _, now, out| {
            room.receive(&message.data, source, number, now, out)
        });
        let verdict = match verdict {
            Some(Verdict::Unread(what)) => Some(self.judge_unread(what, from, source, &message)),
            verdict => verdict,
        };
        let counters = &mut self.counters;
        *match verdict {
            Some(Verdict::Accept) => &mut counters.payloads_accepted,
            Some(Verdict::Reject) => &mut counters.payloads_rejected,
            _ => &mut counters.payloads_ignored,
        } += 1;
        match verdict {
            Some(Verdict::Accept) => MessageAcceptance::Accept,
            // Who merely forwarded it is not to blame.
            Some(Verdict::Reject) if source == *from => {
                self.offence(source, "it said what does not verify");
                MessageAcceptance::Reject
            }
            _ => MessageAcceptance::Ignore,
        }
    }

    /// Sends what waits in a room, if somebody is there.
    pub(super) fn flush(&mut self, name: &str) {
        if self.rooms.get(name).is_some_and(|room| room.waiting() > 0) {
            let reach = self.reach(name);
            self.with_room(name, |room, me, now, out| room.flush(reach, me, now, out));
        }
        self.serve_patient(name);
    }

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
            plain: room.is_plain(),
            foreign,
            members: members.collect(),
            total,
            waiting: u32::try_from(room.waiting()).unwrap_or(u32::MAX),
        }
    }

    /// Whether, of the members of whom this node itself knows what they use, more use Tincan: they signed frames here, or
    /// say so to us. No hub's word goes against that.
    fn is_ours(&self, room: &Room, listed: &BTreeSet<PeerId>) -> bool {
        let (mut ours, mut theirs) = (0, 0);
        for peer in listed {
            match self.syncs(peer) {
                Some(false) => theirs += 1,
                Some(true) => ours += 1,
                None => ours += usize::from(room.has_heard(peer)),
            }
        }
        ours > theirs
    }

    pub(super) fn gossip(&mut self) -> &mut Gossip {
        &mut self.swarm.behaviour_mut().gossip
    }
}
