//! Whom to stay connected to: dial, wait after a failure, dial again. Decides only; `core/dialling.rs` has it dialled.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use n0_future::time::Instant;

pub(crate) use link::peer_of;
use link::{FIRST_WAIT, LONGEST_WAIT, Link, State, alternate_families};

use crate::core::DialId;

mod found;
mod link;

/// A connection that ends sooner is one more failure: a hub without a place for us closes at once.
const LASTS: Duration = LONGEST_WAIT;
/// How long a dial may take that also tries addresses that nobody named.
const WIDE_TIMEOUT: Duration = Duration::from_secs(5);
/// A dial that has told nothing for so long will never tell: longer than any dial may take, see `actor/start.rs`.
pub(crate) const SILENCE: Duration = Duration::from_secs(25);

/// A dial that is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) link: usize,
    pub(crate) peer: Option<PeerId>,
    pub(crate) addresses: Vec<Multiaddr>,
    /// Also at addresses that nobody named.
    pub(crate) wide: bool,
    /// Also beside a dial to this peer that somebody else began: that one may be at an address that is dead.
    pub(crate) at_once: bool,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Links {
    max: usize,
    links: Vec<Link>,
}

impl Links {
    /// None yet, and never more than `max`.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, links: Vec::new() }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        vec![crate::bounded::bounded("known_hubs", self.links.len(), self.max)]
    }

    /// Adds addresses of one hub; those of a hub that is known already join its others, newest first.
    pub(crate) fn add(&mut self, addresses: Vec<Multiaddr>, now: Instant) {
        let Some(first) = addresses.first() else { return };
        let expected = peer_of(first);
        let known = self.links.iter_mut().find(|link| {
            let named = expected.is_some() && link.expected == expected;
            named || link.addresses.contains(first)
        });
        if let Some(link) = known {
            (link.found, link.forget_at) = (false, None);
            link.put_first(addresses);
            return;
        }
        if self.links.len() >= self.max {
            // Who was only found makes place.
            let Some(found) = self.links.iter().position(|link| link.found) else {
                tracing::warn!("not staying connected to {first}: {} hubs already, the limit", self.max);
                return;
            };
            self.links.swap_remove(found);
        }
        self.links.push(Link::new(expected, addresses, State::Waiting(now)));
    }

    /// A connected peer tells where else it is.
    pub(crate) fn learnt(&mut self, peer: &PeerId, addresses: &[Multiaddr]) {
        for link in self.links.iter_mut().filter(|link| link.is_up(*peer)) {
            link.learnt.clear();
            link.learn(addresses.iter().cloned());
        }
    }

    /// Dials that are due. `in_turn`: each try of a hub begins with another of its addresses.
    pub(crate) fn due(&self, now: Instant, in_turn: bool) -> Vec<Due> {
        let due = |link: &Link| link.dials_at().is_some_and(|at| at <= now);
        let links = self.links.iter().enumerate().filter(|(_, link)| due(link));
        links
            .map(|(at, link)| {
                // Who was reached once has told other addresses, and may be there alone. They are tried at every second
                // try: they may swallow what is sent to them, and the named ones soon refuse it while a hub restarts.
                let wide = link.last.filter(|_| in_turn && !link.turn.is_multiple_of(2));
                let peer = link.expected.or(wide);
                let mut addresses = link.addresses.clone();
                // Without a peer id they are dialled one at a time.
                if in_turn || link.expected.is_none() {
                    let turn = link.turn % addresses.len().max(1);
                    addresses.rotate_left(turn);
                    addresses = alternate_families(addresses);
                    if let Some(peer) = wide {
                        addresses = link.with_learnt(peer, addresses);
                    }
                }
                Due { link: at, peer, addresses, wide: wide.is_some(), at_once: link.wanted }
            })
            .collect()
    }

    /// A due dial is under way.
    pub(crate) fn dialling(&mut self, link: usize, dial: DialId, wide: bool, now: Instant) {
        let link = &mut self.links[link];
        let wide = link.last.filter(|_| wide);
        (link.state, link.wanted) = (State::Dialling { dial, since: now, wide }, false);
    }

    /// Peers whose wide dials have taken so long that the named addresses are to be tried again.
    pub(crate) fn too_wide(&mut self, now: Instant) -> Vec<PeerId> {
        let dials = self.links.iter_mut().filter_map(|link| match &mut link.state {
            State::Dialling { since, wide, .. } if *since + WIDE_TIMEOUT <= now => wide.take(),
            _ => None,
        });
        dials.collect()
    }

    /// Dials that have told nothing for too long; each counts as failed once it is given to [`Self::failed`].
    pub(crate) fn silent(&mut self, now: Instant) -> Vec<DialId> {
        let mut silent = Vec::new();
        for link in &mut self.links {
            if let State::Dialling { dial, since, .. } = link.state
                && since + SILENCE <= now
            {
                // The swarm believes that it is still dialling.
                link.wanted = true;
                silent.push(dial);
            }
        }
        silent
    }

    /// Why a dial of a hub that somebody named failed. Its first address where this was not told before.
    pub(crate) fn reason(&mut self, dial: DialId, reason: &str) -> Option<Multiaddr> {
        self.links.iter_mut().find(|link| link.is_dialling(dial))?.tell(reason)
    }

    /// Somebody else dials this peer already: looks again soon, and then dials beside that dial. It may be at an address
    /// that leads nowhere, and be followed by others like it. Says whether this dial is a link's.
    pub(crate) fn busy(&mut self, dial: DialId, now: Instant) -> bool {
        let Some(link) = self.links.iter_mut().find(|link| link.is_dialling(dial)) else { return false };
        (link.state, link.wanted) = (State::Waiting(now + FIRST_WAIT), true);
        true
    }

    /// A connection came about, by this dial of ours or otherwise.
    pub(crate) fn up(&mut self, peer: PeerId, dial: Option<DialId>, now: Instant) {
        for link in self.links.iter_mut().filter(|link| !link.is_up(peer)) {
            if dial.is_some_and(|dial| link.is_dialling(dial)) || link.expected == Some(peer) {
                link.reached(peer, now);
            }
        }
        self.unite(peer);
    }

    /// Addresses that did not name their peer turned out to be the same one's: each alone would dial beside the others.
    fn unite(&mut self, peer: PeerId) {
        let is_same = |link: &Link| link.is_up(peer) && link.expected.is_none_or(|expected| expected == peer);
        let Some(first) = self.links.iter().position(is_same) else { return };
        for at in (first + 1..self.links.len()).rev() {
            if is_same(&self.links[at]) {
                let other = self.links.remove(at);
                self.links[first].absorb(other);
            }
        }
    }

    /// Who is due to be dialled is connected already.
    pub(crate) fn is_there(&mut self, link: usize, peer: PeerId, now: Instant) {
        self.links[link].reached(peer, now);
    }

    /// Whether a peer was named as one to stay connected to. Who was only found on the local network was not.
    pub(crate) fn has(&self, peer: &PeerId) -> bool {
        self.links.iter().any(|link| !link.found && (link.expected == Some(*peer) || link.is_up(*peer)))
    }

    /// A hub lets us in.
    pub(crate) fn welcomed(&mut self, peer: PeerId) {
        for link in self.links.iter_mut().filter(|link| link.is_up(peer)) {
            (link.failures, link.rest_until) = (0, None);
        }
    }

    /// A dial was answered by somebody else. A hub that came back under another name is dialled under that
    /// one; the old name is forgotten once another hub is there. [`Self::failed`] follows.
    pub(crate) fn wrong_peer(&mut self, dial: DialId) {
        if self.links.iter().any(|link| matches!(link.state, State::Up { .. })) {
            self.links.retain(|link| link.expected.is_none() || !link.is_dialling(dial));
        }
    }

    /// A dial failed, or was not even begun. `spread` is a random number in 0..1.
    pub(crate) fn failed(&mut self, dial: DialId, now: Instant, spread: f64) {
        for link in self.links.iter_mut().filter(|link| link.is_dialling(dial)) {
            link.turn += 1;
            link.fail(now, spread);
        }
    }

    /// The last connection to a peer is gone: dial again, after a short random wait so that not all of a
    /// hub's peers come back in the same moment.
    pub(crate) fn down(&mut self, peer: PeerId, now: Instant, spread: f64) {
        for link in self.links.iter_mut().filter(|link| link.is_up(peer)) {
            if let State::Up { since, .. } = link.state
                && now.saturating_duration_since(since) >= LASTS
            {
                link.failures = 0;
            }
            link.fail(now, spread);
        }
    }

    /// A hub told us to stay away until then: it is not dialled before.
    pub(crate) fn pause_until(&mut self, peer: PeerId, until: Instant) {
        for link in self.links.iter_mut().filter(|link| link.is_up(peer) || link.expected == Some(peer)) {
            link.rest_until = Some(until);
        }
    }

    /// Another program with our key is at this hub: it is not dialled before a person wants it.
    pub(crate) fn sleep(&mut self, peer: PeerId) {
        for link in self.links.iter_mut().filter(|link| link.is_up(peer) || link.expected == Some(peer)) {
            link.asleep = true;
        }
    }

    /// Dials at once whom it waits for, but for hubs that told us to stay away.
    pub(crate) fn retry_now(&mut self, now: Instant) {
        for link in &mut self.links {
            if let State::Waiting(at) = &mut link.state {
                *at = link.rest_until.map_or(now, |rest| rest.max(now));
            }
        }
    }

    /// A person wants all that are lost to be dialled: forgets who told us to stay away.
    pub(crate) fn want(&mut self) {
        for link in &mut self.links {
            link.asleep = false;
            (link.rest_until, link.wanted) = (None, matches!(link.state, State::Waiting(_)));
        }
    }

    /// Whether a dial is under way.
    pub(crate) fn is_dialling(&self) -> bool {
        self.links.iter().any(|link| matches!(link.state, State::Dialling { .. }))
    }

    /// When the next dial is due.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.links.iter().filter_map(Link::dials_at).min()
    }

    /// When something is to be done: a dial is due, or one has been silent for too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let silences = self.links.iter().filter_map(|link| match link.state {
            State::Dialling { since, wide: Some(_), .. } => Some(since + WIDE_TIMEOUT),
            State::Dialling { since, wide: None, .. } => Some(since + SILENCE),
            _ => None,
        });
        let is_up = |link: &Link| matches!(link.state, State::Up { .. });
        let forgets = self.links.iter().filter(|link| !is_up(link)).filter_map(|link| link.forget_at);
        silences.chain(forgets).chain(self.retry_at()).min()
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
