//! What lying nodes do.

use libp2p::PeerId;

use super::{
    World, keypair,
    network::What,
    plan::{Lie, Plan},
};
use crate::{
    core::Input,
    hub::wire::{FromHub, Report, Watch},
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
    /// Somebody asks a false hub who is in these rooms.
    pub(super) fn boast(&mut self, liar: usize, to: PeerId, watch: &Watch) {
        let hub = self.nodes[liar].peer;
        let Some(to) = self.node_of(&to) else { return };
        let Some((serial, over)) = self.nodes[to].hub_streams.get(&liar).copied() else { return };
        let seed = self.plan.seed;
        let nobody = |n: usize| keypair(seed, 1000 + n).public().to_peer_id().to_bytes();
        for room in &watch.rooms {
            let joined = (0..NAMED).map(nobody).collect();
            let total = BOASTED;
            let report =
                Report { room: room.clone(), hub: hub.to_bytes(), total, joined, left: Vec::new(), foreign: BOASTED };
            let message = FromHub::from(report);
            let latency = self.network.latency(liar, to);
            self.send(liar, to, over, latency, What::Input(Input::FromHub { hub, serial, message }));
        }
    }
}
