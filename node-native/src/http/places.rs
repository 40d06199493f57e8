//! Who may hold an HTTP connection. Decides only; the listener acts.
//!
//! Every connection has a place. When all that one source may have are taken, the one of them that has been idle longest
//! gives up its place to the newcomer. When all places are taken, one of these does, the first that there is:
//!
//! 1. one that has been idle for [`STALLED`];
//! 2. one of a source that holds more than the newcomer's then will, idle or not: however few sources hold all places,
//!    one more always gets in;
//! 3. an idle one of a source that holds as many;
//! 4. one whose answer has got no further for [`STALLED`];
//! 5. an idle one that no bound by source holds for.
//!
//! Of several it is one of the source that holds most, an idle one first, then the one without progress longest.
//!
//! When there is none the newcomer gets one of a few extra places, from which it is told that the hub is busy, or how
//! the hub is if it asked for `/healthz`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use tincan_shared::IpNet;
use tokio::{
    sync::oneshot,
    time::{Duration, Instant},
};

/// Connections at once.
pub(super) const MAX_CONNECTIONS: usize = 1024;
/// Of them those of one source, an IPv4 address or an IPv6 /64; also the requests that trusted proxies bring from it.
pub(super) const MAX_CONNECTIONS_PER_SOURCE: usize = 512;
/// Time without a request, or without progress of an answer, after which a place is given up when all are taken.
const STALLED: Duration = Duration::from_secs(5);
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
    figures: Figures,
}

#[derive(Debug)]
struct Place {
    /// Nothing for those that no bound by source holds for.
    source: Option<IpNet>,
    /// Whom a proxy named as the source of the request under way.
    forwarded: Option<IpNet>,
    idle: bool,
    /// When it fell idle, or its answer got on last.
    since: Instant,
    /// Held to be dropped.
    _cut: Cut,
}

impl Place {
    /// Who is behind it; nothing for this machine, and for proxies between two requests.
    fn behind(&self) -> Option<IpNet> {
        self.forwarded.or(self.source)
    }
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
    pub(super) fn admit(&mut self, source: Option<IpNet>, cut: Cut, now: Instant) -> Admitted {
        let id = self.next;
        self.next += 1;
        let victim = match source.filter(|source| self.held(source) >= MAX_CONNECTIONS_PER_SOURCE) {
            Some(full) => Some(self.first(|place, _| (place.idle && place.source == Some(full)).then_some(1))),
            None if self.taken.len() >= MAX_CONNECTIONS => Some(self.victim(source, now)),
            None => None,
        };
        let extra = victim == Some(None);
        if let Some(victim) = victim.flatten() {
            self.figures.cut += 1;
            self.leave(victim);
        }
        let place = Place { source, forwarded: None, idle: true, since: now, _cut: cut };
        if extra {
            self.admit_extra(id, place);
        } else {
            self.count(source);
            self.taken.insert(id, place);
        }
        Admitted { id, extra }
    }

    /// Who gives up its place to a newcomer when all are taken. In one pass, as a flood of newcomers asks it each time.
    fn victim(&self, newcomer: Option<IpNet>, now: Instant) -> Option<Id> {
        let fair = 1 + newcomer.map_or(0, |source| self.held(&source));
        self.first(|place, share| {
            let stalled = now.saturating_duration_since(place.since) >= STALLED;
            match place.behind() {
                Some(_) if place.idle && stalled => Some(1),
                Some(_) if share > fair => Some(2),
                Some(_) if place.idle && share == fair => Some(3),
                Some(_) if stalled => Some(4),
                None if place.idle => Some(5),
                _ => None,
            }
        })
    }

    /// The place that is spared first, by the number that each has; those without one are not.
    fn first(&self, number: impl Fn(&Place, usize) -> Option<u8>) -> Option<Id> {
        let ranked = self.taken.iter().filter_map(|(id, place)| {
            let share = place.behind().map_or(0, |source| self.held(&source));
            Some((number(place, share)?, Reverse(share), !place.idle, place.since, *id))
        });
        ranked.min().map(|(.., id)| id)
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
    pub(super) fn begin(&mut self, id: Id, forwarded: Option<IpNet>, now: Instant) -> Result<(), Busy> {
        let full = forwarded.is_some_and(|source| self.held(&source) >= MAX_CONNECTIONS_PER_SOURCE);
        let extra = self.extra.contains_key(&id);
        if let Some(place) = self.taken.get_mut(&id) {
            (place.idle, place.since) = (false, now);
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

    /// Some of the answer was taken.
    pub(super) fn got_on(&mut self, id: Id, now: Instant) {
        if let Some(place) = self.taken.get_mut(&id) {
            place.since = now;
        }
    }

    /// The answer is written.
    pub(super) fn rest(&mut self, id: Id, now: Instant) {
        let Some(place) = self.taken.get_mut(&id) else { return };
        (place.idle, place.since) = (true, now);
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
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
