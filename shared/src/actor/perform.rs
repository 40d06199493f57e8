//! What the core wants done, done.

use std::num::NonZeroU8;

use libp2p::{
    Multiaddr, PeerId,
    gossipsub::{IdentTopic, PublishError, TopicHash},
    swarm::dial_opts::{DialOpts, PeerCondition},
};

use super::{
    Actor,
    network::{failure, forget_stream},
    wording::describe_dial_error,
};
use crate::{
    HostBehaviour,
    behaviour::connection_limits,
    core::{Dial, Input, Output, Unless},
    room_id::RoomId,
};

/// Addresses of one dial that are tried at a time, where the host starts them one after another: all there can be.
const MAX_AT_ONCE: u8 = 64;
const AT_ONCE: NonZeroU8 = NonZeroU8::new(MAX_AT_ONCE).expect("not zero");

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            self.perform_one(output);
        }
    }

    fn perform_one(&mut self, output: Output) {
        match output {
            Output::Emit(event) => self.emit(event),
            Output::Store(changes) => self.storage.write(changes),
            Output::Subscribe(room) => self.subscribe(&room),
            Output::Unsubscribe(room) => {
                self.swarm.behaviour_mut().gossip.unsubscribe(&IdentTopic::new(&*room));
                self.swarm.behaviour_mut().host.leave(&room);
            }
            Output::Publish { room, payload } => self.publish(&room, payload),
            Output::Validated { id, from, acceptance } => {
                self.swarm.behaviour_mut().gossip.report_message_validation_result(&id, &from, acceptance);
            }
            Output::SayElsewhere { room, text } => self.swarm.behaviour_mut().host.say(&room, &text),
            Output::Dial(dial) => self.dial(dial),
            Output::Disconnect(peer) => drop(self.swarm.disconnect_peer_id(peer)),
            Output::Close(connection) => drop(self.swarm.close_connection(connection)),
            Output::Probe { peer, connection } => self.swarm.behaviour_mut().probe.ask(peer, connection),
            Output::Block(peer) => drop(self.swarm.behaviour_mut().blocked.block_peer(peer)),
            Output::Unblock(peer) => drop(self.swarm.behaviour_mut().blocked.unblock_peer(peer)),
            Output::StayAway { peer, until } => self.swarm.behaviour_mut().stay_away.from(peer, until),
            Output::ForgetStayAway(Some(peer)) => self.swarm.behaviour_mut().stay_away.forget(&peer),
            Output::ForgetStayAway(None) => self.swarm.behaviour_mut().stay_away.forget_all(),
            Output::Reserve { hub, address } => self.reserve(hub, address),
            Output::Unreserve(hub) => self.unreserve(&hub),
            Output::AnswerOffer { offer, is_taken } => self.answer_offer(offer, is_taken),
            Output::ApplyRules => self.apply_rules(),
            Output::KeepsRecords { peer, told, in_use } => {
                self.found_at(&peer, told, in_use);
                let now = self.now().instant;
                self.publisher.keeper_up(peer, now);
            }
            Output::AdmitToStore { peer, address } => self.admit_to_store(peer, &address),
            Output::DismissFromStore(peer) => self.kad().store_mut().dismiss(&peer),
            Output::OpenHub { hub, serial } => self.streams.open_hub(hub, serial),
            Output::WatchRooms { hub, watch } => {
                if let Some((_, tell)) = self.hubs.get(&hub) {
                    tell.send_replace(watch);
                }
            }
            Output::CloseHub { hub, serial } => forget_stream(&mut self.hubs, &hub, serial),
            Output::TellWatcher { peer, serial, message } => {
                // The core counts what the queue takes; that the stream has ended is told apart.
                if let Some(tell) = self.watchers.get(&(peer, serial)) {
                    let _ = tell.try_send(message);
                }
            }
            Output::DropWatcher { peer, serial } => drop(self.watchers.remove(&(peer, serial))),
            Output::Ask { peer, question } => self.streams.ask(peer, question),
        }
    }

    fn subscribe(&mut self, room: &RoomId) {
        if let Err(error) = self.swarm.behaviour_mut().gossip.subscribe(&IdentTopic::new(&**room)) {
            tracing::warn!(%room, %error, "not subscribed");
        }
        self.swarm.behaviour_mut().host.enter(room);
    }

    fn publish(&mut self, room: &RoomId, payload: Vec<u8>) {
        match self.swarm.behaviour_mut().gossip.publish(TopicHash::from_raw(&**room), payload) {
            // With nobody there the frame is kept, and the next sync carries it.
            Ok(_) | Err(PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => tracing::warn!(%room, %error, "not published; left to the next sync"),
        }
    }

    fn dial(&mut self, dial: Dial) {
        let Dial { id, peer, addresses, unless, staggered } = dial;
        let condition = match unless {
            Unless::Never => PeerCondition::Always,
            Unless::Connected => PeerCondition::Disconnected,
            Unless::ConnectedOrDialling => PeerCondition::DisconnectedAndNotDialing,
        };
        let options = match peer {
            Some(peer) => {
                let options = DialOpts::peer_id(peer).condition(condition).addresses(addresses);
                if staggered { options.override_dial_concurrency_factor(AT_ONCE).build() } else { options.build() }
            }
            None => {
                let Some(address) = addresses.into_iter().next() else { return };
                DialOpts::unknown_peer_id().address(address).build()
            }
        };
        let connection = options.connection_id();
        let now = self.now().instant;
        self.swarm.behaviour_mut().stay_away.expire(now);
        match self.swarm.dial(options) {
            Ok(()) => drop(self.dials.insert(connection, id)),
            Err(error) => {
                tracing::debug!(%error, "a dial was not begun");
                let (failure, reason) = (failure(&error), describe_dial_error(&error));
                self.handle(Input::DialFailed { dial: id, failure, reason });
            }
        }
    }

    fn apply_rules(&mut self) {
        let config = self.core.config();
        let (ranges, settings) = (config.deny_ranges.clone(), config.limits.clone());
        let limits = connection_limits(config);
        let behaviour = self.swarm.behaviour_mut();
        behaviour.gate.set(ranges);
        *behaviour.limits.limits_mut() = limits;
        behaviour.arrivals.set(&settings);
    }

    /// Kademlia knows a peer under what it says of itself now; without this it would add up all it ever said.
    fn found_at(&mut self, peer: &PeerId, told: Vec<Multiaddr>, in_use: Vec<Multiaddr>) {
        for address in &told {
            self.kad().add_address(peer, address.clone());
        }
        let kept: Vec<Multiaddr> =
            told.into_iter().chain(in_use).filter_map(|address| address.with_p2p(*peer).ok()).collect();
        let known = self.kad().kbucket(*peer).map(|bucket| {
            let entry = bucket.iter().find(|entry| entry.node.key.preimage() == peer);
            entry.map(|entry| entry.node.value.iter().cloned().collect()).unwrap_or_default()
        });
        let known: Vec<Multiaddr> = known.unwrap_or_default();
        for old in known.iter().filter(|known| !kept.contains(known)) {
            self.kad().remove_address(peer, old);
        }
    }
}
