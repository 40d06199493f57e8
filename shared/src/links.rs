//! Whom to stay connected to: dial, wait after a failure, dial again. Decides only; the actor dials.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol, swarm::ConnectionId};
use n0_future::time::Instant;

/// The wait after a first failure.
const FIRST_WAIT: Duration = Duration::from_millis(400);
/// The longest wait, so that a hub that is back is found within seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// A connection that ends sooner is one more failure: a hub without a place for us closes at once.
const LASTS: Duration = LONGEST_WAIT;
/// Addresses of one hub.
const MAX_ADDRESSES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting(Instant),
    Dialling(ConnectionId),
    Up { peer: PeerId, since: Instant },
}

#[derive(Debug)]
struct Link {
    /// Named by the addresses; never changes.
    expected: Option<PeerId>,
    addresses: Vec<Multiaddr>,
    /// Nobody named it; it was found on the local network, and is forgotten once that is no longer so.
    found: bool,
    failures: u32,
    /// Told to stay away: not dialled before.
    rest_until: Option<Instant>,
    /// A person wants it now.
    wanted: bool,
    state: State,
}

/// A dial that is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) link: usize,
    pub(crate) peer: Option<PeerId>,
    pub(crate) addresses: Vec<Multiaddr>,
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

    /// Adds addresses of one hub; those of a hub that is known already join its others, newest first.
    pub(crate) fn add(&mut self, addresses: Vec<Multiaddr>, now: Instant) {
        let Some(first) = addresses.first() else { return };
        let expected = peer_of(first);
        let known = self.links.iter_mut().find(|link| {
            let named = expected.is_some() && link.expected == expected;
            named || link.addresses.contains(first)
        });
        if let Some(link) = known {
            link.found = false;
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

    /// A peer was found on the local network, and is being dialled. It is dialled again when it is lost, until
    /// [`Self::expired`]; not where there are as many links as there may be.
    pub(crate) fn found(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        if let Some(link) = self.links.iter_mut().find(|link| link.expected == Some(peer)) {
            if link.found {
                link.put_first(vec![address]);
            }
        } else if self.links.len() < self.max {
            let link = Link::new(Some(peer), vec![address], State::Waiting(now + FIRST_WAIT));
            self.links.push(Link { found: true, ..link });
        }
    }

    /// A peer is no longer found at this address.
    pub(crate) fn expired(&mut self, peer: &PeerId, address: &Multiaddr) {
        self.links.retain_mut(|link| {
            if !link.found || link.expected != Some(*peer) {
                return true;
            }
            link.addresses.retain(|known| known != address);
            !link.addresses.is_empty()
        });
    }

    /// A peer that was found on the local network is not wanted here.
    pub(crate) fn unwanted(&mut self, peer: &PeerId) {
        self.links.retain(|link| !link.found || link.expected != Some(*peer));
    }

    /// Dials that are due.
    pub(crate) fn due(&self, now: Instant) -> Vec<Due> {
        let due = |link: &Link| matches!(link.state, State::Waiting(at) if at <= now);
        let links = self.links.iter().enumerate().filter(|(_, link)| due(link));
        links
            .map(|(at, link)| {
                let mut addresses = link.addresses.clone();
                // Without a peer id they are dialled one at a time: each gets its turn.
                let turn = link.failures as usize % addresses.len().max(1);
                addresses.rotate_left(if link.expected.is_none() { turn } else { 0 });
                Due { link: at, peer: link.expected, addresses, at_once: link.wanted }
            })
            .collect()
    }

    /// A due dial is under way.
    pub(crate) fn dialling(&mut self, link: usize, connection: ConnectionId) {
        let link = &mut self.links[link];
        (link.state, link.wanted) = (State::Dialling(connection), false);
    }

    /// Somebody else dials this peer already: looks again soon.
    pub(crate) fn busy(&mut self, link: usize, now: Instant) {
        self.links[link].state = State::Waiting(now + FIRST_WAIT);
    }

    /// A due dial was not even begun. `spread` is a random number in 0..1.
    pub(crate) fn refused(&mut self, link: usize, now: Instant, spread: f64) {
        self.links[link].fail(now, spread);
    }

    /// A connection came about, dialled by us or not.
    pub(crate) fn up(&mut self, peer: PeerId, connection: ConnectionId, now: Instant) {
        for link in self.links.iter_mut().filter(|link| !link.is_up(peer)) {
            if link.state == State::Dialling(connection) || link.expected == Some(peer) {
                link.state = State::Up { peer, since: now };
            }
        }
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
    /// one; the old name is forgotten once another hub is there.
    pub(crate) fn mistaken(&mut self, connection: ConnectionId, now: Instant, spread: f64) {
        if self.links.iter().any(|link| matches!(link.state, State::Up { .. })) {
            self.links.retain(|link| link.state != State::Dialling(connection));
        }
        self.failed(connection, now, spread);
    }

    /// A dial failed.
    pub(crate) fn failed(&mut self, connection: ConnectionId, now: Instant, spread: f64) {
        for link in self.links.iter_mut().filter(|link| link.state == State::Dialling(connection)) {
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
    pub(crate) fn rest(&mut self, peer: PeerId, until: Instant) {
        for link in self.links.iter_mut().filter(|link| link.is_up(peer) || link.expected == Some(peer)) {
            link.rest_until = Some(until);
        }
    }

    /// Dials at once whom it waits for, but for hubs that told us to stay away.
    pub(crate) fn hurry(&mut self, now: Instant) {
        for link in &mut self.links {
            if let State::Waiting(at) = &mut link.state {
                *at = link.rest_until.map_or(now, |rest| rest.max(now));
            }
        }
    }

    /// A person wants all that are lost to be dialled: forgets who told us to stay away.
    pub(crate) fn want(&mut self) {
        for link in &mut self.links {
            (link.rest_until, link.wanted) = (None, matches!(link.state, State::Waiting(_)));
        }
    }

    /// Whether a dial is under way.
    pub(crate) fn is_dialling(&self) -> bool {
        self.links.iter().any(|link| matches!(link.state, State::Dialling(_)))
    }

    /// When the next dial is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waits = self.links.iter().filter_map(|link| match link.state {
            State::Waiting(at) => Some(at),
            _ => None,
        });
        waits.min()
    }
}

impl Link {
    fn new(expected: Option<PeerId>, addresses: Vec<Multiaddr>, state: State) -> Self {
        Self { expected, addresses, found: false, failures: 0, rest_until: None, wanted: false, state }
    }

    /// Adds addresses, newest first.
    fn put_first(&mut self, addresses: Vec<Multiaddr>) {
        self.addresses.retain(|address| !addresses.contains(address));
        self.addresses.splice(0..0, addresses);
        self.addresses.truncate(MAX_ADDRESSES);
    }

    fn is_up(&self, peer: PeerId) -> bool {
        matches!(self.state, State::Up { peer: up, .. } if up == peer)
    }

    fn fail(&mut self, now: Instant, spread: f64) {
        let longest = FIRST_WAIT.saturating_mul(1 << self.failures.min(8)).min(LONGEST_WAIT);
        self.failures += 1;
        let at = now + longest.mul_f64(0.5 + 0.5 * spread.clamp(0.0, 1.0));
        self.state = State::Waiting(self.rest_until.map_or(at, |rest| rest.max(at)));
    }
}

/// The peer an address ends at: the last `/p2p/` of it.
pub(crate) fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    fn connection() -> ConnectionId {
        ConnectionId::new_unchecked(7)
    }

    #[test]
    fn waits_grow_to_a_bound_and_start_anew_after_success() {
        let (mut links, mut now) = (Links::new(9), start());
        links.add(vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap()], now);
        let mut waits = Vec::new();
        for _ in 0..8 {
            let due = links.due(now);
            assert_eq!(due.len(), 1);
            links.dialling(due[0].link, connection());
            assert!(links.due(now).is_empty() && links.is_dialling());
            links.failed(connection(), now, 1.0);
            let next = links.deadline().unwrap();
            waits.push(next - now);
            now = next;
        }
        assert_eq!(waits[0], FIRST_WAIT);
        assert_eq!(waits[7], LONGEST_WAIT);
        let peer = PeerId::random();
        links.dialling(0, connection());
        links.up(peer, connection(), now);
        assert_eq!(links.deadline(), None);
        links.down(peer, now, 1.0);
        assert_eq!(links.deadline(), Some(now + LONGEST_WAIT), "it closed at once, as if it had not answered");
        links.dialling(0, connection());
        links.up(peer, connection(), now);
        now += LASTS;
        links.down(peer, now, 0.0);
        assert_eq!(links.deadline(), Some(now + FIRST_WAIT / 2));
    }

    #[test]
    fn a_hub_that_says_to_stay_away_is_left_alone_whoever_else_reaches_it() {
        let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
        let until = now + LONGEST_WAIT * 6;
        links.add(vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()], now);
        links.dialling(0, connection());
        links.up(hub, connection(), now);
        links.rest(hub, until);
        for _ in 0..2 {
            links.down(hub, now, 0.0);
            assert_eq!(links.deadline(), Some(until));
            links.hurry(now);
            assert_eq!(links.deadline(), Some(until));
            // It connects to us, say.
            links.up(hub, ConnectionId::new_unchecked(8), now);
        }
        links.welcomed(hub);
        links.down(hub, now, 0.0);
        assert_eq!(links.deadline(), Some(now + FIRST_WAIT / 2));
        links.up(hub, connection(), now);
        links.rest(hub, until);
        links.down(hub, now, 0.0);
        links.want();
        links.hurry(now);
        assert_eq!(links.deadline(), Some(now), "a person wants it");
        assert!(links.due(now)[0].at_once);
        links.dialling(0, connection());
        links.failed(connection(), now, 0.0);
        assert!(!links.due(links.deadline().unwrap())[0].at_once, "once");
    }

    #[test]
    fn a_dial_of_somebody_else_is_no_failure() {
        let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
        links.add(vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()], now);
        for _ in 0..9 {
            links.busy(0, now);
            assert_eq!(links.deadline(), Some(now + FIRST_WAIT));
        }
        links.refused(0, now, 1.0);
        assert_eq!(links.deadline(), Some(now + FIRST_WAIT), "the first failure");
    }

    #[test]
    fn a_name_that_nobody_answers_to_is_forgotten_when_another_hub_is_there() {
        let (mut links, now, old, new) = (Links::new(9), start(), PeerId::random(), PeerId::random());
        let address = |hub| -> Vec<Multiaddr> { vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()] };
        links.add(address(old), now);
        links.dialling(0, connection());
        links.mistaken(connection(), now, 0.0);
        assert!(links.deadline().is_some(), "nobody else is there: keep trying");
        links.add(address(new), now);
        links.up(new, ConnectionId::new_unchecked(8), now);
        links.dialling(0, connection());
        links.mistaken(connection(), now, 0.0);
        assert_eq!(links.deadline(), None);
    }

    #[test]
    fn addresses_of_one_hub_are_one_link() {
        let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
        let address = |port: u16| -> Multiaddr { format!("/ip4/127.0.0.1/tcp/{port}/p2p/{hub}").parse().unwrap() };
        links.add(vec![address(1)], now);
        links.add(vec![address(2), address(1)], now);
        assert_eq!(
            links.due(now),
            [Due { link: 0, peer: Some(hub), addresses: vec![address(2), address(1)], at_once: false }]
        );
    }

    #[test]
    fn who_was_found_is_dialled_again_until_that_expires_and_makes_place_for_who_was_named() {
        let (mut links, mut now) = (Links::new(2), start());
        let [found, other, third] = [PeerId::random(), PeerId::random(), PeerId::random()];
        let address = |n: u8| -> Multiaddr { format!("/ip4/10.0.0.{n}/tcp/4747").parse().unwrap() };
        links.found(found, address(1), now);
        links.found(found, address(2), now);
        assert!(links.due(now).is_empty(), "it is being dialled");
        links.up(found, connection(), now);
        now += LASTS;
        links.down(found, now, 0.0);
        now += FIRST_WAIT;
        let due = links.due(now);
        assert_eq!((due[0].peer, due[0].addresses.clone()), (Some(found), vec![address(2), address(1)]));
        links.found(other, address(3), now);
        links.found(third, address(4), now);
        assert_eq!(links.links.len(), 2, "no more than there may be");
        assert!(!links.has(&found), "nobody named it");
        links.add(vec![address(5).with_p2p(third).unwrap()], now);
        assert!(links.has(&third));
        assert_eq!(links.links.len(), 2);
        assert!(links.links.iter().any(|link| link.expected == Some(third) && !link.found));
        for n in [1, 2, 3, 5] {
            [found, other, third].iter().for_each(|peer| links.expired(peer, &address(n)));
        }
        assert_eq!(links.links.len(), 1, "only who was named is left");
    }
}
