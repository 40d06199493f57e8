//! What a core wants done, done in this network.

use libp2p::gossipsub::MessageAcceptance;

use super::{
    World, name,
    network::{Gossip, What},
    streams::at_hub,
};
use crate::{
    Event,
    core::{Input, Output},
    room_id::RoomId,
};

/// On a longer way a second program with one key may be closed before it has opened the stream on which it is told why.
const LONGEST_WAY_OF_A_REASON_MS: u64 = 100;

impl World {
    pub(super) fn perform_one(&mut self, node: usize, output: Output) {
        match output {
            Output::Emit(event) => self.heard(node, event),
            Output::Store(changes) => {
                self.write(node, changes);
            }
            Output::Subscribe(room) => self.subscribe(node, room, true),
            Output::Unsubscribe(room) => self.subscribe(node, room, false),
            Output::Publish { room, payload } => self.publish(node, room, payload),
            Output::Validated { id, acceptance, .. } => {
                let validated = self.network.unvalidated.remove(&(node, id));
                if let (MessageAcceptance::Accept, Some((from, gossip))) = (acceptance, validated) {
                    self.spread(node, &gossip, Some(from));
                }
            }
            Output::Dial(dial) => self.dial(node, dial),
            Output::Disconnect(peer) => {
                let ends = self.network.of(node);
                for (id, end) in ends.into_iter().filter(|(_, end)| self.nodes[*end].peer == peer).collect::<Vec<_>>() {
                    self.cut_off(node, end);
                    self.close(node, id);
                }
            }
            Output::Close(connection) => {
                let ids = self.network.of(node);
                let id = ids.iter().find(|(id, _)| connection.to_string() == id.to_string());
                if let Some((id, end)) = id {
                    self.cut_off(node, *end);
                    self.close(node, *id);
                }
            }
            Output::Block(peer)
                if self.node_of(node, &peer).is_some_and(|it| self.plan.members[node].denies.contains(&it)) => {}
            Output::Probe { connection, .. } => {
                let ids = self.network.of(node);
                let id = ids.iter().find(|(id, _)| connection.to_string() == id.to_string());
                if let Some((id, _)) = id {
                    self.probe(node, *id);
                }
            }
            Output::Block(peer) => {
                self.checks.fail("no honest peer is refused", format!("{} blocks {peer}", name(node)));
            }
            Output::Reserve { hub, .. } => self.reserve(node, hub),
            Output::Unreserve(hub) => {
                if let Some(hub) = self.node_of(node, &hub) {
                    self.nodes[node].reserved.remove(&hub);
                }
            }
            Output::AnswerOffer { offer, is_taken } => self.answer_offer(node, offer, is_taken),
            Output::OpenHub { hub, serial } => self.open_hub(node, hub, serial),
            Output::WatchRooms { hub, watch } => {
                if let Some(hub) = self.node_of(node, &hub)
                    && let Some((serial, over)) = self.nodes[node].hub_streams.get(&hub).copied()
                {
                    let (peer, latency) = (self.nodes[node].peer, self.network.latency(node, hub));
                    self.send(
                        node,
                        hub,
                        over,
                        latency,
                        What::Input(Input::Watch { peer, serial: at_hub(serial, over), watch }),
                    );
                }
            }
            Output::CloseHub { hub, serial } => {
                if let Some(hub) = self.node_of(node, &hub) {
                    self.close_hub(node, hub, serial);
                }
            }
            Output::TellWatcher { peer, serial, message } => self.tell_watcher(node, &peer, serial, message),
            Output::DropWatcher { peer, serial } => {
                if let Some(watcher) = self.watcher(node, &peer, serial) {
                    self.drop_watcher(node, watcher);
                }
            }
            Output::Ask { peer, question } => {
                let asked = self.node_of(node, &peer);
                let over = asked.and_then(|asked| self.network.between(node, asked));
                let (Some(asked), Some(over)) = (asked, over) else {
                    return self.tell(node, Input::Answered { peer, room: question.room, answer: None });
                };
                let latency = self.network.latency(node, asked);
                self.network.asked.entry(over).or_default().push((node, asked, question.room.clone()));
                let room = question.room.clone();
                let question = self.disguise_question(node, question);
                self.send(node, asked, over, latency, What::Question { room, question, times: 0 });
            }
            Output::Unblock(_)
            | Output::StayAway { .. }
            | Output::ForgetStayAway(_)
            | Output::ApplyRules
            | Output::KeepsRecords { .. }
            | Output::AdmitToStore { .. }
            | Output::DismissFromStore(_)
            | Output::SayElsewhere { .. } => {}
        }
    }

    fn heard(&mut self, node: usize, event: Event) {
        match &event {
            Event::Message(message) => {
                self.note(|| {
                    format!("{} shows {:?} {:?} ({:?})", name(node), message.text, message.room, message.state)
                });
            }
            Event::Sent { message, .. } => self.note(|| format!("{} sent {:?}", name(node), message.text)),
            Event::Refused { reason, .. } => self.note(|| format!("{} is refused: {reason}", name(node))),
            _ => {}
        }
        self.checks.heard(node, &event);
    }

    /// A node ends a connection by itself.
    fn cut_off(&mut self, node: usize, other: usize) {
        if self.network.latency(node, other) <= LONGEST_WAY_OF_A_REASON_MS {
            self.checks.cut_off(node, other, self.now_ms);
        }
    }

    fn subscribe(&mut self, node: usize, room: RoomId, is_in: bool) {
        let changed = match is_in {
            true => self.nodes[node].subscribed.insert(room.clone()),
            false => self.nodes[node].subscribed.remove(&room),
        };
        if !changed {
            return;
        }
        let peer = self.nodes[node].peer;
        for (over, end) in self.network.neighbours(node) {
            let room = room.to_string();
            let input = if is_in { Input::Subscribed { peer, room } } else { Input::Unsubscribed { peer, room } };
            let latency = self.network.latency(node, end);
            self.send(node, end, over, latency, What::Input(input));
        }
    }

    fn publish(&mut self, node: usize, room: RoomId, bytes: Vec<u8>) {
        self.checks.published(&bytes, self.now_ms, self.is_misled(node));
        let bytes = self.disguise(node, bytes);
        let it = &mut self.nodes[node];
        it.published += 1;
        let (source, number) = (it.peer, (it.run << 32) + it.published);
        let id = [source.to_bytes(), number.to_be_bytes().to_vec()].concat();
        it.seen.insert(id.clone());
        self.spread(node, &Gossip { id, room, source, number, bytes }, None);
    }
}
