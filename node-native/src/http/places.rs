//! Who may hold an HTTP connection. Decides only; the listener acts.
//!
//! Every connection has a place. When all places are taken, or all that one source may have, the connection that has
//! been idle longest gives up its place to the newcomer. When nobody is idle the newcomer gets one of a few extra
//! places, from which it is told that the hub is busy, or how the hub is if it asked for `/healthz`.

use std::collections::{BTreeMap, HashMap};

use tincan_shared::IpNet;
use tokio::sync::oneshot;

/// Connections at once.
pub(super) const MAX_CONNECTIONS: usize = 1024;
/// Of them those of one source, an IPv4 address or an IPv6 /64; also the requests that trusted proxies bring from it.
pub(super) const MAX_CONNECTIONS_PER_SOURCE: usize = 512;
/// Connections beyond those, to answer `/healthz` and tell others that the hub is busy.
pub(super) const MAX_EXTRA: usize = 64;

/// A connection's number, from the oldest to the newest.
pub(super) type Id = u64;

/// Dropping it ends the connection that has the other half.
pub(super) type Cut = oneshot::Sender<()>;

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Places {
    next: Id,
    taken: BTreeMap<Id, Place>,
    extra: BTreeMap<Id, Place>,
    sources: HashMap<IpNet, usize>,
    /// Counts the moments at which connections fell idle, to find the one that has been idle longest.
    moments: u64,
    figures: Figures,
}

#[derive(Debug)]
struct Place {
    /// Nothing for those that no bound by source holds for.
    source: Option<IpNet>,
    /// Whom a proxy named as the source of the request under way.
    forwarded: Option<IpNet>,
    idle_since: Option<u64>,
    /// Held to be dropped.
    _cut: Cut,
}

/// A newcomer's place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    pub(super) id: Id,
    /// Whether it is one of the extra ones.
    pub(super) extra: bool,
}

/// Why a request is not answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) connections: u64,
    pub(super) cut: u64,
    pub(super) busy: u64,
}

impl Places {
    /// A place for a newcomer, always. `source` is nothing for those that no bound by source holds for.
    pub(super) fn admit(&mut self, source: Option<IpNet>, cut: Cut) -> Admitted {
        let id = self.next;
        self.next += 1;
        let full_source = source.filter(|source| self.held(source) >= MAX_CONNECTIONS_PER_SOURCE);
        let full = full_source.is_some() || self.taken.len() >= MAX_CONNECTIONS;
        let extra = full && !self.cut_idle(full_source);
        let place = Place { source, forwarded: None, idle_since: Some(self.moment()), _cut: cut };
        if extra {
            self.admit_extra(id, place);
        } else {
            self.count(source);
            self.taken.insert(id, place);
        }
        Admitted { id, extra }
    }

    /// Cuts whoever has been idle longest, of this source or of all; those without a bound last.
    fn cut_idle(&mut self, source: Option<IpNet>) -> bool {
        let candidates = self.taken.iter().filter(|(_, place)| source.is_none() || place.source == source);
        let idle = candidates.filter_map(|(id, place)| Some((place.source.is_none(), place.idle_since?, *id)));
        let Some((_, _, longest)) = idle.min() else { return false };
        self.figures.cut += 1;
        self.leave(longest);
        true
    }

    fn admit_extra(&mut self, id: Id, place: Place) {
        if self.extra.len() >= MAX_EXTRA {
            // This machine's own questions and those of trusted proxies are not pushed out by strangers'.
            let first = self.extra.iter().map(|(id, place)| (place.source.is_none(), *id)).min();
            first.and_then(|(_, first)| self.extra.remove(&first));
        }
        self.extra.insert(id, place);
    }

    /// A request has arrived. `forwarded` is its source where a trusted proxy named one.
    pub(super) fn begin(&mut self, id: Id, forwarded: Option<IpNet>) -> Result<(), Busy> {
        let full = forwarded.is_some_and(|source| self.held(&source) >= MAX_CONNECTIONS_PER_SOURCE);
        let extra = self.extra.contains_key(&id);
        if let Some(place) = self.taken.get_mut(&id) {
            place.idle_since = None;
            if !full && place.forwarded.is_none() {
                place.forwarded = forwarded;
                self.count(forwarded);
            }
        }
        if full || extra { Err(Busy) } else { Ok(()) }
    }

    /// A request was answered with no more than that the hub is busy.
    pub(super) fn turned_away(&mut self) {
        self.figures.busy += 1;
    }

    /// The answer is written.
    pub(super) fn rest(&mut self, id: Id) {
        let moment = self.moment();
        let Some(place) = self.taken.get_mut(&id) else { return };
        place.idle_since = Some(moment);
        let forwarded = place.forwarded.take();
        self.discount(forwarded);
    }

    /// The connection has ended.
    pub(super) fn leave(&mut self, id: Id) {
        self.extra.remove(&id);
        if let Some(place) = self.taken.remove(&id) {
            self.discount(place.source);
            self.discount(place.forwarded);
        }
    }

    pub(super) fn figures(&self) -> Figures {
        Figures { connections: (self.taken.len() + self.extra.len()) as u64, ..self.figures }
    }

    fn held(&self, source: &IpNet) -> usize {
        self.sources.get(source).copied().unwrap_or(0)
    }

    fn count(&mut self, source: Option<IpNet>) {
        if let Some(source) = source {
            *self.sources.entry(source).or_default() += 1;
        }
    }

    fn discount(&mut self, source: Option<IpNet>) {
        let Some(source) = source else { return };
        if let Some(held) = self.sources.get_mut(&source) {
            *held -= 1;
            if *held == 0 {
                self.sources.remove(&source);
            }
        }
    }

    fn moment(&mut self) -> u64 {
        self.moments += 1;
        self.moments
    }
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
