//! Who is connected, and how.

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};

use crate::{Path, PeerInfo, paths::how};

/// One connection of a peer.
#[derive(Debug, Clone)]
pub(super) struct Connected {
    pub(super) id: ConnectionId,
    pub(super) address: Multiaddr,
    /// Whether this node dialled it.
    pub(super) is_dialled: bool,
}

/// A connected peer.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) info: PeerInfo,
    pub(super) identified: bool,
    /// Whether it is a hub that greeted us and did not tell us to stay away.
    pub(super) welcome: bool,
    /// Whether it lists `/tincan/sync/1.0.0` in identify.
    pub(super) syncs: bool,
    /// Whether the person or operator of this node had it dialled.
    pub(super) chosen: bool,
    connections: Vec<Connected>,
}

/// Everybody connected.
#[derive(Debug, Default)]
pub(super) struct Peers {
    known: BTreeMap<PeerId, Peer>,
    connections: usize,
}

impl Peers {
    pub(super) fn get(&self, peer: &PeerId) -> Option<&Peer> {
        self.known.get(peer)
    }

    pub(super) fn get_mut(&mut self, peer: &PeerId) -> Option<&mut Peer> {
        self.known.get_mut(peer)
    }

    pub(super) fn is_connected(&self, peer: &PeerId) -> bool {
        self.known.contains_key(peer)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.known.keys().copied()
    }

    pub(super) fn infos(&self) -> impl Iterator<Item = &PeerInfo> {
        self.known.values().map(|peer| &peer.info)
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Connections of all these peers.
    pub(super) fn connections(&self) -> usize {
        self.connections
    }

    pub(super) fn all_connections(&self) -> impl Iterator<Item = &Connected> {
        self.known.values().flat_map(|peer| &peer.connections)
    }

    /// One more connection. Says whether it is the peer's first.
    pub(super) fn connected(&mut self, peer: PeerId, connection: Connected, since_ms: u64) -> bool {
        self.connections += 1;
        if let Some(known) = self.known.get_mut(&peer) {
            known.connections.push(connection);
            return false;
        }
        self.known.insert(peer, Peer::new(peer, connection, since_ms));
        true
    }

    /// One connection less.
    pub(super) fn disconnected(&mut self, peer: &PeerId, connection: ConnectionId) {
        if let Some(known) = self.known.get_mut(peer) {
            let before = known.connections.len();
            known.connections.retain(|known| known.id != connection);
            self.connections -= before - known.connections.len();
        }
    }

    /// The last connection is gone. Says who it was, if it was let in.
    pub(super) fn gone(&mut self, peer: &PeerId) -> Option<Peer> {
        let gone = self.known.remove(peer)?;
        self.connections -= gone.connections.len();
        Some(gone)
    }

    /// Whether a peer's subscriptions make it a member. A hub's is carriage, and who is not yet identified may be one.
    pub(super) fn counts(&self, peer: &PeerId) -> bool {
        self.known.get(peer).is_some_and(|known| known.identified && !known.info.hub)
    }

    pub(super) fn is_hub(&self, peer: &PeerId) -> bool {
        self.known.get(peer).is_some_and(|known| known.info.hub)
    }

    /// Whether a peer lists `/tincan/sync/1.0.0`, as every Tincan does; nothing while it is not identified.
    pub(super) fn syncs(&self, peer: &PeerId) -> Option<bool> {
        self.known.get(peer).filter(|known| known.identified).map(|known| known.syncs)
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        let connections: usize = self.known.values().map(|known| known.connections.len()).sum();
        vec![crate::bounded::bounded("the count of connections", self.connections.abs_diff(connections), 0)]
    }

    #[cfg(feature = "sim")]
    pub(super) fn remembered(&self) -> Vec<crate::bounded::Remembered> {
        vec![("peers", self.known.keys().copied().collect())]
    }

    /// Whether this node dialled a peer that is connected.
    pub(super) fn is_dialled(&self, peer: &PeerId) -> bool {
        self.known.get(peer).is_some_and(|known| known.connections.iter().any(|connection| connection.is_dialled))
    }
}

impl Peer {
    fn new(peer: PeerId, connection: Connected, since_ms: u64) -> Self {
        let (path, transport) = how(&connection.address);
        let info = PeerInfo {
            peer,
            address: connection.address.clone(),
            hub: false,
            path,
            transport,
            agent: None,
            rtt_us: None,
            since_ms,
        };
        Self { info, identified: false, welcome: false, syncs: false, chosen: false, connections: vec![connection] }
    }

    pub(super) fn connections(&self) -> &[Connected] {
        &self.connections
    }

    /// Whether a connection was arranged over another one.
    pub(super) fn is_arranged(&self, connection: ConnectionId) -> bool {
        self.connections.iter().any(|known| known.id == connection && how(&known.address).1 == "webrtc")
    }

    /// Describes it by its best connection: a direct one goes before a relayed one.
    pub(super) fn describe(&mut self) {
        let best = self.connections.iter().min_by_key(|connection| how(&connection.address).0 == Path::Relayed);
        if let Some(best) = best {
            (self.info.path, self.info.transport) = how(&best.address);
            self.info.address = best.address.clone();
        }
    }
}
