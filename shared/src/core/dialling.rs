//! Dials: begun for a caller, for a hub to stay connected to, for a peer that was discovered; and how they failed.

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId};

use super::{
    Core, Dial, DialFailure, DialId, Output, Unless,
    dials::{Asked, MAX_FINDS_DIALLED, MAX_WAITING_FINDS},
};
use crate::{
    Error, Event,
    access::Action,
    command::Reply,
    links::{Due, SILENCE, peer_of},
};

impl Core {
    pub(super) fn dial(&mut self, address: Multiaddr, reply: Reply<Result<PeerId, Error>>) {
        let peer = peer_of(&address);
        if let Some(peer) = peer {
            if let Err(denied) = self.access.check(&peer, Action::Connect, self.now.instant) {
                drop(reply.send(Err(Error::Denied { peer: peer.to_string(), reason: denied.to_string() })));
                return;
            }
            if let Some(known) = self.peers.get_mut(&peer) {
                known.chosen = true;
                self.follow_chosen();
                drop(reply.send(Ok(peer)));
                return;
            }
            // Whoever asks for it may know better.
            self.out.push(Output::ForgetStayAway(Some(peer)));
        }
        let id = self.dials.next();
        self.dials.ask(id, Asked { address: address.to_string(), since: self.now.instant, reply });
        let dial = Dial { id, peer, addresses: vec![address], unless: Unless::Never, staggered: false };
        self.out.push(Output::Dial(dial));
    }

    /// Peers found on the local network, each dialled once at all its addresses.
    pub(super) fn discovered(&mut self, found: Vec<(PeerId, Multiaddr)>) {
        let now = self.now.instant;
        let mut peers: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
        for (peer, address) in found {
            tracing::info!(%peer, %address, "discovered");
            self.emit(Event::Discovered { peer, address: address.clone() });
            peers.entry(peer).or_default().push(address.clone());
            self.links.found(peer, address, now);
        }
        self.dials.found.extend(peers);
        // Whoever tells of them may invent them.
        self.dials.found.truncate(MAX_WAITING_FINDS);
        self.dial_found();
    }

    /// Dials peers that were found, some at a time.
    fn dial_found(&mut self) {
        while self.dials.finding.len() < MAX_FINDS_DIALLED
            && let Some((peer, addresses)) = self.dials.found.pop_front()
        {
            let id = self.dials.next();
            self.dials.finding.insert(id);
            let (unless, staggered) = (Unless::ConnectedOrDialling, self.config.all_addresses);
            self.out.push(Output::Dial(Dial { id, peer: Some(peer), addresses, unless, staggered }));
        }
    }

    /// A dial has ended, in whatever way.
    pub(super) fn dial_ended(&mut self, dial: DialId) {
        self.dials.ended(dial);
        self.dial_found();
    }

    /// Peers that are no longer found there.
    pub(super) fn expired(&mut self, gone: Vec<(PeerId, Multiaddr)>) {
        for (peer, address) in gone {
            tracing::info!(%peer, %address, "expired");
            self.links.expired(&peer, &address, self.now.instant);
            self.emit(Event::Expired { peer, address });
        }
    }

    pub(super) fn dial_links(&mut self) {
        let now = self.now.instant;
        self.give_up_silent_dials();
        self.links.forget_expired(now);
        for peer in self.links.too_wide(now) {
            if !self.peers.is_connected(&peer) {
                // Also ends dials to it that are under way. It says that it was not connected.
                self.out.push(Output::Disconnect(peer));
            }
        }
        for Due { link, peer, mut addresses, wide, at_once } in self.links.due(now, self.config.all_addresses) {
            if let Some(peer) = peer.filter(|peer| self.peers.is_connected(peer)) {
                self.links.is_there(link, peer, now);
                continue;
            }
            if peer.is_none() {
                // Without a peer id they are dialled one at a time.
                addresses.truncate(1);
            }
            let id = self.dials.next();
            let unless = if at_once { Unless::Connected } else { Unless::ConnectedOrDialling };
            let staggered = self.config.all_addresses && peer.is_some();
            self.links.dialling(link, id, wide, now);
            self.out.push(Output::Dial(Dial { id, peer, addresses, unless, staggered }));
        }
    }

    pub(super) fn dial_failed(&mut self, dial: DialId, failure: DialFailure, reason: String) {
        self.dial_ended(dial);
        let spread = self.spread();
        if self.direct.tries.failed(dial, self.now.instant, spread) {
            tracing::debug!(reason, "no direct connection");
            self.direct.changed(self.now.instant);
            return;
        }
        match failure {
            DialFailure::NotNeeded if self.links.busy(dial, self.now.instant) => return,
            DialFailure::WrongPeer => self.links.wrong_peer(dial),
            _ => {}
        }
        // We ended it ourselves, and the next try tells why; or who told us to stay away said so itself.
        let is_news = !matches!(failure, DialFailure::Aborted | DialFailure::Denied);
        self.failed(dial, reason, is_news);
    }

    /// Whatever a dial may meet ends it, but for a fault in a transport: its task is gone then, and the swarm waits for
    /// ever.
    fn give_up_silent_dials(&mut self) {
        let now = self.now.instant;
        let silent = self.links.silent(now).into_iter().chain(self.dials.silent(now)).collect::<Vec<_>>();
        for dial in silent {
            tracing::warn!("a dial has told nothing for {} s; it counts as failed", SILENCE.as_secs());
            self.failed(dial, "the dial ended without a result; try again, and report it".to_owned(), true);
        }
    }

    fn failed(&mut self, dial: DialId, reason: String, is_news: bool) {
        let spread = self.spread();
        let news = if is_news { self.links.reason(dial, &reason) } else { None };
        self.links.failed(dial, self.now.instant, spread);
        if let Some(address) = news {
            self.emit(Event::Unreachable { address, reason: reason.clone() });
        }
        if let Some(Asked { address, reply, .. }) = self.dials.take_asked(dial) {
            let _ = reply.send(Err(Error::Dial { address, reason }));
        }
    }
}
