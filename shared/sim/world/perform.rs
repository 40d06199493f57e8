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

/// A hub numbers the streams of all its peers itself.
fn at_hub(serial: u64, over: u64) -> u64 {
    (over << 32) + serial
}

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
            Output::OpenHub { hub, serial } => self.open_hub(node, hub, serial),
            Output::WatchRooms { hub, watch } => {
                if let Some(hub) = self.node_of(node, &hub)
                    && let Some((serial, over)) = self.nodes[node].hub_streams.get(&hub).copied()
                {
                    let serial = at_hub(serial, over);
                    let latency = self.network.latency(node, hub);
                    let peer = self.nodes[node].peer;
                    self.send(node, hub, over, latency, What::Input(Input::Watch { peer, serial, watch }));
                }
            }
            Output::CloseHub { hub, .. } => {
                if let Some(hub) = self.node_of(node, &hub) {
                    self.end_stream(node, hub, None);
                }
            }
            Output::TellWatcher { peer, serial: told, message } => {
                if let Some((watcher, serial, over)) = self.watcher(node, &peer, told) {
                    let latency = self.network.latency(node, watcher);
                    let hub = self.nodes[node].peer;
                    self.send(node, watcher, over, latency, What::Input(Input::FromHub { hub, serial, message }));
                    let took = Input::WatcherTook { peer, serial: told, messages: 1 };
                    self.send(watcher, node, over, 2 * latency, What::Input(took));
                }
            }
            Output::DropWatcher { peer, serial } => {
                if let Some((watcher, _, over)) = self.watcher(node, &peer, serial) {
                    self.end_stream(watcher, node, Some(over));
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
        let it = &mut self.nodes[node];
        it.published += 1;
        let (source, number) = (it.peer, (it.run << 32) + it.published);
        let id = [source.to_bytes(), number.to_be_bytes().to_vec()].concat();
        it.seen.insert(id.clone());
        self.spread(node, &Gossip { id, room, source, number, bytes }, None);
    }

    fn open_hub(&mut self, node: usize, hub: libp2p::PeerId, serial: u64) {
        let to = self.node_of(node, &hub);
        let over = to.and_then(|to| self.network.between(node, to));
        let (Some(to), Some(over)) = (to, over) else { return self.tell(node, Input::HubClosed { hub, serial }) };
        self.nodes[node].hub_streams.insert(to, (serial, over));
        let latency = self.network.latency(node, to);
        let peer = self.nodes[node].peer;
        self.send(node, to, over, latency, What::Input(Input::WatcherOpened { peer, serial: at_hub(serial, over) }));
        self.send(to, node, over, 2 * latency, What::Input(Input::HubOpened { hub, serial }));
    }

    /// Whose hub stream it is, its number there, and its connection.
    fn watcher(&self, hub: usize, peer: &libp2p::PeerId, told: u64) -> Option<(usize, u64, u64)> {
        let watchers = self.nodes.iter().enumerate().filter(|(_, node)| node.peer == *peer);
        let streams = watchers.filter_map(|(node, it)| Some((node, *it.hub_streams.get(&hub)?)));
        streams
            .map(|(node, (serial, over))| (node, serial, over))
            .find(|(_, serial, over)| at_hub(*serial, *over) == told)
    }

    /// A node's stream to a hub ends, if it runs over this connection; both hear of it.
    pub(super) fn end_stream(&mut self, node: usize, hub: usize, over: Option<u64>) {
        let stream = self.nodes[node].hub_streams.get(&hub).copied();
        let Some((serial, its)) = stream.filter(|(_, its)| over.is_none_or(|over| over == *its)) else { return };
        self.nodes[node].hub_streams.remove(&hub);
        let (peer, hub_peer) = (self.nodes[node].peer, self.nodes[hub].peer);
        self.tell(node, Input::HubClosed { hub: hub_peer, serial });
        self.tell(hub, Input::WatcherClosed { peer, serial: at_hub(serial, its) });
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
