//! Which hubs this node asks who is where, and which of them it chose: those are believed more.

use libp2p::PeerId;

use super::{Core, Output};
use crate::source::counted_source;

/// Hubs of one address, of IPv6 of one /64, that came by themselves and are asked who is where.
const MAX_STRANGERS_PER_SOURCE: usize = 2;

impl Core {
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
        if self.hubs.len() < self.config.limits.known_hubs && (self.is_chosen(&hub) || self.has_place_by_source(&hub)) {
            self.open_hub(hub);
        }
    }

    /// Whether few enough hubs of one address came by themselves.
    fn has_place_by_source(&self, hub: &PeerId) -> bool {
        let source = |hub: &PeerId| counted_source(&self.peers.get(hub)?.info.address, &self.config.trusted_proxies);
        let Some(theirs) = source(hub) else { return true };
        let is_same = |other: &&PeerId| !self.is_chosen(other) && source(other) == Some(theirs);
        self.hubs.keys().filter(is_same).count() < MAX_STRANGERS_PER_SOURCE
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
        }
        self.check_clock_anew();
    }

    pub(super) fn unfollow(&mut self, hub: &PeerId) {
        if let Some(serial) = self.hubs.remove(hub).and_then(|stream| stream.serial()) {
            self.out.push(Output::CloseHub { hub: *hub, serial });
        }
        self.forget_hub(hub);
    }
}
