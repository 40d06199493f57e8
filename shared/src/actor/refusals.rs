//! Who may not stay: told why on the hub stream, then cut off; and rules that change while the node runs.

use std::time::Duration;

use libp2p::PeerId;
use n0_future::time::Instant;

use super::Actor;
use crate::{
    Config, Error, Event, HostBehaviour, Limits, Rules,
    access::{Action, Denied},
    behaviour::connection_limits,
    hub::wire::{Hello, Reason},
};

/// How long a refused peer keeps its connection after it was told why, so that the reason reaches it.
const REASON_LINGER: Duration = Duration::from_millis(250);
/// How long it may take to open the stream on which it is told.
const REFUSED_STAY: Duration = Duration::from_secs(5);
/// Refused peers that wait to be told; further ones are closed at once.
const MAX_REFUSED_WAITING: usize = 64;
/// Of a hub's connections, one in so many, but no more than can wait to be told, is kept for those who are told why
/// they may not stay: beyond the last connection there is only silence.
const REASON_SHARE: usize = 8;
/// A listed peer that was told is turned away in silence for so long.
const SILENT_FOR: Duration = Duration::from_secs(60);
/// Peers that are turned away in silence at once; beyond it the oldest is told anew.
const MAX_SILENCED: usize = 4096;

/// A peer on its way out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    pub(super) until: Instant,
    peer: PeerId,
    denied: Denied,
    told: bool,
}

impl<B: HostBehaviour> Actor<B> {
    /// Whether a hub has no place for a newcomer, whose connection is counted already.
    pub(super) fn is_full(&self) -> bool {
        let connections = self.config.limits.connections as usize;
        let kept = connections.div_ceil(REASON_SHARE).min(MAX_REFUSED_WAITING).min(connections.saturating_sub(1));
        let established = self.swarm.network_info().connection_counters().num_established() as usize;
        let staying = established.saturating_sub(self.refusals.len());
        self.is_hub() && (self.peers.len() >= self.config.limits.peers || staying > connections - kept)
    }

    /// Ends a peer's stay: it is told on its hub stream, at once or when it opens one, then closed.
    pub(super) fn refuse(&mut self, peer: PeerId, denied: Denied) {
        if self.refusals.iter().any(|refusal| refusal.peer == peer) {
            return;
        }
        tracing::info!(%peer, %denied, "refused");
        self.dismiss_from_store(&peer);
        self.counters.peers_refused += 1;
        self.emit(Event::Refused { peer, reason: denied.to_string(), closes: true });
        let now = self.now().instant;
        if self.refusals.len() >= MAX_REFUSED_WAITING || !self.is_hub() {
            self.silence(peer, denied, now);
            return;
        }
        self.refusals.push(Refusal { until: now + REFUSED_STAY, peer, denied, told: false });
        self.tell_refused(peer);
    }

    /// A peer that found no place has gone by itself: when it comes back it is asked anew whether there is one.
    pub(super) fn forget_full(&mut self, peer: &PeerId) {
        self.refusals.retain(|refusal| refusal.peer != *peer || refusal.denied != Denied::Full);
    }

    fn tell_refused(&mut self, peer: PeerId) {
        if self.watchers.contains_key(&peer)
            && let Some(reason) = self.reason_for(peer)
        {
            self.tell(peer, reason);
        }
    }

    /// What a peer that may not stay is told on its hub stream, once; it is closed soon after.
    pub(super) fn reason_for(&mut self, peer: PeerId) -> Option<Reason> {
        let until = self.now().instant + REASON_LINGER;
        let refusal = self.refusals.iter_mut().find(|refusal| refusal.peer == peer && !refusal.told)?;
        (refusal.told, refusal.until) = (true, until);
        Some(Reason { code: refusal.denied.code().to_owned(), text: refusal.denied.to_string() })
    }

    pub(super) fn hello(&self) -> Hello {
        Hello { time_ms: self.now().unix_ms }
    }

    /// Counts what only a liar or a broken peer does; too much of it costs the connection.
    pub(super) fn offence(&mut self, peer: PeerId, what: &str) {
        let now = self.now().instant;
        if self.access.check(&peer, Action::Room, now).is_err() {
            return;
        }
        tracing::debug!(%peer, what, "an offence");
        self.counters.offences += 1;
        if self.access.offence(peer, now) {
            tracing::warn!(%peer, what, "refused for a while");
            self.refuse(peer, Denied::Offender);
        }
    }

    /// Closes the connections of those who were told, or did not listen; lets in whose time is over.
    pub(super) fn cut_off(&mut self, now: Instant) {
        for refusal in self.refusals.extract_if(.., |refusal| refusal.until <= now).collect::<Vec<_>>() {
            self.silence(refusal.peer, refusal.denied, now);
        }
        for (_, peer) in self.pardons.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>() {
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
    }

    fn silence(&mut self, peer: PeerId, denied: Denied, now: Instant) {
        let wait = match denied {
            Denied::Listed => SILENT_FOR,
            Denied::Offender => self.config.limits.refuse_for,
            Denied::Full => {
                let _ = self.swarm.disconnect_peer_id(peer);
                return;
            }
        };
        self.swarm.behaviour_mut().blocked.block_peer(peer);
        self.pardons.push((now + wait, peer));
        if self.pardons.len() > MAX_SILENCED {
            let (_, oldest) = self.pardons.remove(0);
            self.swarm.behaviour_mut().blocked.unblock_peer(oldest);
        }
    }

    /// Takes new rules. Whoever they do not forbid stays connected. Answers with the settings that a running
    /// node cannot change.
    pub(super) fn reload(&mut self, rules: Rules) -> Result<Vec<&'static str>, Error> {
        let Rules { deny, deny_ranges, limits } = rules;
        // What waits for a new start must be able to start, too.
        Config { limits: limits.clone(), ..self.config.clone() }.validate()?;
        let mut config = self.config.clone();
        let fixed = limits.differing(&config.limits);
        config.limits = Limits {
            connections: limits.connections,
            connections_per_peer: limits.connections_per_peer,
            pending_incoming: limits.pending_incoming,
            peers: limits.peers,
            carried_rooms: limits.carried_rooms,
            carried_rooms_per_peer: limits.carried_rooms_per_peer,
            carry_linger: limits.carry_linger,
            joined_rooms: limits.joined_rooms,
            offences: limits.offences,
            refuse_for: limits.refuse_for,
            ..config.limits
        };
        (config.deny, config.deny_ranges) = (deny, deny_ranges);
        self.config = config;
        let limits = connection_limits(&self.config);
        *self.swarm.behaviour_mut().limits.limits_mut() = limits;
        self.swarm.behaviour_mut().arrivals.set(self.config.limits.pending_incoming);
        self.access.change(&self.config);
        self.apply_denials();
        self.members_changed();
        Ok(fixed)
    }

    /// Puts the configured lists into force, on those who are connected too.
    pub(super) fn apply_denials(&mut self) {
        let now = self.now().instant;
        self.swarm.behaviour_mut().gate.set(self.config.deny_ranges.clone());
        let listed = |peer: &PeerId| self.access.check(peer, Action::Connect, now) == Err(Denied::Listed);
        for peer in self.peers.keys().copied().filter(listed).collect::<Vec<_>>() {
            self.refuse(peer, Denied::Listed);
        }
        let gate = &self.swarm.behaviour().gate;
        let connections = self.peers.values().flat_map(|peer| &peer.connections);
        let denied = connections.filter(|(_, address, _)| gate.denies(address).is_some());
        for connection in denied.map(|(id, ..)| *id).collect::<Vec<_>>() {
            self.counters.addresses_refused += 1;
            self.swarm.close_connection(connection);
        }
        // Who is no longer listed need not wait.
        let pardoned = |peer: &PeerId| self.access.check(peer, Action::Connect, now).is_ok();
        for (_, peer) in self.pardons.extract_if(.., |(_, peer)| pardoned(peer)).collect::<Vec<_>>() {
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
    }
}
