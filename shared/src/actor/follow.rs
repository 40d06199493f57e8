//! Which hubs this node asks who is where, and which of them it chose: those are believed more.

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{Actor, HubStream};
use crate::HostBehaviour;

impl<B: HostBehaviour> Actor<B> {
    /// A connected peer turned out to be a hub: ask it who is where.
    pub(super) fn follow(&mut self, hub: PeerId) {
        if self.hubs.contains_key(&hub) {
            return;
        }
        if self.hubs.len() >= self.config.limits.known_hubs && self.is_chosen(&hub) {
            // Whoever calls itself a hub may come first; whom we chose goes before it.
            if let Some(stranger) = self.hubs.keys().find(|known| !self.is_chosen(known)).copied() {
                self.unfollow(&stranger);
            }
        }
        if self.hubs.len() < self.config.limits.known_hubs {
            let serial = self.streams.open_hub(hub);
            self.hubs.insert(hub, HubStream::Opening { serial });
        }
    }

    /// Whether the operator or the person of this node named this peer: to stay connected to, or to be dialled.
    pub(super) fn is_chosen(&self, peer: &PeerId) -> bool {
        self.links.has(peer) || self.peers.get(peer).is_some_and(|known| known.chosen)
    }

    /// Hubs that came by themselves and have been chosen since say everything anew, to be believed.
    pub(super) fn follow_chosen(&mut self) {
        let doubted = |hub: &&PeerId| self.members.is_doubted(hub) && self.is_chosen(hub);
        for hub in self.hubs.keys().filter(doubted).copied().collect::<Vec<_>>() {
            self.unfollow(&hub);
            self.follow(hub);
            self.members_changed();
        }
    }

    pub(super) fn unfollow(&mut self, hub: &PeerId) {
        self.hubs.remove(hub);
        self.members.forget(hub);
    }

    pub(super) fn reopen_hub_streams(&mut self, now: Instant) {
        let due = |hub: &HubStream| matches!(hub, HubStream::Waiting { until } if *until <= now);
        let due: Vec<PeerId> = self.hubs.iter().filter(|(_, hub)| due(hub)).map(|(peer, _)| *peer).collect();
        for hub in due {
            self.hubs.remove(&hub);
            if self.peers.contains_key(&hub) {
                self.follow(hub);
            }
        }
    }
}
