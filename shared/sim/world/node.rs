//! One node of a run: its core while it runs, and what outlives it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use libp2p::{PeerId, identity::Keypair};

use super::{network::Arrival, plan::Member};
use crate::{
    Config, Multiaddr, Saved,
    core::Core,
    room::{Now, frame::Prefix},
    room_id::RoomId,
};

/// Frames of a room that nodes keep in runs in which bounds are reached.
pub(super) const KEPT_WHEN_TIGHT: usize = 20;

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
    pub(super) disk_slow_until: u64,
    /// When the last write that was begun will be done: they are done in order.
    pub(super) written_at: u64,
    /// What a full disk has not taken.
    pub(super) unwritten: BTreeMap<String, Vec<u8>>,
    pub(super) frozen_until: u64,
    /// What reaches it while it is frozen.
    pub(super) inbox: VecDeque<Arrival>,
    /// Peers that its core knows to be connected.
    pub(super) connected: BTreeSet<PeerId>,
    pub(super) subscribed: BTreeSet<RoomId>,
    /// Message ids that its gossip has seen.
    pub(super) seen: BTreeSet<Vec<u8>>,
    pub(super) published: u64,
    /// Its frames as they travel, by what its own core calls them, where that differs.
    pub(super) disguised: BTreeMap<Prefix, Vec<u8>>,
    pub(super) blocked: BTreeSet<PeerId>,
    /// Others' topics, as this node's gossip knows them, and since when.
    pub(super) topics: BTreeMap<(usize, RoomId), u64>,
    /// Open hub streams of this node, by hub: the stream's number and connection.
    pub(super) hub_streams: BTreeMap<usize, (u64, u64)>,
    /// The same of others to this hub, by watcher.
    pub(super) watchers: BTreeMap<usize, (u64, u64)>,
    /// Hubs that keep a place for it.
    pub(super) reserved: BTreeSet<usize>,
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
    pub(super) fn new(number: usize, member: &Member, keypairs: &[Keypair], tight: bool) -> Self {
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
        config.deny = member.denies.iter().map(|node| keypairs[*node].public().to_peer_id()).collect();
        if tight {
            let limits = &mut config.limits;
            (limits.kept_frames, limits.waiting_lines) = (KEPT_WHEN_TIGHT, 8);
            // Presences prove to a hub who is at another that it did not choose.
            limits.kept_presences = 64;
        }
        Self {
            peer: keypair.public().to_peer_id(),
            keypair,
            config,
            core: None,
            run: 0,
            disk: Saved::new(),
            disk_full_until: 0,
            disk_slow_until: 0,
            written_at: 0,
            unwritten: BTreeMap::new(),
            frozen_until: 0,
            inbox: VecDeque::new(),
            connected: BTreeSet::new(),
            subscribed: BTreeSet::new(),
            seen: BTreeSet::new(),
            published: 0,
            disguised: BTreeMap::new(),
            blocked: BTreeSet::new(),
            topics: BTreeMap::new(),
            hub_streams: BTreeMap::new(),
            watchers: BTreeMap::new(),
            reserved: BTreeSet::new(),
            tick: 0,
        }
    }

    /// A new run, with what an earlier one left.
    pub(super) fn start(&mut self, seed: u64, arranges: bool, now: Now) {
        self.run += 1;
        self.frozen_until = 0;
        let mut core = Core::new(self.config.clone(), self.keypair.clone(), false, &self.disk, seed ^ self.run, now);
        if arranges {
            core.arrange_directly();
        }
        self.core = Some(core);
        self.reserved.clear();
        self.unwritten.clear();
        self.written_at = 0;
        self.connected.clear();
        self.subscribed.clear();
        self.seen.clear();
        self.blocked.clear();
        self.topics.clear();
        self.hub_streams.clear();
        self.watchers.clear();
        self.inbox.clear();
    }

    pub(super) fn is_up(&self) -> bool {
        self.core.is_some()
    }
}
