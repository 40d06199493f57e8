//! Which HTTP connections are kept when there are too many. It only decides; the listener acts.
//!
//! Every connection takes a slot. If its source has taken all slots that one source may have, the source's connection that
//! has been idle longest is closed for the new one. If all slots are taken, one of these is closed, in this order:
//!
//! 1. one that has been idle for [`STALLED`];
//! 2. one of a source that has more connections than the new one's source will have, idle or not: so a further source always
//!    gets in, however few sources have taken all slots;
//! 3. an idle one of a source that has as many;
//! 4. one whose answer has made no progress for [`STALLED`];
//! 5. an idle one that is exempt from the bound by source.
//!
//! Of several it is one of the source that has most, an idle one first, then the one without progress longest.
//!
//! If there is none, the new connection gets one of a few extra slots, only to be told that the hub is busy, or to be answered
//! if it asks for `/healthz`.

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
/// The same from one source, an IPv4 address or an IPv6 /64; also the requests that trusted proxies forward from it.
pub(super) const MAX_CONNECTIONS_PER_SOURCE: usize = 512;
/// Time without a request, or without progress of an answer, after which a connection may be closed for a new one.
const STALLED: Duration = Duration::from_secs(5);
/// Connections beyond those, to answer `/healthz` and tell others that the hub is busy.
pub(super) const MAX_EXTRA: usize = 64;

/// The number of a connection, in the order of their arrival.
pub(super) type ConnectionId = u64;

/// Closes a connection, which has the other half, on drop.
pub(super) type CloseSender = oneshot::Sender<()>;

/// All connections.
#[derive(Debug, Default)]
pub(super) struct ConnectionSlots {
    next: ConnectionId,
    taken: BTreeMap<ConnectionId, Slot>,
    extra: BTreeMap<ConnectionId, Slot>,
    sources: HashMap<IpNet, usize>,
    counts: Counts,
}

#[derive(Debug)]
struct Slot {
    /// None if it is exempt from the bound by source.
    source: Option<IpNet>,
    /// The source of the current request, if a trusted proxy named one.
    forwarded: Option<IpNet>,
    idle: bool,
    /// When it became idle, or its answer last made progress.
    since: Instant,
    /// Closes the connection when the slot is dropped.
    _cut: CloseSender,
}

impl Slot {
    /// The source that it counts for; none for this machine, and for proxies between two requests.
    fn source_behind(&self) -> Option<IpNet> {
        self.forwarded.or(self.source)
    }
}

/// The slot of a new connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    pub(super) id: ConnectionId,
    /// Whether it is one of the extra ones.
    pub(super) extra: bool,
}

/// Why a request is not answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// Counters for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) connections: u64,
    pub(super) cut: u64,
    pub(super) busy: u64,
}

impl ConnectionSlots {
    /// Gives a new connection a slot. `source` is none if it is exempt from the bound by source.
    pub(super) fn admit(&mut self, source: Option<IpNet>, cut: CloseSender, now: Instant) -> Admitted {
        let id = self.next;
        self.next += 1;
        let victim = match source.filter(|source| self.held(source) >= MAX_CONNECTIONS_PER_SOURCE) {
            Some(full) => Some(self.first_by_rank(|slot, _| (slot.idle && slot.source == Some(full)).then_some(1))),
            None if self.taken.len() >= MAX_CONNECTIONS => Some(self.victim(source, now)),
            None => None,
        };
        let extra = victim == Some(None);
        if let Some(victim) = victim.flatten() {
            self.counts.cut += 1;
            self.remove(victim);
        }
        let slot = Slot { source, forwarded: None, idle: true, since: now, _cut: cut };
        if extra {
            self.admit_extra(id, slot);
        } else {
            self.count(source);
            self.taken.insert(id, slot);
        }
        Admitted { id, extra }
    }

    /// The connection to close when all slots are taken. One pass, since a flood of new connections causes it each time.
    fn victim(&self, newcomer: Option<IpNet>, now: Instant) -> Option<ConnectionId> {
        let fair = 1 + newcomer.map_or(0, |source| self.held(&source));
        self.first_by_rank(|slot, share| {
            let stalled = now.saturating_duration_since(slot.since) >= STALLED;
            match slot.source_behind() {
                Some(_) if slot.idle && stalled => Some(1),
                Some(_) if share > fair => Some(2),
                Some(_) if slot.idle && share == fair => Some(3),
                Some(_) if stalled => Some(4),
                None if slot.idle => Some(5),
                _ => None,
            }
        })
    }

    /// The connection of the lowest rank, of those that `number` gives one.
    fn first_by_rank(&self, number: impl Fn(&Slot, usize) -> Option<u8>) -> Option<ConnectionId> {
        let ranked = self.taken.iter().filter_map(|(id, slot)| {
            let share = slot.source_behind().map_or(0, |source| self.held(&source));
            Some((number(slot, share)?, Reverse(share), !slot.idle, slot.since, *id))
        });
        ranked.min().map(|(.., id)| id)
    }

    fn admit_extra(&mut self, id: ConnectionId, slot: Slot) {
        if self.extra.len() >= MAX_EXTRA {
            // Strangers do not push out requests of this machine and of trusted proxies.
            let first = self.extra.iter().map(|(id, slot)| (slot.source.is_none(), *id)).min();
            first.and_then(|(_, first)| self.extra.remove(&first));
        }
        self.extra.insert(id, slot);
    }

    /// A request has arrived. `forwarded` is its source, if a trusted proxy named one.
    pub(super) fn begin(&mut self, id: ConnectionId, forwarded: Option<IpNet>, now: Instant) -> Result<(), Busy> {
        let full = forwarded.is_some_and(|source| self.held(&source) >= MAX_CONNECTIONS_PER_SOURCE);
        let extra = self.extra.contains_key(&id);
        if let Some(slot) = self.taken.get_mut(&id) {
            (slot.idle, slot.since) = (false, now);
            if !full && slot.forwarded.is_none() {
                slot.forwarded = forwarded;
                self.count(forwarded);
            }
        }
        if full || extra { Err(Busy) } else { Ok(()) }
    }

    /// A request was answered only by "busy".
    pub(super) fn turned_away(&mut self) {
        self.counts.busy += 1;
    }

    /// Some bytes of the answer were sent.
    pub(super) fn progressed(&mut self, id: ConnectionId, now: Instant) {
        if let Some(slot) = self.taken.get_mut(&id) {
            slot.since = now;
        }
    }

    /// The answer was sent: the connection is idle.
    pub(super) fn set_idle(&mut self, id: ConnectionId, now: Instant) {
        let Some(slot) = self.taken.get_mut(&id) else { return };
        (slot.idle, slot.since) = (true, now);
        let forwarded = slot.forwarded.take();
        self.discount(forwarded);
    }

    /// The connection was closed.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.extra.remove(&id);
        if let Some(slot) = self.taken.remove(&id) {
            self.discount(slot.source);
            self.discount(slot.forwarded);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts { connections: (self.taken.len() + self.extra.len()) as u64, ..self.counts }
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
#[path = "connection_slots_tests.rs"]
mod tests;
