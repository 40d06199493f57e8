//! What lying nodes do.

use libp2p::PeerId;

use super::{
    World, keypair,
    network::What,
    plan::{Lie, Plan},
};
use crate::{
    config::{FRAME_TIME_WINDOW, MAX_TEXT_BYTES},
    core::Input,
    hub::wire::{FromHub, Report, Watch},
    room::{
        frame::{Body, Draft, Prefix, name_of, read_stored, sign},
        sync::{Answer, Question},
    },
};

/// How many a false hub says are in a room.
const BOASTED: u32 = 100_000;
/// How many of them it names.
const NAMED: usize = 51;

impl Plan {
    pub(super) fn lies(&self, node: usize, lie: Lie) -> bool {
        self.members.get(node).is_some_and(|member| member.lie == Some(lie))
    }
}

impl World {
    /// Frames reach a node, which looks at them unless its clock is wrong by more than they tolerate.
    pub(super) fn frames_arrive(&mut self, node: usize, frames: &[Vec<u8>]) {
        if u128::from(self.clocks_off[node].unsigned_abs()) < FRAME_TIME_WINDOW.as_millis() {
            self.checks.arrived(node, frames, self.now_ms);
        }
    }

    /// A frame as it travels: a later version's says more.
    pub(super) fn disguise(&mut self, node: usize, bytes: Vec<u8>) -> Vec<u8> {
        let Ok(frame) = read_stored(&bytes) else { return bytes };
        let Body::Message { nick, text } = &frame.body else { return bytes };
        if !self.plan.lies(node, Lie::Newer) || frame.author != self.nodes[node].peer {
            return bytes;
        }
        let body = Body::Message { nick: nick.clone(), text: text.repeat(MAX_TEXT_BYTES) };
        let (sequence, previous, time_ms) = (frame.sequence, frame.previous, frame.time_ms);
        let draft = Draft { room: &frame.room, sequence, previous, time_ms, body: &body };
        let newer = sign(&self.nodes[node].keypair, &draft).expect("a key that signs").bytes;
        self.nodes[node].disguised.insert(frame.id.prefix(), newer.clone());
        newer
    }

    pub(super) fn disguise_question(&mut self, node: usize, question: Question) -> Question {
        let disguised = &self.nodes[node].disguised;
        let name = |have: Vec<u8>| match Prefix::try_from(have.as_slice()) {
            Ok(prefix) => disguised.get(&prefix).map_or(have, |newer| prefix_of(newer).to_vec()),
            Err(_) => have,
        };
        let have = question.have.into_iter().map(name).collect();
        let give = question.give.into_iter().map(|frame| self.disguise(node, frame)).collect();
        Question { have, give, ..question }
    }

    pub(super) fn disguise_answer(&mut self, node: usize, answer: Answer) -> Answer {
        Answer { frames: answer.frames.into_iter().map(|frame| self.disguise(node, frame)).collect(), ..answer }
    }

    /// Names of a node's frames, as its own core calls them.
    pub(super) fn undisguise(&self, node: usize, names: &mut [Vec<u8>]) {
        for name in names {
            let mut ours = self.nodes[node].disguised.iter();
            if let Some((prefix, _)) = ours.find(|(_, newer)| prefix_of(newer).as_slice() == name.as_slice()) {
                *name = prefix.to_vec();
            }
        }
    }

    /// Somebody asks a false hub who is in these rooms.
    pub(super) fn boast(&mut self, liar: usize, to: PeerId, watch: &Watch) {
        let hub = self.nodes[liar].peer;
        let Some(to) = self.node_of(liar, &to) else { return };
        let Some((serial, over)) = self.nodes[to].hub_streams.get(&liar).copied() else { return };
        let seed = self.plan.seed;
        let nobody = |n: usize| keypair(seed, 1000 + n).public().to_peer_id().to_bytes();
        for room in &watch.rooms {
            let joined = (0..NAMED).map(nobody).collect();
            let total = BOASTED;
            let report = Report {
                room: room.clone(),
                hub: hub.to_bytes(),
                total,
                joined,
                left: Vec::new(),
                foreign: BOASTED,
                presences: Vec::new(),
            };
            let message = FromHub::from(report);
            let latency = self.network.latency(liar, to);
            self.send(liar, to, over, latency, What::Input(Input::FromHub { hub, serial, message }));
        }
    }
}

fn prefix_of(frame: &[u8]) -> Prefix {
    name_of(frame).expect("a frame").prefix()
}
