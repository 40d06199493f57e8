//! Peers are refused: told why on the hub stream, then cut off; and rules that change while the node runs.

use std::time::Duration;

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{
    Core, Output,
    refusals::{MAX_REFUSED_WAITING, MAX_SILENCED, Refusal},
};
use crate::{
    Config, Error, Event, Rules,
    access::{Action, Budgets, Denied},
    gate::range_of,
    hub::wire::{Hello, Reason},
};

/// How long a refused peer keeps its connection after it was told why, so that the reason reaches it.
const REASON_LINGER: Duration = Duration::from_millis(250);
/// How long it may take to open the stream on which it is told.
const REFUSED_STAY: Duration = Duration::from_secs(5);
/// Of a hub's connections, one in so many, but no more than can wait to be told, is kept for those who are told why
/// they may not stay: beyond the last connection there is only silence.
const REASON_SHARE: usize = 8;
/// A listed peer that was told is turned away in silence for so long.
const SILENT_FOR: Duration = Duration::from_secs(60);

impl Core {
    /// Whether a hub has no place for a newcomer, whose connection is counted already.
    pub(super) fn is_full(&self) -> bool {
        let connections = self.config.limits.connections as usize;
        let kept = connections.div_ceil(REASON_SHARE).min(MAX_REFUSED_WAITING).min(connections.saturating_sub(1));
        // The newcomer's is one more.
        let staying = self.peers.connections() + 1;
        self.is_hub() && (self.peers.len() >= self.config.limits.peers || staying > connections - kept)
    }

    /// Ends a peer's stay: it is told on its hub stream, at once or when it opens one, then closed.
    pub(super) fn refuse(&mut self, peer: PeerId, denied: Denied) {
        if self.refusals.leaving.iter().any(|refusal| refusal.peer == peer) {
            return;
        }
        tracing::info!(%peer, %denied, "refused");
        self.out.push(Output::DismissFromStore(peer));
        self.counters.peers_refused += 1;
        self.emit(Event::Refused { peer, reason: denied.to_string(), closes: true });
        let now = self.now.instant;
        if self.refusals.leaving.len() >= MAX_REFUSED_WAITING || !self.is_hub() {
            self.silence(peer, denied, now);
            return;
        }
        self.refusals.leaving.push(Refusal { until: now + REFUSED_STAY, peer, denied, told: false });
        self.tell_refused(peer);
    }

    /// A peer that found no place has gone by itself: when it comes back it is asked anew whether there is one.
    pub(super) fn forget_full(&mut self, peer: &PeerId) {
        self.refusals.leaving.retain(|refusal| refusal.peer != *peer || refusal.denied != Denied::Full);
    }

    fn tell_refused(&mut self, peer: PeerId) {
        if self.watchers.is_open(&peer)
            && let Some(reason) = self.reason_for(peer)
        {
            self.send_to_watcher(peer, reason);
        }
    }

    /// What a peer that may not stay is told on its hub stream, once; it is closed soon after.
    pub(super) fn reason_for(&mut self, peer: PeerId) -> Option<Reason> {
        let until = self.now.instant + REASON_LINGER;
        let refusal = self.refusals.leaving.iter_mut().find(|refusal| refusal.peer == peer && !refusal.told)?;
        (refusal.told, refusal.until) = (true, until);
        Some(Reason { code: refusal.denied.code().to_owned(), text: refusal.denied.to_string() })
    }

    pub(super) fn hello(&self) -> Hello {
        let (frames_per_second, bytes_per_second) = Budgets::of_one_peer();
        Hello { time_ms: self.now.unix_ms, frames_per_second, bytes_per_second }
    }

    /// Counts what only a liar or a broken peer does; too much of it costs the connection.
    pub(super) fn offence(&mut self, peer: PeerId, what: &str) {
        let now = self.now.instant;
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
    pub(super) fn cut_off(&mut self) {
        let now = self.now.instant;
        for refusal in self.refusals.leaving.extract_if(.., |refusal| refusal.until <= now).collect::<Vec<_>>() {
            self.silence(refusal.peer, refusal.denied, now);
        }
        for (_, peer) in self.refusals.pardons.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>() {
            self.out.push(Output::Unblock(peer));
        }
    }

    fn silence(&mut self, peer: PeerId, denied: Denied, now: Instant) {
        let wait = match denied {
            Denied::Listed => SILENT_FOR,
            Denied::Offender => self.config.limits.refuse_for,
            Denied::Full => {
                self.out.push(Output::Disconnect(peer));
                return;
            }
        };
        self.out.push(Output::Block(peer));
        self.refusals.pardons.push((now + wait, peer));
        if self.refusals.pardons.len() > MAX_SILENCED {
            let (_, oldest) = self.refusals.pardons.remove(0);
            self.out.push(Output::Unblock(oldest));
        }
    }

    /// Takes new rules. Whoever they do not forbid stays connected. Answers with the settings that a running
    /// node cannot change.
    pub(super) fn reload(&mut self, rules: Rules) -> Result<Vec<&'static str>, Error> {
        let Rules { deny, deny_ranges, limits } = rules;
        // What waits for a new start must be able to start, too.
        Config { limits: limits.clone(), ..self.config.clone() }.validate()?;
        let mut config = self.config.clone();
        let fixed = config.limits.reload(limits);
        (config.deny, config.deny_ranges) = (deny, deny_ranges);
        self.config = config;
        self.access.change(&self.config);
        self.apply_denials();
        self.recarry = true;
        self.looks.changed(self.now.instant);
        Ok(fixed)
    }

    /// Puts the configured lists into force, on those who are connected too.
    pub(super) fn apply_denials(&mut self) {
        let now = self.now.instant;
        self.out.push(Output::ApplyRules);
        let listed = |peer: &PeerId| self.access.check(peer, Action::Connect, now) == Err(Denied::Listed);
        for peer in self.peers.ids().filter(listed).collect::<Vec<_>>() {
            self.refuse(peer, Denied::Listed);
        }
        let ranges = &self.config.deny_ranges;
        let denied = self.peers.all_connections().filter(|connection| range_of(&connection.address, ranges).is_some());
        for connection in denied.map(|connection| connection.id).collect::<Vec<_>>() {
            self.counters.addresses_refused += 1;
            self.out.push(Output::Close(connection));
        }
        // Who is no longer listed need not wait.
        let pardoned = |peer: &PeerId| self.access.check(peer, Action::Connect, now).is_ok();
        for (_, peer) in self.refusals.pardons.extract_if(.., |(_, peer)| pardoned(peer)).collect::<Vec<_>>() {
            self.out.push(Output::Unblock(peer));
        }
    }
}
