//! Connections between nodes, and what travels over them.

use std::collections::BTreeMap;

use libp2p::{PeerId, gossipsub::MessageId, swarm::ConnectionId};
use tokio::sync::oneshot;

use super::{
    Happening, World, name,
    node::{address_of, node_at},
};
use crate::{
    core::{Connection, Dial, DialFailure, DialId, Identified, Input, Payload},
    hub::wire,
    room::sync::{self, Answer, Question},
    room_id::RoomId,
};

/// How long it takes until a connection whose other end is silent is found dead.
const DEAD_AFTER_MS: u64 = 15_000;
/// When gossip tells that it could not keep up with a peer.
const HEARTBEAT_MS: u64 = 500;
/// How long a dial of somebody who does not answer takes.
const SILENT_DIAL_MS: u64 = 10_000;

/// How long an answer on a connection is waited for.
const PROBE_MS: u64 = 3_000;

/// A connection that stands.
#[derive(Debug, Clone, Copy)]
struct Wire {
    dialler: usize,
    listener: usize,
}

/// A dial on its way.
pub(super) struct Dialled {
    from: usize,
    run: u64,
    to: usize,
    dial: Dial,
}

/// What reaches a node.
pub(super) struct Arrival {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The receiver's run that it was meant for.
    run: u64,
    /// What it travels over; nothing for what a node tells itself.
    over: Option<u64>,
    what: What,
}

pub(super) enum What {
    Input(Input),
    Gossip(Gossip),
    Question { room: String, question: Question },
    Answer { room: String, answer: Answer },
}

/// A payload in gossip.
#[derive(Debug, Clone)]
pub(super) struct Gossip {
    pub(super) id: Vec<u8>,
    pub(super) room: RoomId,
    pub(super) source: PeerId,
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

/// All connections.
pub(super) struct Network {
    latency_ms: u64,
    seed: u64,
    last: u64,
    wires: BTreeMap<u64, Wire>,
    /// Those that cannot be reached by the others, until when.
    pub(super) apart: Vec<usize>,
    pub(super) apart_until: u64,
    /// Until when gossip from one node to another is lost in silence.
    pub(super) deaf: BTreeMap<(usize, usize), u64>,
    /// Questions without an answer, by connection: who asked whom about which room.
    pub(super) asked: BTreeMap<u64, Vec<(usize, usize, String)>>,
    /// Payloads that a node is still to judge.
    pub(super) unjudged: BTreeMap<(usize, Vec<u8>), (usize, Gossip)>,
}

impl Network {
    pub(super) fn new(latency_ms: u64, seed: u64) -> Self {
        Self {
            latency_ms,
            seed,
            last: 0,
            wires: BTreeMap::new(),
            apart: Vec::new(),
            apart_until: 0,
            deaf: BTreeMap::new(),
            asked: BTreeMap::new(),
            unjudged: BTreeMap::new(),
        }
    }

    /// One way between two nodes; always the same.
    pub(super) fn latency(&self, one: usize, other: usize) -> u64 {
        let (low, high) = (one.min(other) as u64, one.max(other) as u64);
        let mixed = (self.seed ^ (low << 32) ^ (high << 8)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        1 + mixed % self.latency_ms
    }

    pub(super) fn is_cut(&self, one: usize, other: usize, now_ms: u64) -> bool {
        self.apart_until > now_ms && self.apart.contains(&one) != self.apart.contains(&other)
    }

    /// The connections of a node, with who is at the other end.
    pub(super) fn of(&self, node: usize) -> Vec<(u64, usize)> {
        let ends = self.wires.iter().filter_map(|(id, wire)| match wire {
            Wire { dialler, listener } if *dialler == node => Some((*id, *listener)),
            Wire { dialler, listener } if *listener == node => Some((*id, *dialler)),
            _ => None,
        });
        ends.collect()
    }

    pub(super) fn between(&self, one: usize, other: usize) -> Option<u64> {
        self.of(one).into_iter().find(|(_, end)| *end == other).map(|(id, _)| id)
    }

    /// Who is connected to a node, each once.
    pub(super) fn neighbours(&self, node: usize) -> Vec<(u64, usize)> {
        let mut all = self.of(node);
        all.sort_by_key(|(_, end)| *end);
        all.dedup_by_key(|(_, end)| *end);
        all
    }
}

impl World {
    pub(super) fn dial(&mut self, from: usize, dial: Dial) {
        let run = self.nodes[from].run;
        let address = dial.addresses.first().cloned();
        let to = address.and_then(|address| node_at(&address, self.nodes.len()));
        let Some(to) = to else { return self.dial_failed(from, dial.id, DialFailure::Unreachable) };
        // Without a name nobody knows who is there before it has answered.
        let is_named = dial.peer.is_some();
        if is_named && dial.unless != crate::core::Unless::Never && self.network.between(from, to).is_some() {
            return self.dial_failed(from, dial.id, DialFailure::NotNeeded);
        }
        let wait = match self.network.is_cut(from, to, self.now_ms) {
            true => SILENT_DIAL_MS,
            false => 2 * self.network.latency(from, to),
        };
        self.after(wait, Happening::Established(Dialled { from, run, to, dial }));
    }

    fn dial_failed(&mut self, from: usize, dial: DialId, failure: DialFailure) {
        self.tell(from, Input::DialFailed { dial, failure, reason: "nobody answers".to_owned() });
    }

    pub(super) fn establish(&mut self, Dialled { from, run, to, dial }: Dialled) {
        if self.nodes[from].run != run || !self.nodes[from].is_up() {
            return;
        }
        let answers = self.nodes[to].is_up()
            && self.nodes[to].frozen_until <= self.now_ms
            && !self.network.is_cut(from, to, self.now_ms)
            && !self.nodes[to].blocked.contains(&self.nodes[from].peer);
        if !answers {
            return self.dial_failed(from, dial.id, DialFailure::Unreachable);
        }
        if dial.peer.is_some_and(|peer| peer != self.nodes[to].peer) {
            return self.dial_failed(from, dial.id, DialFailure::WrongPeer);
        }
        self.network.last += 1;
        let id = self.network.last;
        let is_first = [self.connections_with(from, to) == 0, self.connections_with(to, from) == 0];
        self.network.wires.insert(id, Wire { dialler: from, listener: to });
        self.note(|| format!("{} is connected to {}", name(from), name(to)));
        for (node, other, is_dialled) in [(from, to, true), (to, from, false)] {
            let connection = Connection {
                peer: self.nodes[other].peer,
                id: ConnectionId::new_unchecked(id as usize),
                address: address_of(other),
                is_dialled,
                dial: is_dialled.then_some(dial.id),
            };
            self.tell(node, Input::Connected(connection));
        }
        let latency = self.network.latency(from, to);
        for ((node, other), is_first) in [(from, to), (to, from)].into_iter().zip([is_first[1], is_first[0]]) {
            let identity =
                Identified { protocols: self.protocols(other), agent: "tincan/sim".into(), addresses: vec![] };
            self.send(
                other,
                node,
                id,
                2 * latency,
                What::Input(Input::Identified { peer: self.nodes[other].peer, identity }),
            );
            // gossipsub tells its topics on the first connection only.
            if is_first {
                for room in self.nodes[other].subscribed.clone() {
                    let input = Input::Subscribed { peer: self.nodes[other].peer, room: room.to_string() };
                    self.send(other, node, id, latency, What::Input(input));
                }
            }
        }
    }

    fn protocols(&self, node: usize) -> Vec<libp2p::StreamProtocol> {
        let hub = self.plan.members[node].is_hub.then_some(wire::PROTOCOL);
        [sync::PROTOCOL].into_iter().chain(hub).collect()
    }

    /// Hands an input to a node right away, after what it is doing now.
    pub(super) fn tell(&mut self, node: usize, input: Input) {
        let run = self.nodes[node].run;
        self.after(0, Happening::Arrives(Arrival { from: node, to: node, run, over: None, what: What::Input(input) }));
    }

    /// Sends something over a connection.
    pub(super) fn send(&mut self, from: usize, to: usize, over: u64, after_ms: u64, what: What) {
        let run = self.nodes[to].run;
        self.after(after_ms, Happening::Arrives(Arrival { from, to, run, over: Some(over), what }));
    }

    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let Arrival { from, to, run, over, .. } = arrival;
        let it = &self.nodes[to];
        if it.run != run || !it.is_up() || over.is_some_and(|over| !self.network.wires.contains_key(&over)) {
            return;
        }
        if it.frozen_until > self.now_ms {
            return self.nodes[to].inbox.push_back(arrival);
        }
        if over.is_some() && self.network.is_cut(from, to, self.now_ms) {
            // It is sent again until it comes, or the connection is given up.
            return self.at(self.network.apart_until, Happening::Arrives(arrival));
        }
        match arrival.what {
            What::Input(input) => self.handle(to, input),
            What::Gossip(gossip) => {
                self.checks.arrived(to, std::slice::from_ref(&gossip.bytes), self.now_ms);
                self.gossip(from, to, gossip);
            }
            What::Question { room, question } => {
                self.checks.arrived(to, &question.give, self.now_ms);
                let (reply, mut answer) = oneshot::channel();
                self.handle(to, Input::Asked { peer: self.nodes[from].peer, question, reply });
                if let (Ok(answer), Some(over)) = (answer.try_recv(), over) {
                    let latency = self.network.latency(from, to);
                    self.send(to, from, over, latency, What::Answer { room, answer });
                }
            }
            What::Answer { room, answer } => {
                if let Some(asked) = over.and_then(|over| self.network.asked.get_mut(&over)) {
                    asked.retain(|one| *one != (to, from, room.clone()));
                }
                self.checks.arrived(to, &answer.frames, self.now_ms);
                let peer = self.nodes[from].peer;
                self.handle(to, Input::Answered { peer, room, answer: Some(answer) });
            }
        }
    }

    /// A node goes on after it was frozen, unless it is frozen again.
    pub(super) fn thaw(&mut self, node: usize) {
        if self.nodes[node].frozen_until > self.now_ms {
            return;
        }
        for arrival in std::mem::take(&mut self.nodes[node].inbox) {
            self.arrive(arrival);
        }
    }

    /// A payload reaches a node.
    fn gossip(&mut self, from: usize, to: usize, gossip: Gossip) {
        if !self.nodes[to].subscribed.contains(&gossip.room) || !self.nodes[to].seen.insert(gossip.id.clone()) {
            return;
        }
        let payload = Payload {
            id: MessageId::new(&gossip.id),
            room: gossip.room.to_string(),
            from: self.nodes[from].peer,
            source: Some(gossip.source),
            number: gossip.number,
            bytes: gossip.bytes.clone(),
        };
        self.network.unjudged.insert((to, gossip.id.clone()), (from, gossip));
        self.handle(to, Input::Gossip(payload));
    }

    /// Sends a payload to all who are subscribed, but for where it came from.
    pub(super) fn spread(&mut self, node: usize, gossip: &Gossip, but: Option<usize>) {
        for (over, end) in self.network.neighbours(node) {
            let wants = self.nodes[end].subscribed.contains(&gossip.room);
            let is_lost = self.plan.loss > 0.0 && rand::RngExt::random_bool(&mut self.rng, self.plan.loss);
            let is_deaf = self.network.deaf.get(&(node, end)).is_some_and(|until| *until > self.now_ms);
            if is_deaf || !wants || Some(end) == but || self.nodes[end].peer == gossip.source {
                continue;
            }
            if is_lost {
                // gossipsub tells its own node so at its next heartbeat.
                let (run, peer) = (self.nodes[node].run, self.nodes[end].peer);
                let what = What::Input(Input::SlowPeer { peer });
                let arrival = Arrival { from: end, to: node, run, over: Some(over), what };
                self.after(HEARTBEAT_MS, Happening::Arrives(arrival));
            } else {
                let latency = self.network.latency(node, end);
                self.send(node, end, over, latency, What::Gossip(gossip.clone()));
            }
        }
    }

    /// A node asks for an answer on one connection.
    pub(super) fn probe(&mut self, node: usize, connection: u64) {
        let Some((_, other)) = self.network.of(node).into_iter().find(|(id, _)| *id == connection) else { return };
        let it = &self.nodes[other];
        let is_silent = !it.is_up()
            || it.frozen_until > self.now_ms + PROBE_MS
            || self.network.is_cut(node, other, self.now_ms) && self.network.apart_until > self.now_ms + PROBE_MS;
        let (peer, id) = (it.peer, ConnectionId::new_unchecked(connection as usize));
        let wait = if is_silent { PROBE_MS } else { 2 * self.network.latency(node, other) };
        let input = Input::Probed { peer, connection: id, is_answered: !is_silent };
        let (from, run) = (if is_silent { node } else { other }, self.nodes[node].run);
        let arrival = Arrival { from, to: node, run, over: Some(connection), what: What::Input(input) };
        self.after(wait, Happening::Arrives(arrival));
    }

    /// One end closes a connection; the other hears of it.
    pub(super) fn close(&mut self, connection: u64) {
        let Some(wire) = self.network.wires.remove(&connection) else { return };
        for (asker, asked, room) in self.network.asked.remove(&connection).unwrap_or_default() {
            let peer = self.nodes[asked].peer;
            self.tell(asker, Input::Answered { peer, room, answer: None });
        }
        for (node, other) in [(wire.dialler, wire.listener), (wire.listener, wire.dialler)] {
            self.end_stream(node, other, Some(connection));
            self.lost(node, other, connection);
        }
    }

    /// How many connections a node has with whoever has this one's key.
    fn connections_with(&self, node: usize, other: usize) -> usize {
        self.network.of(node).into_iter().filter(|(_, end)| self.nodes[*end].peer == self.nodes[other].peer).count()
    }

    /// A node learns that a connection is gone.
    fn lost(&mut self, node: usize, other: usize, connection: u64) {
        let peer = self.nodes[other].peer;
        let left = self.connections_with(node, other);
        self.note(|| format!("{} loses a connection to {}", name(node), name(other)));
        self.checks.lost(node);
        let id = ConnectionId::new_unchecked(connection as usize);
        self.tell(node, Input::Disconnected { peer, connection: id, left: u32::try_from(left).expect("few") });
    }

    /// A node has crashed: what it was connected to finds out at once, or after a silence.
    pub(super) fn drop_connections(&mut self, node: usize, silent: bool) {
        for (id, _) in self.network.of(node) {
            match silent {
                true => self.after(DEAD_AFTER_MS, Happening::Dead { connection: id }),
                false => self.close(id),
            }
        }
    }

    /// A partition has begun: connections across it die if it lasts.
    pub(super) fn cut_apart(&mut self) {
        let across: Vec<u64> = self
            .network
            .wires
            .iter()
            .filter(|(_, wire)| self.network.is_cut(wire.dialler, wire.listener, self.now_ms))
            .map(|(id, _)| *id)
            .collect();
        if self.network.apart_until > self.now_ms + DEAD_AFTER_MS {
            for connection in across {
                self.after(DEAD_AFTER_MS, Happening::Dead { connection });
            }
        }
    }

    pub(super) fn found_dead(&mut self, connection: u64) {
        self.close(connection);
    }
}
