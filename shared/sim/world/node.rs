//! One node of a run: its core while it runs, and what outlives it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use libp2p::{PeerId, identity::Keypair};

use super::{network::Arrival, plan::Member};
use crate::{Config, Multiaddr, Saved, core::Core, room::Now, room_id::RoomId};

/// One node.
pub(super) struct Node {
    pub(super) keypair: Keypair,
    pub(super) peer: PeerId,
    pub(super) config: Config,
    pub(super) core: Option<Core>,
    /// Counts its runs: what was meant for an earlier one is not for this one.
    pub(super) run: u64,
    /// What a crash leaves.
    pub(super) disk: Saved,
    pub(super) disk_full_until: u64,
    pub(super) frozen_until: u64,
    /// What reaches it while it is frozen.
    pub(super) inbox: VecDeque<Arrival>,
    pub(super) subscribed: BTreeSet<RoomId>,
    /// Message ids that its gossip has seen.
    pub(super) seen: BTreeSet<Vec<u8>>,
    pub(super) published: u64,
    pub(super) blocked: BTreeSet<PeerId>,
    /// Open hub streams of this node, by hub: the stream's number and connection.
    pub(super) hub_streams: BTreeMap<usize, (u64, u64)>,
    /// When its next tick is due, and the tick's number: earlier ones are void.
    pub(super) tick: u64,
}

/// So many nodes at most: their second addresses follow their first.
const MAX_NODES: usize = 1000;

/// Where a node is.
pub(super) fn address_of(node: usize) -> Multiaddr {
    format!("/memory/{}", node + 1).parse().expect("an address")
}

/// Where it is as well.
pub(super) fn other_address_of(node: usize) -> Multiaddr {
    address_of(MAX_NODES + node)
}

/// Who is at an address.
pub(super) fn node_at(address: &Multiaddr, nodes: usize) -> Option<usize> {
    let is = |at: Multiaddr| address.iter().next() == at.iter().next();
    (0..nodes).find(|node| is(address_of(*node)) || is(other_address_of(*node)))
}

impl Node {
    pub(super) fn new(number: usize, member: &Member, keypairs: &[Keypair]) -> Self {
        let keypair = keypairs[number].clone();
        let mut config = if member.is_hub { Config::hub() } else { Config::peer() };
        let with_id = |node: &usize| {
            let peer = keypairs[*node].public().to_peer_id();
            address_of(*node).with_p2p(peer).expect("no id yet")
        };
        config.bootstrap = match member.nameless {
            true => member.bootstrap.iter().flat_map(|node| [address_of(*node), other_address_of(*node)]).collect(),
            false => member.bootstrap.iter().map(with_id).collect(),
        };
        Self {
            peer: keypair.public().to_peer_id(),
            keypair,
            config,
            core: None,
            run: 0,
            disk: Saved::new(),
            disk_full_until: 0,
            frozen_until: 0,
            inbox: VecDeque::new(),
            subscribed: BTreeSet::new(),
            seen: BTreeSet::new(),
            published: 0,
            blocked: BTreeSet::new(),
            hub_streams: BTreeMap::new(),
            tick: 0,
        }
    }

    /// A new run, with what an earlier one left.
    pub(super) fn start(&mut self, seed: u64, now: Now) {
        self.run += 1;
        self.core = Some(Core::new(self.config.clone(), self.keypair.clone(), false, &self.disk, seed ^ self.run, now));
        self.subscribed.clear();
        self.seen.clear();
        self.blocked.clear();
        self.hub_streams.clear();
    }

    pub(super) fn is_up(&self) -> bool {
        self.core.is_some()
    }
}
