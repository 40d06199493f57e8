//! Bounds the memory of a transport's connections, of each one and of all together.
//!
//! A data channel has no back-pressure towards the sender: what arrives is either kept or its stream is reset. So all memory
//! of streams is counted, overhead included, from their first byte on. If a connection exceeds its bound, its stream that
//! holds most is reset, until the connection is below the bound. If all together exceed theirs, streams of the connection
//! that can free most are reset. The fixed memory of streams and queued datagrams are counted, but cannot be freed.

use std::{
    cmp::Reverse,
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use crate::Limits;

/// Something that holds memory and can release it: a stream.
pub(crate) trait Holder: Send + Sync {
    /// Bytes that [`Self::release`] would free.
    fn held(&self) -> usize;

    /// Frees them, since a bound of so many bytes was exceeded.
    fn release(self: Arc<Self>, bound: usize);
}

/// The memory of all connections of a transport. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget(Arc<TransportMemory>);

/// The memory of one connection. Clones share it.
#[derive(Debug, Clone)]
pub struct ConnectionBudget(Arc<ConnectionMemory>);

#[derive(Debug)]
struct TransportMemory {
    limits: Limits,
    held: Held,
    resets: AtomicU64,
    /// Bytes of the largest datagram for which there was no room; 0 if there was for all.
    #[cfg(all(feature = "native", not(target_family = "wasm")))]
    missing_room: AtomicUsize,
    connections: Mutex<Vec<Weak<ConnectionMemory>>>,
    /// Held while streams are reset: two tasks at once would reset two streams where one is enough.
    enforcing: Mutex<()>,
}

struct ConnectionMemory {
    budget: Budget,
    held: Held,
    bound: AtomicUsize,
    holders: Mutex<Vec<Weak<dyn Holder>>>,
}

/// Bytes that are held. Relaxed atomics suffice: bounds may be exceeded for a moment.
#[derive(Debug, Default)]
struct Held {
    all: AtomicUsize,
    /// Of these, what [`Holder`]s can release.
    freeable: AtomicUsize,
}

impl Held {
    fn all(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }

    fn freeable(&self) -> usize {
        self.freeable.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for ConnectionMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("held", &self.held).field("bound", &self.bound).finish_non_exhaustive()
    }
}

impl Budget {
    /// For a transport with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(TransportMemory {
            limits,
            held: Held::default(),
            resets: AtomicU64::new(0),
            #[cfg(all(feature = "native", not(target_family = "wasm")))]
            missing_room: AtomicUsize::new(0),
            connections: Mutex::default(),
            enforcing: Mutex::default(),
        }))
    }

    /// The budget of a new connection. It may hold [`Limits::unauthenticated_bytes`] until [`ConnectionBudget::set_authenticated`].
    #[must_use]
    pub fn connection(&self) -> ConnectionBudget {
        let connection = Arc::new(ConnectionMemory {
            budget: self.clone(),
            held: Held::default(),
            bound: AtomicUsize::new(self.0.limits.unauthenticated_bytes),
            holders: Mutex::default(),
        });
        push_weak(&self.0.connections, Arc::downgrade(&connection));
        ConnectionBudget(connection)
    }

    /// The limits of the transport.
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

    /// Resets streams until there is room for what [`ConnectionBudget::has_room`] had none for, if anything. Otherwise every
    /// connection would lose its datagrams, with the bound almost reached, until somebody reads. Must not be called with a
    /// lock held, since it calls streams.
    #[cfg(all(feature = "native", not(target_family = "wasm")))]
    pub(crate) fn make_room(&self) {
        // Called for each datagram, so it only reads unless there is something to do.
        if self.0.missing_room.load(Ordering::Relaxed) > 0 {
            let bytes = self.0.missing_room.swap(0, Ordering::Relaxed);
            self.enforce(|| self.exceeded(bytes));
        }
    }

    /// Resets streams as long as `exceeded` names a bound and the connections that have to free memory.
    fn enforce(&self, exceeded: impl Fn() -> Option<Exceeded>) {
        if exceeded().is_none() {
            return;
        }
        let enforcing = locked(&self.0.enforcing);
        // Each holder is asked once, so the loop ends even if one releases nothing.
        let mut asked = HashSet::new();
        while let Some(Exceeded { connections, bound }) = exceeded() {
            let Some(holder) = connections.iter().find_map(|connection| connection.largest_holder(&asked)) else {
                break;
            };
            tracing::debug!(bound, held = holder.held(), "too much is unread; the stream that holds most is reset");
            self.0.resets.fetch_add(1, Ordering::Relaxed);
            asked.insert(address(&holder));
            holder.release(bound);
        }
        drop(enforcing);
    }

    /// The transport's bound, if it would be exceeded by so many bytes more and something can be released. The connections
    /// that can release most come first.
    fn exceeded(&self, more: usize) -> Option<Exceeded> {
        let bound = self.0.limits.transport_bytes;
        if self.held() + more <= bound || self.0.held.freeable() == 0 {
            return None;
        }
        let mut connections: Vec<_> = locked(&self.0.connections).iter().filter_map(Weak::upgrade).collect();
        connections.sort_by_cached_key(|connection| Reverse(connection.held.freeable()));
        Some(Exceeded { connections, bound })
    }
}

/// The bound that is exceeded, and the connections that have to free memory, in this order.
struct Exceeded {
    connections: Vec<Arc<ConnectionMemory>>,
    bound: usize,
}

impl ConnectionBudget {
    /// The other side is authenticated: the connection may hold [`Limits::connection_bytes`].
    pub fn set_authenticated(&self) {
        self.0.bound.store(self.limits().connection_bytes, Ordering::Relaxed);
    }

    /// The limits of the transport.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.budget.limits()
    }

    pub(crate) fn register(&self, holder: Weak<dyn Holder>) {
        push_weak(&self.0.holders, holder);
    }

    /// A registered holder can release `now` bytes, and could release `before`.
    pub(crate) fn update_held(&self, before: usize, now: usize) {
        change(&self.0.held.freeable, before, now);
        change(&self.0.budget.0.held.freeable, before, now);
        self.update_fixed(before, now);
    }

    /// The same for memory of the connection that no holder can release.
    pub(crate) fn update_fixed(&self, before: usize, now: usize) {
        change(&self.0.held.all, before, now);
        self.update_queued(before, now);
    }

    /// The same for memory that counts for the transport, but not against the connection's bound.
    pub(crate) fn update_queued(&self, before: usize, now: usize) {
        change(&self.0.budget.0.held.all, before, now);
    }

    /// Whether the connection holds more than half of its bound, so that writers should wait.
    pub(crate) fn is_half_full(&self) -> bool {
        self.0.held.all() > self.0.bound.load(Ordering::Relaxed) / 2
    }

    /// Whether the transport has room for a datagram of so many bytes. If not, [`Budget::make_room`] makes some. Not needed in
    /// a browser, which keeps datagrams itself.
    #[cfg(all(feature = "native", not(target_family = "wasm")))]
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let has_room = self.0.budget.held() + bytes <= self.limits().transport_bytes;
        if !has_room {
            self.0.budget.0.missing_room.fetch_max(bytes, Ordering::Relaxed);
        }
        has_room
    }

    /// Resets streams until no bound is exceeded. Must not be called with a lock held, since it calls streams.
    pub(crate) fn enforce(&self) {
        self.0.budget.enforce(|| self.exceeded());
    }

    fn exceeded(&self) -> Option<Exceeded> {
        let (connection, bound) = (&self.0, self.0.bound.load(Ordering::Relaxed));
        if connection.held.all() > bound && connection.held.freeable() > 0 {
            return Some(Exceeded { connections: vec![connection.clone()], bound });
        }
        connection.budget.exceeded(0)
    }
}

impl ConnectionMemory {
    /// The holder that holds most, of those that were not asked yet.
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

/// Adds to a list. Entries that are gone are removed only when the list would have to grow.
fn push_weak<T: ?Sized>(list: &Mutex<Vec<Weak<T>>>, new: Weak<T>) {
    let mut list = locked(list);
    if list.len() == list.capacity() {
        list.retain(|old| old.strong_count() > 0);
    }
    list.push(new);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while it is held leaves a list whose entries are all valid.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
