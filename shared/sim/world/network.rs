//! What travels over connections: inputs, questions and answers, and gossip as gossipsub carries it.

use libp2p::{PeerId, gossipsub::MessageId};
use rand::RngExt;
use tokio::sync::oneshot;

use super::{Happening, World, name, plan::Lie};
use crate::{
    core::{Input, Payload},
    room::sync::{Answer, Question},
    room_id::RoomId,
};

/// gossipsub's heartbeat: when it tells that it could not keep up with a peer, and offers what passed a newcomer by.
const HEARTBEAT_MS: u64 = 500;
/// How long it takes until a peer that has subscribed gets what is forwarded.
const MESH_MS: u64 = 600;

/// Waits before a question without an answer is asked again; then the asker gives up.
const RETRIES_MS: [u64; 4] = [500, 1_000, 2_000, 4_000];

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
    /// With how often it was asked before.
    Question {
        room: String,
        question: Question,
        times: usize,
    },
    Answer {
        room: String,
        answer: Answer,
    },
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

impl World {
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
        if it.run != run || !it.is_up() || over.is_some_and(|over| !self.network.has(to, over)) {
            return;
        }
        if let (Some(_), Some(until)) = (over, self.network.held_until(from, to, self.now_ms)) {
            // It is sent again until it comes, or the connection is given up.
            return self.at(until, Happening::Arrives(arrival));
        }
        if it.frozen_until > self.now_ms {
            self.note(|| format!("{} is frozen; what {} sends waits", name(to), name(from)));
            return self.nodes[to].inbox.push_back(arrival);
        }
        self.deliver(arrival);
    }

    fn deliver(&mut self, Arrival { from, to, over, what, .. }: Arrival) {
        match what {
            What::Input(input) => {
                if matches!(input, Input::SlowPeer { .. }) {
                    self.note(|| format!("{} learns that it is too fast for {}", name(to), name(from)));
                }
                self.learn_topic(from, to, &input);
                self.note_watcher(from, to, over, &input);
                if let Input::Watch { peer, watch, .. } = &input
                    && self.plan.lies(to, Lie::FalseHub)
                {
                    self.boast(to, *peer, watch);
                }
                self.handle(to, input);
            }
            What::Gossip(gossip) => {
                if let Some(count) = over.and_then(|over| self.network.in_flight.get_mut(&(over, to))) {
                    *count -= 1;
                }
                self.frames_arrive(to, std::slice::from_ref(&gossip.bytes));
                self.gossip(from, to, gossip);
            }
            What::Question { room, question: sent, times } => {
                let mut question = sent.clone();
                self.undisguise(to, &mut question.have);
                let (has, gives) = (question.have.len(), question.give.len());
                self.note(|| format!("{} asks {} about {room}: has {has}, gives {gives}", name(from), name(to)));
                self.frames_arrive(to, &question.give);
                self.given(from, to, &question.give);
                let (reply, mut answer) = oneshot::channel();
                self.handle(to, Input::Asked { peer: self.nodes[from].peer, question, reply });
                let Some(over) = over else { return };
                let latency = self.network.latency(from, to);
                match answer.try_recv() {
                    Ok(answer) => {
                        let answer = self.disguise_answer(to, answer);
                        self.send(to, from, over, latency, What::Answer { room, answer });
                    }
                    Err(_) => match RETRIES_MS.get(times) {
                        Some(wait_ms) => {
                            let again = What::Question { room, question: sent, times: times + 1 };
                            self.send(from, to, over, latency + wait_ms, again);
                        }
                        None => self.not_answered(to, from, over, room),
                    },
                }
            }
            What::Answer { room, mut answer } => {
                let asked = over.and_then(|over| self.network.asked.get_mut(&over));
                if let Some(asked) = asked {
                    asked.retain(|one| *one != (to, from, room.clone()));
                }
                let (gives, wants) = (answer.frames.len(), answer.want.len());
                self.note(|| format!("{} answers {} about {room}: gives {gives}, wants {wants}", name(from), name(to)));
                self.undisguise(to, &mut answer.want);
                self.given(from, to, &answer.frames);
                self.frames_arrive(to, &answer.frames);
                let peer = self.nodes[from].peer;
                self.handle(to, Input::Answered { peer, room, answer: Some(answer) });
            }
        }
    }

    /// A question has no answer: its asker has tried it several times before it gives up.
    fn not_answered(&mut self, asked: usize, asker: usize, over: u64, room: String) {
        if let Some(open) = self.network.asked.get_mut(&over) {
            open.retain(|one| *one != (asker, asked, room.clone()));
        }
        let peer = self.nodes[asked].peer;
        self.send(asked, asker, over, 0, What::Input(Input::Answered { peer, room, answer: None }));
    }

    /// A node goes on after it was frozen, unless it is frozen again.
    pub(super) fn thaw(&mut self, node: usize) {
        if self.nodes[node].frozen_until > self.now_ms {
            return;
        }
        self.note(|| format!("{} goes on", name(node)));
        let run = self.nodes[node].run;
        for arrival in std::mem::take(&mut self.nodes[node].inbox) {
            if arrival.run == run && self.nodes[node].is_up() {
                self.deliver(arrival);
            }
        }
    }

    /// What a node's gossip knows of others' topics.
    fn learn_topic(&mut self, from: usize, to: usize, input: &Input) {
        let topics = &mut self.nodes[to].topics;
        match input {
            Input::Subscribed { room, .. } => {
                topics.entry((from, room.as_str().into())).or_insert(self.now_ms);
            }
            Input::Unsubscribed { room, .. } => {
                topics.remove(&(from, room.as_str().into()));
            }
            _ => {}
        }
    }

    /// A payload reaches a node.
    fn gossip(&mut self, from: usize, to: usize, gossip: Gossip) {
        if !self.nodes[to].subscribed.contains(&gossip.room) || !self.nodes[to].seen.insert(gossip.id.clone()) {
            return;
        }
        let id = MessageId::new(&gossip.id);
        let payload = Payload {
            id: id.clone(),
            room: gossip.room.to_string(),
            from: self.nodes[from].peer,
            source: Some(gossip.source),
            number: gossip.number,
            bytes: gossip.bytes.clone(),
        };
        self.network.unvalidated.insert((to, id), (from, gossip));
        self.handle(to, Input::Gossip(payload));
    }

    /// Sends a payload to all who are known to be subscribed, but for where it came from.
    pub(super) fn spread(&mut self, node: usize, gossip: &Gossip, but: Option<usize>) {
        for (over, end) in self.network.neighbours(node) {
            let Some(since) = self.nodes[node].topics.get(&(end, gossip.room.clone())).copied() else { continue };
            let is_lost = self.network.lossy.get(&(node, end)).is_some_and(|until| *until > self.now_ms);
            if is_lost || Some(end) == but || self.nodes[end].peer == gossip.source {
                continue;
            }
            let in_flight = self.network.in_flight.entry((over, end)).or_default();
            let is_lost = *in_flight >= self.plan.queue || self.rng.random_bool(self.plan.loss);
            if is_lost {
                self.note(|| format!("gossip from {} to {} is lost", name(node), name(end)));
                // gossipsub tells its own node so at its next heartbeat.
                let (run, peer) = (self.nodes[node].run, self.nodes[end].peer);
                let what = What::Input(Input::SlowPeer { peer });
                let arrival = Arrival { from: end, to: node, run, over: Some(over), what };
                self.after(HEARTBEAT_MS, Happening::Arrives(arrival));
                continue;
            }
            *in_flight += 1;
            let latency = self.network.latency(node, end);
            // Ours go to everybody; others' to those in the mesh, and the rest is offered at the heartbeat and fetched.
            let is_offered = but.is_some() && self.now_ms < since + MESH_MS;
            let after = if is_offered { HEARTBEAT_MS + 3 * latency } else { latency };
            self.send(node, end, over, after, What::Gossip(gossip.clone()));
        }
    }
}
