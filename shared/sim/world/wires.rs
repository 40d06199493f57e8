//! Connections between nodes: who dials whom, who is heard by whom, and when each end learns that a connection is gone.

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId, gossipsub::MessageId, multiaddr::Protocol, swarm::ConnectionId};

use super::{
    Happening, World, name,
    network::{Gossip, What},
    node::{address_of, node_at},
};
use crate::{
    core::{Connection, Dial, DialFailure, DialId, Identified, Input},
    hub::wire,
    room::sync,
};

/// How long it takes until an end finds out that the other one is silent.
const DEAD_AFTER_MS: u64 = 15_000;
/// How long an answer on a connection is waited for.
const PROBE_MS: u64 = 3_000;
/// How long a dial of somebody who does not answer takes.
const SILENT_DIAL_MS: u64 = 10_000;

/// A connection that stands, or that one end does not know to be gone.
#[derive(Debug, Clone, Copy)]
struct Wire {
    dialler: usize,
    listener: usize,
    /// Whether the dialler, and the listener, still has it.
    open: [bool; 2],
}

impl Wire {
    fn side(&self, node: usize) -> Option<usize> {
        [self.dialler, self.listener].iter().position(|end| *end == node)
    }

    fn is_open_at(&self, node: usize) -> bool {
        self.side(node).is_some_and(|side| self.open[side])
    }

    fn other(&self, node: usize) -> usize {
        if self.dialler == node { self.listener } else { self.dialler }
    }
}

/// A dial on its way.
pub(super) struct Dialled {
    pub(super) from: usize,
    pub(super) run: u64,
    pub(super) to: usize,
    pub(super) dial: Dial,
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
    /// What one node sends does not reach the other, until when.
    pub(super) deaf: BTreeMap<(usize, usize), u64>,
    /// Until when gossip from one node to another is lost in silence.
    pub(super) lossy: BTreeMap<(usize, usize), u64>,
    /// Questions without an answer, by connection: who asked whom about which room.
    pub(super) asked: BTreeMap<u64, Vec<(usize, usize, String)>>,
    /// Payloads that a node is still to validate.
    pub(super) unvalidated: BTreeMap<(usize, MessageId), (usize, Gossip)>,
    /// Payloads on their way, by connection and receiver.
    pub(super) in_flight: BTreeMap<(u64, usize), usize>,
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
            lossy: BTreeMap::new(),
            asked: BTreeMap::new(),
            unvalidated: BTreeMap::new(),
            in_flight: BTreeMap::new(),
        }
    }

    /// One way between two nodes; always the same.
    pub(super) fn latency(&self, one: usize, other: usize) -> u64 {
        let (low, high) = (one.min(other) as u64, one.max(other) as u64);
        let mixed = (self.seed ^ (low << 32) ^ (high << 8)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        1 + mixed % self.latency_ms
    }

    /// Until when nothing that one node sends reaches the other, if that is so.
    pub(super) fn held_until(&self, from: usize, to: usize, now_ms: u64) -> Option<u64> {
        let is_apart = self.apart.contains(&from) != self.apart.contains(&to);
        let apart = Some(self.apart_until).filter(|_| is_apart);
        let deaf = self.deaf.get(&(from, to)).copied();
        apart.into_iter().chain(deaf).filter(|until| *until > now_ms).max()
    }

    /// Whether two nodes cannot talk, in one way or both.
    pub(super) fn is_cut(&self, one: usize, other: usize, now_ms: u64) -> bool {
        self.held_until(one, other, now_ms).or_else(|| self.held_until(other, one, now_ms)).is_some()
    }

    /// The connections that a node has, with who is at the other end.
    pub(super) fn of(&self, node: usize) -> Vec<(u64, usize)> {
        let open = self.wires.iter().filter(|(_, wire)| wire.is_open_at(node));
        open.map(|(id, wire)| (*id, wire.other(node))).collect()
    }

    pub(super) fn between(&self, one: usize, other: usize) -> Option<u64> {
        self.of(one).into_iter().find(|(_, end)| *end == other).map(|(id, _)| id)
    }

    /// Whether a node still has a connection.
    pub(super) fn has(&self, node: usize, connection: u64) -> bool {
        self.wires.get(&connection).is_some_and(|wire| wire.is_open_at(node))
    }

    /// Who is connected to a node, each once, by the oldest connection.
    pub(super) fn neighbours(&self, node: usize) -> Vec<(u64, usize)> {
        let mut all = self.of(node);
        all.sort_by_key(|(_, end)| *end);
        all.dedup_by_key(|(_, end)| *end);
        all
    }

    /// A node no longer has a connection. Returns who is at the other end.
    fn end_at(&mut self, node: usize, connection: u64) -> Option<usize> {
        let wire = self.wires.get_mut(&connection)?;
        let side = wire.side(node).filter(|side| wire.open[*side])?;
        wire.open[side] = false;
        let (is_gone, other) = (wire.open == [false, false], wire.other(node));
        if is_gone {
            self.wires.remove(&connection);
        }
        self.in_flight.remove(&(connection, node));
        Some(other)
    }
}

impl World {
    pub(super) fn dial(&mut self, from: usize, dial: Dial) {
        if dial.addresses.iter().flatten().any(|part| part == Protocol::WebRTC) {
            return self.dial_directly(from, dial);
        }
        let run = self.nodes[from].run;
        let address = dial.addresses.first().cloned();
        let to = address.and_then(|address| node_at(&address, self.nodes.len()));
        let Some(to) = to else { return self.dial_failed(from, dial.id, DialFailure::Unreachable) };
        // Without a name nobody knows who is there before it has answered.
        if dial.peer.is_some() && dial.unless != crate::core::Unless::Never && self.network.between(from, to).is_some()
        {
            return self.dial_failed(from, dial.id, DialFailure::NotNeeded);
        }
        let wait = match self.network.is_cut(from, to, self.now_ms) {
            true => SILENT_DIAL_MS,
            false => 2 * self.network.latency(from, to),
        };
        self.after(wait, Happening::Established(Dialled { from, run, to, dial }));
    }

    pub(super) fn dial_failed(&mut self, from: usize, dial: DialId, failure: DialFailure) {
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
        let is_direct = dial.addresses.iter().flatten().any(|part| part == Protocol::WebRTC);
        let is_first = [(from, to), (to, from)].map(|(node, other)| self.connections_with(node, other) == 0);
        self.network.last += 1;
        let id = self.network.last;
        self.network.wires.insert(id, Wire { dialler: from, listener: to, open: [true, true] });
        self.note(|| format!("{} is connected to {}", name(from), name(to)));
        for (node, other, is_dialled) in [(from, to, true), (to, from, false)] {
            let connection = Connection {
                peer: self.nodes[other].peer,
                id: ConnectionId::new_unchecked(id as usize),
                address: if is_direct { Multiaddr::from(Protocol::WebRTC) } else { address_of(other) },
                is_dialled,
                dial: is_dialled.then_some(dial.id),
            };
            self.tell(node, Input::Connected(connection));
        }
        for ((node, other), is_first) in [(from, to), (to, from)].into_iter().zip(is_first) {
            self.introduce(node, other, id, is_first);
        }
    }

    /// What a node tells over a new connection by itself.
    fn introduce(&mut self, node: usize, other: usize, over: u64, is_first: bool) {
        let (peer, latency) = (self.nodes[node].peer, self.network.latency(node, other));
        let identity = Identified { protocols: self.protocols(node), agent: "tincan/sim".into(), addresses: vec![] };
        self.send(node, other, over, 2 * latency, What::Input(Input::Identified { peer, identity }));
        // gossipsub tells its topics on the first connection only.
        for room in self.nodes[node].subscribed.clone().into_iter().filter(|_| is_first) {
            self.send(node, other, over, latency, What::Input(Input::Subscribed { peer, room: room.to_string() }));
        }
    }

    fn protocols(&self, node: usize) -> Vec<libp2p::StreamProtocol> {
        let hub = self.plan.members[node].is_hub.then_some(wire::PROTOCOL);
        [sync::PROTOCOL].into_iter().chain(hub).collect()
    }

    /// One end closes a connection; the other hears of it, if it can be reached.
    pub(super) fn close(&mut self, node: usize, connection: u64) {
        let Some(other) = self.lose(node, connection) else { return };
        if !self.network.has(other, connection) {
            return;
        }
        if self.network.is_cut(node, other, self.now_ms) {
            self.after(DEAD_AFTER_MS, Happening::Dead { connection, node: other });
        } else {
            self.lose(other, connection);
        }
    }

    /// A connection is gone for a node, which learns it.
    fn lose(&mut self, node: usize, connection: u64) -> Option<usize> {
        let other = self.network.end_at(node, connection)?;
        let peer = self.nodes[other].peer;
        let mut asked = self.network.asked.remove(&connection).unwrap_or_default();
        for (_, _, room) in asked.extract_if(.., |(asker, _, _)| *asker == node) {
            self.tell(node, Input::Answered { peer, room, answer: None });
        }
        if !asked.is_empty() {
            self.network.asked.insert(connection, asked);
        }
        self.end_streams(node, connection);
        let left = self.connections_with(node, other);
        if self.network.between(node, other).is_none() {
            self.nodes[node].topics.retain(|(end, _), _| *end != other);
        }
        self.note(|| format!("{} loses a connection to {}", name(node), name(other)));
        self.checks.lost(node);
        let id = ConnectionId::new_unchecked(connection as usize);
        self.tell(node, Input::Disconnected { peer, connection: id, left: u32::try_from(left).expect("few") });
        Some(other)
    }

    /// A node has ended: those it was connected to find out at once, or after a silence.
    pub(super) fn drop_connections(&mut self, node: usize, silent: bool) {
        for (connection, other) in self.network.of(node) {
            self.network.end_at(node, connection);
            if let Some(asked) = self.network.asked.get_mut(&connection) {
                asked.retain(|(asker, _, _)| *asker != node);
            }
            match silent {
                true => self.after(DEAD_AFTER_MS, Happening::Dead { connection, node: other }),
                false => drop(self.lose(other, connection)),
            }
        }
    }

    /// Something keeps nodes from hearing each other from now on: who hears nothing for long gives connections up.
    pub(super) fn doubt_connections(&mut self) {
        let ends = self.network.wires.iter().flat_map(|(id, wire)| [(*id, wire.dialler), (*id, wire.listener)]);
        for (connection, node) in ends.collect::<Vec<_>>() {
            let after = DEAD_AFTER_MS + rand::RngExt::random_range(&mut self.rng, 0..10_000);
            self.after(after, Happening::Dead { connection, node });
        }
    }

    /// A node gives a connection up, if it hears nothing from the other end.
    pub(super) fn found_dead(&mut self, node: usize, connection: u64) {
        let Some(wire) = self.network.wires.get(&connection).filter(|wire| wire.is_open_at(node)) else { return };
        let other = wire.other(node);
        let is_silent = !wire.is_open_at(other)
            || self.nodes[other].frozen_until > self.now_ms
            || self.network.is_cut(node, other, self.now_ms);
        if is_silent && self.nodes[node].frozen_until > self.now_ms {
            // It finds out when it goes on.
            self.at(self.nodes[node].frozen_until, Happening::Dead { connection, node });
        } else if is_silent {
            self.close(node, connection);
        }
    }

    /// Who a node means by a peer: of several with one key, whom it has been connected to for longest.
    pub(super) fn node_of(&self, from: usize, peer: &PeerId) -> Option<usize> {
        let connected = self.network.of(from).into_iter().find(|(_, end)| self.nodes[*end].peer == *peer);
        connected.map(|(_, end)| end).or_else(|| self.nodes.iter().position(|node| node.peer == *peer))
    }

    /// How many connections a node has with whoever has this one's key.
    fn connections_with(&self, node: usize, other: usize) -> usize {
        self.network.of(node).into_iter().filter(|(_, end)| self.nodes[*end].peer == self.nodes[other].peer).count()
    }

    /// A node asks for an answer on one connection.
    pub(super) fn probe(&mut self, node: usize, connection: u64) {
        let Some(wire) = self.network.wires.get(&connection).filter(|wire| wire.is_open_at(node)) else { return };
        let other = wire.other(node);
        let is_silent = !wire.is_open_at(other)
            || self.nodes[other].frozen_until > self.now_ms + PROBE_MS
            || self.network.is_cut(node, other, self.now_ms + PROBE_MS);
        let (peer, id) = (self.nodes[other].peer, ConnectionId::new_unchecked(connection as usize));
        let wait = if is_silent { PROBE_MS } else { 2 * self.network.latency(node, other) };
        let input = Input::Probed { peer, connection: id, is_answered: !is_silent };
        let from = if is_silent { node } else { other };
        self.send(from, node, connection, wait, What::Input(input));
    }
}
