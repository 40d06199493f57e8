//! Hub streams: each end has its own, and learns by itself that it has ended.

use libp2p::PeerId;

use super::{World, network::What};
use crate::{core::Input, hub::wire::FromHub};

/// A hub numbers the streams of all its peers itself.
pub(super) fn at_hub(serial: u64, over: u64) -> u64 {
    (over << 32) + serial
}

/// The number that the watcher knows.
fn at_watcher(serial: u64) -> u64 {
    serial & u64::from(u32::MAX)
}

impl World {
    pub(super) fn open_hub(&mut self, node: usize, hub: PeerId, serial: u64) {
        let to = self.node_of(node, &hub);
        let over = to.and_then(|to| self.network.between(node, to));
        let (Some(to), Some(over)) = (to, over) else { return self.tell(node, Input::HubClosed { hub, serial }) };
        self.nodes[node].hub_streams.insert(to, (serial, over));
        let latency = self.network.latency(node, to);
        let peer = self.nodes[node].peer;
        self.send(node, to, over, latency, What::Input(Input::WatcherOpened { peer, serial: at_hub(serial, over) }));
        self.send(to, node, over, 2 * latency, What::Input(Input::HubOpened { hub, serial }));
    }

    /// A watcher's stream has reached its hub.
    pub(super) fn note_watcher(&mut self, watcher: usize, hub: usize, over: Option<u64>, input: &Input) {
        match (input, over) {
            (Input::WatcherOpened { serial, .. }, Some(over)) => {
                self.nodes[hub].watchers.insert(watcher, (*serial, over));
            }
            (Input::WatcherClosed { serial, .. }, _) => {
                let watchers = &mut self.nodes[hub].watchers;
                watchers.retain(|peer, (its, _)| *peer != watcher || its != serial);
            }
            (Input::HubClosed { serial, .. }, _) => {
                // Here the hub tells its watcher.
                let streams = &mut self.nodes[hub].hub_streams;
                streams.retain(|peer, (its, _)| *peer != watcher || its != serial);
            }
            _ => {}
        }
    }

    pub(super) fn tell_watcher(&mut self, hub: usize, peer: &PeerId, told: u64, message: FromHub) {
        let Some(watcher) = self.watcher(hub, peer, told) else { return };
        let Some((_, over)) = self.nodes[hub].watchers.get(&watcher).copied() else { return };
        let serial = at_watcher(told);
        let latency = self.network.latency(hub, watcher);
        let from = self.nodes[hub].peer;
        self.send(hub, watcher, over, latency, What::Input(Input::FromHub { hub: from, serial, message }));
        // Who does nothing, or is not reached, reads nothing.
        let held = self.network.held_until(hub, watcher, self.now_ms).unwrap_or_default();
        let waits = self.nodes[watcher].frozen_until.max(held).saturating_sub(self.now_ms);
        let took = Input::WatcherTook { peer: *peer, serial: told, messages: 1 };
        self.send(watcher, hub, over, waits + 2 * latency, What::Input(took));
    }

    /// Whose hub stream has this number at the hub.
    pub(super) fn watcher(&self, hub: usize, peer: &PeerId, serial: u64) -> Option<usize> {
        let mut watchers = self.nodes[hub].watchers.iter();
        let is_it = |(node, (its, _)): &(&usize, &(u64, u64))| self.nodes[**node].peer == *peer && *its == serial;
        watchers.find(is_it).map(|(node, _)| *node)
    }

    /// A node closes its stream to a hub.
    pub(super) fn close_hub(&mut self, node: usize, hub: usize, serial: u64) {
        let stream = self.nodes[node].hub_streams.get(&hub).copied();
        let Some((_, over)) = stream.filter(|(its, _)| *its == serial) else { return };
        self.nodes[node].hub_streams.remove(&hub);
        let (peer, latency) = (self.nodes[node].peer, self.network.latency(node, hub));
        let closed = Input::WatcherClosed { peer, serial: at_hub(serial, over) };
        self.send(node, hub, over, latency, What::Input(closed));
    }

    /// A hub closes a watcher's stream.
    pub(super) fn drop_watcher(&mut self, hub: usize, watcher: usize) {
        let Some((serial, over)) = self.nodes[hub].watchers.remove(&watcher) else { return };
        let (peer, latency) = (self.nodes[hub].peer, self.network.latency(hub, watcher));
        let closed = Input::HubClosed { hub: peer, serial: at_watcher(serial) };
        self.send(hub, watcher, over, latency, What::Input(closed));
    }

    /// The streams of a node over this connection end with it.
    pub(super) fn end_streams(&mut self, node: usize, connection: u64) {
        let theirs = self.nodes[node].hub_streams.extract_if(.., |_, (_, over)| *over == connection);
        for (hub, (serial, _)) in theirs.collect::<Vec<_>>() {
            self.tell(node, Input::HubClosed { hub: self.nodes[hub].peer, serial });
        }
        let theirs = self.nodes[node].watchers.extract_if(.., |_, (_, over)| *over == connection);
        for (watcher, (serial, _)) in theirs.collect::<Vec<_>>() {
            self.tell(node, Input::WatcherClosed { peer: self.nodes[watcher].peer, serial });
        }
    }
}
