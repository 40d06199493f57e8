//! When to publish one's own records and keys.
//!
//! Each is looked at when a peer comes that keeps records, and again long before the copies elsewhere expire. A peer that
//! comes and goes causes looks that are ever farther apart, and no more than [`MAX_LOOKS`] go on at a time.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};

use libp2p::PeerId;
use n0_future::time::Instant;

/// Looks under way at once.
const MAX_LOOKS: usize = 4;
/// The first peer comes seldom alone: what is found at all of them is put to all of them.
const SETTLE: Duration = Duration::from_millis(500);
/// Whoever comes, the same record or key is not looked at again before. Doubles up to [`MAX_LOOK_PAUSE`] while others
/// have it and peers keep coming.
const LOOK_PAUSE: Duration = Duration::from_secs(5);
/// The longest of these pauses.
const MAX_LOOK_PAUSE: Duration = Duration::from_secs(120);
/// Until it is tried again if nobody comes; doubles up to [`MAX_TRY_WAIT`].
const TRY_WAIT: Duration = Duration::from_secs(30);
/// The longest of these waits.
const MAX_TRY_WAIT: Duration = Duration::from_secs(3600);
/// How long somebody who puts or provides may take: it is tried once more if nothing came of it.
const CALLER_WAIT: Duration = Duration::from_secs(60);
/// Peers beside which a further one makes no difference: as many as a record is put to.
const ENOUGH_PEERS: usize = libp2p::kad::K_VALUE.get();

/// What is published, by its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Item {
    /// A record.
    Record(Vec<u8>),
    /// A key that this node provides.
    Key(Vec<u8>),
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    /// When to look; nothing while a look goes on.
    due: Option<Instant>,
    /// Whoever comes causes no look before.
    not_before: Instant,
    /// The pause after the next look that finds it with others.
    pause: Duration,
    /// The wait after the next failure.
    wait: Duration,
    /// Somebody came while the look went on, who may not have been asked.
    missed: bool,
}

impl Plan {
    fn new(due: Instant, not_before: Instant) -> Self {
        Self { due: Some(due), not_before, pause: LOOK_PAUSE, wait: TRY_WAIT, missed: false }
    }
}

/// Decides when; the actor does it.
#[derive(Debug, Default)]
pub(crate) struct Publisher {
    plans: HashMap<Item, Plan>,
    queue: BTreeSet<(Instant, Item)>,
    looks: usize,
    /// Connected peers that keep records.
    keepers: HashSet<PeerId>,
    rests_until: Option<Instant>,
}

impl Publisher {
    /// Takes one of an earlier run.
    pub(crate) fn add(&mut self, item: Item, now: Instant) {
        self.set(item, Plan::new(now, now));
    }

    /// A caller publishes it now.
    pub(crate) fn caller_publishes(&mut self, item: Item, now: Instant) {
        self.set(item, Plan::new(now + CALLER_WAIT, now + LOOK_PAUSE));
    }

    /// A peer that keeps records is connected.
    pub(crate) fn keeper_up(&mut self, peer: PeerId, now: Instant) {
        if !self.keepers.insert(peer) || self.keepers.len() > ENOUGH_PEERS {
            return;
        }
        if self.keepers.len() == 1 {
            self.rests_until = Some(now + SETTLE);
        }
        for (item, plan) in &mut self.plans {
            plan.missed = plan.due.is_none();
            let soon = now.max(plan.not_before);
            if let Some(due) = plan.due.filter(|due| *due > soon) {
                self.queue.remove(&(due, item.clone()));
                self.queue.insert((soon, item.clone()));
                plan.due = Some(soon);
            }
        }
    }

    pub(crate) fn keeper_down(&mut self, peer: &PeerId) {
        self.keepers.remove(peer);
    }

    /// The next one to look at.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Item> {
        if self.deadline().is_none_or(|due| due > now) {
            return None;
        }
        let (_, item) = self.queue.pop_first()?;
        if let Some(plan) = self.plans.get_mut(&item) {
            plan.due = None;
        }
        self.looks += 1;
        Some(item)
    }

    /// A look has ended.
    pub(crate) fn look_ended(&mut self) {
        self.looks = self.looks.saturating_sub(1);
    }

    /// Others have it: it is looked at again after that time, or when somebody comes.
    pub(crate) fn succeeded(&mut self, item: Item, again: Duration, now: Instant) {
        let old = self.plans.get(&item).copied().unwrap_or_else(|| Plan::new(now, now));
        let calm = now.saturating_duration_since(old.not_before) > MAX_LOOK_PAUSE;
        let pause = if calm { LOOK_PAUSE } else { old.pause };
        let due = now + if old.missed { pause } else { again.max(MAX_LOOK_PAUSE) };
        self.set(item, Plan { pause: (2 * pause).min(MAX_LOOK_PAUSE), ..Plan::new(due, now + pause) });
    }

    /// Nobody has taken it.
    pub(crate) fn failed(&mut self, item: Item, now: Instant) {
        let old = self.plans.get(&item).copied().unwrap_or_else(|| Plan::new(now, now));
        let due = now + if old.missed { LOOK_PAUSE } else { old.wait };
        self.set(item, Plan { wait: (2 * old.wait).min(MAX_TRY_WAIT), ..Plan::new(due, now + LOOK_PAUSE) });
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (due, _) = self.queue.first()?;
        let may = !self.keepers.is_empty() && self.looks < MAX_LOOKS;
        may.then(|| self.rests_until.map_or(*due, |until| until.max(*due)))
    }

    fn set(&mut self, item: Item, plan: Plan) {
        if let Some(due) = self.plans.get(&item).and_then(|old| old.due) {
            self.queue.remove(&(due, item.clone()));
        }
        self.queue.extend(plan.due.map(|due| (due, item.clone())));
        self.plans.insert(item, plan);
    }
}

#[cfg(test)]
#[path = "publisher_tests.rs"]
mod tests;
