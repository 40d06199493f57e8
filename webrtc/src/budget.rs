//! The memory of all connections of a transport, and of each of them.
//!
//! A data channel cannot be told to wait: what comes is taken, or its stream is reset. So what streams hold is counted,
//! overhead included, whether somebody has taken the stream or not. When a connection holds more than it may, the stream
//! that holds most is reset, until it is less. When all of them together do, that stream is one of the connection whose
//! streams can free most: the memory of idle streams, and datagrams that wait for a connection, count but are not freed.

use std::{
    cmp::Reverse,
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use crate::Limits;

/// Something that holds memory and can give it up.
pub(crate) trait Holder: Send + Sync {
    /// Bytes that would be freed.
    fn held(&self) -> usize;

    /// Frees them, as a bound of so many bytes was passed.
    fn give_up(self: Arc<Self>, bound: usize);
}

/// The memory of all connections of a transport. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Whole>);

/// The memory of one connection. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Account(Arc<Part>);

#[derive(Debug)]
struct Whole {
    limits: Limits,
    held: Tally,
    resets: AtomicU64,
    /// Bytes of the largest datagram that there was no room for.
    #[cfg(not(target_family = "wasm"))]
    wanted: AtomicUsize,
    parts: Mutex<Vec<Weak<Part>>>,
    /// Only one looks for what to reset at a time: two would reset two streams where one is enough.
    relieving: Mutex<()>,
}

struct Part {
    budget: Budget,
    held: Tally,
    bound: AtomicUsize,
    holders: Mutex<Vec<Weak<dyn Holder>>>,
}

/// Bytes that are held.
#[derive(Debug, Default)]
struct Tally {
    all: AtomicUsize,
    /// Those of them that holders free when they are asked to.
    freeable: AtomicUsize,
}

impl Tally {
    fn all(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }

    fn freeable(&self) -> usize {
        self.freeable.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("held", &self.held).field("bound", &self.bound).finish_non_exhaustive()
    }
}

impl Budget {
    /// For a transport with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Whole {
            limits,
            held: Tally::default(),
            resets: AtomicU64::new(0),
            #[cfg(not(target_family = "wasm"))]
            wanted: AtomicUsize::new(0),
            parts: Mutex::default(),
            relieving: Mutex::default(),
        }))
    }

    /// For a connection that begins. It may hold [`Limits::unauthenticated_bytes`] until [`Account::set_authenticated`].
    #[must_use]
    pub fn open(&self) -> Account {
        let part = Arc::new(Part {
            budget: self.clone(),
            held: Tally::default(),
            bound: AtomicUsize::new(self.0.limits.unauthenticated_bytes),
            holders: Mutex::default(),
        });
        remember(&self.0.parts, Arc::downgrade(&part));
        Account(part)
    }

    /// What it was made with.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Bytes that all connections hold.
    #[must_use]
    pub fn held(&self) -> usize {
        self.0.held.all()
    }

    /// Streams that were reset because too much was held.
    #[must_use]
    pub fn resets(&self) -> u64 {
        self.0.resets.load(Ordering::Relaxed)
    }

    /// Resets streams until there is room for what there was none for, if anything ([`Account::has_room`]). Otherwise, with
    /// the bound all but reached, every connection would lose its datagrams until somebody reads. Not to be called by who
    /// holds a lock.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn make_room(&self) {
        // Called for each datagram: mostly there is nothing to write.
        if self.0.wanted.load(Ordering::Relaxed) > 0 {
            let bytes = self.0.wanted.swap(0, Ordering::Relaxed);
            self.relieve(|| self.passed(bytes));
        }
    }

    /// Resets streams as long as a bound is passed: of which connections, those whose streams free most first, and which.
    fn relieve(&self, passed: impl Fn() -> Option<Passed>) {
        if passed().is_none() {
            return;
        }
        let relieving = locked(&self.0.relieving);
        // Each is asked once: the loop ends, whatever a holder makes of it.
        let mut asked = HashSet::new();
        while let Some(Passed { parts, bound }) = passed() {
            let Some(holder) = parts.iter().find_map(|part| part.largest_holder(&asked)) else { break };
            tracing::debug!(bound, held = holder.held(), "too much is unread; the stream that holds most is reset");
            self.0.resets.fetch_add(1, Ordering::Relaxed);
            asked.insert(address(&holder));
            holder.give_up(bound);
        }
        drop(relieving);
    }

    /// Whether the transport would hold too much with so many bytes more, and something can be done about it.
    fn passed(&self, more: usize) -> Option<Passed> {
        let bound = self.0.limits.transport_bytes;
        if self.held() + more <= bound || self.0.held.freeable() == 0 {
            return None;
        }
        let mut parts: Vec<_> = locked(&self.0.parts).iter().filter_map(Weak::upgrade).collect();
        parts.sort_by_cached_key(|part| Reverse(part.held.freeable()));
        Some(Passed { parts, bound })
    }
}

/// Connections that have to free something, and which bound was passed.
struct Passed {
    parts: Vec<Arc<Part>>,
    bound: usize,
}

impl Account {
    /// The other side has proved who it is: the connection may hold [`Limits::connection_bytes`].
    pub fn set_authenticated(&self) {
        self.0.bound.store(self.limits().connection_bytes, Ordering::Relaxed);
    }

    /// The limits of the transport.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.budget.limits()
    }

    pub(crate) fn join(&self, holder: Weak<dyn Holder>) {
        remember(&self.0.holders, holder);
    }

    /// A holder that has joined would free so many bytes, and others before.
    pub(crate) fn changed(&self, before: usize, now: usize) {
        change(&self.0.held.freeable, before, now);
        change(&self.0.budget.0.held.freeable, before, now);
        self.occupied(before, now);
    }

    /// The same for what the connection takes and no holder frees.
    pub(crate) fn occupied(&self, before: usize, now: usize) {
        change(&self.0.held.all, before, now);
        self.beside(before, now);
    }

    /// The same for what no stream holds: it counts for the transport alone.
    pub(crate) fn beside(&self, before: usize, now: usize) {
        change(&self.0.budget.0.held.all, before, now);
    }

    /// Whether half of what the connection may hold is held, so that writers should wait.
    pub(crate) fn is_tight(&self) -> bool {
        self.0.held.all() > self.0.bound.load(Ordering::Relaxed) / 2
    }

    /// Whether the transport can hold so many bytes more; if not, [`Budget::make_room`] sees to it. Browsers keep what has
    /// not come to a stream yet themselves.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let has_room = self.0.budget.held() + bytes <= self.limits().transport_bytes;
        if !has_room {
            self.0.budget.0.wanted.fetch_max(bytes, Ordering::Relaxed);
        }
        has_room
    }

    /// Resets streams until no bound is passed. Not to be called by who holds a lock.
    pub(crate) fn relieve(&self) {
        self.0.budget.relieve(|| self.passed());
    }

    fn passed(&self) -> Option<Passed> {
        let (part, bound) = (&self.0, self.0.bound.load(Ordering::Relaxed));
        if part.held.all() > bound && part.held.freeable() > 0 {
            return Some(Passed { parts: vec![part.clone()], bound });
        }
        part.budget.passed(0)
    }
}

impl Part {
    /// The one that holds most, of those that were not asked.
    fn largest_holder(&self, asked: &HashSet<*const ()>) -> Option<Arc<dyn Holder>> {
        let holders = locked(&self.holders);
        let others = holders.iter().filter_map(Weak::upgrade).filter(|holder| !asked.contains(&address(holder)));
        let held = others.map(|holder| (holder.held(), holder));
        held.filter(|(held, _)| *held > 0).max_by_key(|(held, _)| *held).map(|(_, holder)| holder)
    }
}

fn address(holder: &Arc<dyn Holder>) -> *const () {
    Arc::as_ptr(holder).cast()
}

fn change(held: &AtomicUsize, before: usize, now: usize) {
    if now >= before {
        held.fetch_add(now - before, Ordering::Relaxed);
    } else {
        held.fetch_sub(before - now, Ordering::Relaxed);
    }
}

/// Keeps another one; those that are gone are let go of when the list would grow.
fn remember<T: ?Sized>(list: &Mutex<Vec<Weak<T>>>, new: Weak<T>) {
    let mut list = locked(list);
    if list.len() == list.capacity() {
        list.retain(|old| old.strong_count() > 0);
    }
    list.push(new);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while it is held leaves a list of which each entry is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
