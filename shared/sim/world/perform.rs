//! What a core wants done, done in this network.

use libp2p::gossipsub::MessageAcceptance;

use super::{
    Happening, World, name,
    network::{Gossip, What},
};
use crate::{
    Change, Event,
    core::{Input, Output},
    room_id::RoomId,
};

impl World {
    pub(super) fn perform_one(&mut self, node: usize, output: Output) {
        match output {
            Output::Emit(event) => self.heard(node, event),
            Output::Store(changes) => {
                let run = self.nodes[node].run;
                self.after(self.plan.write_ms, Happening::Written { node, run, changes });
            }
            Output::Subscribe(room) => self.subscribe(node, room, true),
            Output::Unsubscribe(room) => self.subscribe(node, room, false),
            Output::Publish { room, payload } => self.publish(node, room, payload),
            Output::Validated { id, acceptance, .. } => {
                let judged = self.network.unjudged.remove(&(node, id.0));
                if let (MessageAcceptance::Accept, Some((from, gossip))) = (acceptance, judged) {
                    self.spread(node, &gossip, Some(from));
                }
            }
            Output::Dial(dial) => self.dial(node, dial),
            Output::Disconnect(peer) => {
                let ends = self.network.of(node);
                for (id, _) in ends.into_iter().filter(|(_, end)| self.nodes[*end].peer == peer).collect::<Vec<_>>() {
                    self.close(id);
                }
            }
            Output::Close(connection) => {
                let ids = self.network.of(node);
                let id = ids.iter().find(|(id, _)| connection.to_string() == id.to_string());
                if let Some((id, _)) = id {
                    self.close(*id);
                }
            }
            Output::Block(peer)
                if self.node_of(&peer).is_some_and(|it| self.plan.members[node].denies.contains(&it)) => {}
            Output::Block(peer) => {
                self.checks.fail("no honest peer is refused", format!("{} blocks {peer}", name(node)));
            }
            Output::OpenHub { hub, serial } => self.open_hub(node, hub, serial),
            Output::WatchRooms { hub, watch } => {
                if let Some(hub) = self.node_of(&hub)
                    && let Some(over) = self.network.between(node, hub)
                    && let Some((serial, _)) = self.nodes[node].hub_streams.get(&hub).copied()
                {
                    let latency = self.network.latency(node, hub);
                    let peer = self.nodes[node].peer;
                    self.send(node, hub, over, latency, What::Input(Input::Watch { peer, serial, watch }));
                }
            }
            Output::CloseHub { hub, .. } => {
                if let Some(hub) = self.node_of(&hub) {
                    self.end_stream(node, hub, None);
                }
            }
            Output::TellWatcher { peer, message } => {
                if let Some(watcher) = self.node_of(&peer)
                    && let Some(over) = self.network.between(node, watcher)
                    && let Some((serial, _)) = self.nodes[watcher].hub_streams.get(&node).copied()
                {
                    let latency = self.network.latency(node, watcher);
                    let hub = self.nodes[node].peer;
                    self.send(node, watcher, over, latency, What::Input(Input::FromHub { hub, serial, message }));
                    let took = Input::WatcherTook { peer, serial, messages: 1 };
                    self.send(watcher, node, over, 2 * latency, What::Input(took));
                }
            }
            Output::DropWatcher(peer) => {
                if let Some(watcher) = self.node_of(&peer) {
                    self.end_stream(watcher, node, None);
                }
            }
            Output::Ask { peer, question } => {
                let asked = self.node_of(&peer);
                let over = asked.and_then(|asked| self.network.between(node, asked));
                let (Some(asked), Some(over)) = (asked, over) else {
                    return self.tell(node, Input::Answered { peer, room: question.room, answer: None });
                };
                let latency = self.network.latency(node, asked);
                self.network.asked.entry(over).or_default().push((node, asked, question.room.clone()));
                let room = question.room.clone();
                let question = self.disguise_question(node, question);
                self.send(node, asked, over, latency, What::Question { room, question });
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
        let run = self.nodes[node].run;
        self.checks.heard(node, run, &event);
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
        let bytes = self.disguise(node, bytes);
        let it = &mut self.nodes[node];
        it.published += 1;
        let (source, number) = (it.peer, (it.run << 32) + it.published);
        let id = [source.to_bytes(), number.to_be_bytes().to_vec()].concat();
        it.seen.insert(id.clone());
        self.spread(node, &Gossip { id, room, source, number, bytes }, None);
    }

    fn open_hub(&mut self, node: usize, hub: libp2p::PeerId, serial: u64) {
        let to = self.node_of(&hub);
        let over = to.and_then(|to| self.network.between(node, to));
        let (Some(to), Some(over)) = (to, over) else { return self.tell(node, Input::HubClosed { hub, serial }) };
        self.nodes[node].hub_streams.insert(to, (serial, over));
        let latency = self.network.latency(node, to);
        let peer = self.nodes[node].peer;
        self.send(node, to, over, latency, What::Input(Input::WatcherOpened { peer, serial }));
        self.send(to, node, over, 2 * latency, What::Input(Input::HubOpened { hub, serial }));
    }

    /// A node's stream to a hub ends, if it runs over this connection; both hear of it.
    pub(super) fn end_stream(&mut self, node: usize, hub: usize, over: Option<u64>) {
        let stream = self.nodes[node].hub_streams.get(&hub).copied();
        let Some((serial, _)) = stream.filter(|(_, its)| over.is_none_or(|over| over == *its)) else { return };
        self.nodes[node].hub_streams.remove(&hub);
        let (peer, hub_peer) = (self.nodes[node].peer, self.nodes[hub].peer);
        self.tell(node, Input::HubClosed { hub: hub_peer, serial });
        self.tell(hub, Input::WatcherClosed { peer, serial });
    }

    pub(super) fn written(&mut self, node: usize, run: u64, changes: Vec<Change>) {
        let it = &mut self.nodes[node];
        if it.run != run || it.core.is_none() {
            return;
        }
        let is_full = it.disk_full_until > self.now_ms;
        let mut refused = Vec::new();
        for change in changes {
            match change.value {
                Some(_) if is_full => refused.push(change),
                Some(value) => drop(it.disk.insert(change.key, value)),
                None => drop(it.disk.remove(&change.key)),
            }
        }
        if !refused.is_empty() {
            let at = it.disk_full_until;
            self.at(at, Happening::Written { node, run, changes: refused });
        }
    }
}
