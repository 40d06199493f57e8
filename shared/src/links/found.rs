//! Peers found on the local network: dialled again when they are lost, for as long as they are found or a while longer.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use n0_future::time::Instant;

use super::{
    Links,
    link::{FIRST_WAIT, Link, State},
};

/// A peer of the local network that was in a room of ours when it was lost is dialled for so long, also when it is no
/// longer found there: discovery would tell of it only minutes after the network is back.
pub(super) const KEPT_FOUND: Duration = Duration::from_secs(15 * 60);

impl Links {
    /// A peer was found on the local network, and is being dialled. It is dialled again when it is lost, until
    /// [`Self::expired`] or longer, see [`Self::keep`]; not where there are as many links as there may be.
    pub(crate) fn found(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        if let Some(link) = self.links.iter_mut().find(|link| link.expected == Some(peer)) {
            match link.found {
                true if link.forget_at.take().is_some() => link.addresses = vec![address],
                true => link.put_first(vec![address]),
                false => link.learn([address]),
            }
        } else if self.links.len() < self.max {
            let link = Link::new(Some(peer), vec![address], State::Waiting(now + FIRST_WAIT));
            self.links.push(Link { found: true, ..link });
        }
    }

    /// A peer is no longer found at this address.
    pub(crate) fn expired(&mut self, peer: &PeerId, address: &Multiaddr, now: Instant) {
        self.links.retain_mut(|link| {
            if link.expected != Some(*peer) {
                return true;
            }
            link.learnt.retain(|known| known != address);
            if !link.found {
                return true;
            }
            if link.addresses.len() > 1 {
                link.addresses.retain(|known| known != address);
            } else if link.addresses.contains(address) {
                // The last one stays for as long as the peer is dialled.
                link.forget_at = Some(link.kept_until.map_or(now, |until| until.max(now)));
            }
            true
        });
        self.forget_expired(now);
    }

    /// A peer that is about to be lost is in a room of ours. If it was found on the local network, it is dialled for a
    /// while even when it is no longer found there.
    pub(crate) fn keep(&mut self, peer: &PeerId, now: Instant) {
        for link in self.links.iter_mut().filter(|link| link.found && link.is_up(*peer)) {
            link.kept_until = Some(now + KEPT_FOUND);
            link.forget_at = link.forget_at.and(link.kept_until);
        }
    }

    /// Forgets who is no longer found, unless it is connected.
    pub(crate) fn forget_expired(&mut self, now: Instant) {
        self.links.retain(|link| {
            let is_up = matches!(link.state, State::Up { .. });
            is_up || link.forget_at.is_none_or(|at| at > now)
        });
    }

    /// A peer that was found on the local network is not wanted here.
    pub(crate) fn unwanted(&mut self, peer: &PeerId) {
        self.links.retain(|link| !link.found || link.expected != Some(*peer));
    }
}
