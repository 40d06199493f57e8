//! The state of a stream, and what follows from each change of it: what is sent, what is closed, who is woken.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
};

use n0_future::{
    task,
    time::{Instant, sleep_until},
};

use crate::{
    Account, Channel, Opened,
    budget::Holder,
    machine::{CLOSE_PATIENCE, Machine},
};

/// Bytes of memory that a stream takes by itself.
const STREAM_BYTES: usize = 1024;

/// What a stream, its feed and its outlet share.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Bytes that the machine holds, as the account knows them. Changed only by who holds the state.
    held: AtomicUsize,
    pub(crate) account: Account,
}

pub(crate) struct State {
    pub(crate) machine: Machine,
    pub(crate) link: Link,
    opened: Opened,
    /// Since both sides have had their last word, and the channel is the other side's to close.
    over_since: Option<Instant>,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waiting>,
    /// Who used the stream last, whether it waits or not.
    pub(crate) user: Option<Waker>,
    timed: bool,
}

/// A writer, and what it waits for. It is woken for nothing else: it would ask again, be told nothing new and, where
/// asking wakes it, never let anybody else run.
pub(crate) struct Waiting {
    pub(crate) waker: Waker,
    pub(crate) until: fn(&mut Machine) -> bool,
}

pub(crate) enum Link {
    /// The outlet will be connected.
    Awaited,
    Open(Box<dyn Channel>),
    Closed,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().machine.fmt(f)
    }
}

impl Shared {
    pub(crate) fn new(machine: Machine, opened: Opened, account: &Account) -> Arc<Self> {
        let state = State {
            machine,
            link: Link::Awaited,
            opened,
            over_since: None,
            reader: None,
            writer: None,
            user: None,
            timed: false,
        };
        let shared = Arc::new(Self { state: Mutex::new(state), held: AtomicUsize::new(0), account: account.clone() });
        account.occupied(0, STREAM_BYTES);
        account.join(Arc::downgrade(&shared) as Weak<dyn Holder>);
        shared
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it is held leaves a machine that is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the account what the machine holds now.
    pub(crate) fn count(&self, machine: &Machine) {
        let now = machine.held();
        self.account.changed(self.held.swap(now, Ordering::Relaxed), now);
    }

    /// Does something, then all that follows from it.
    pub(crate) fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut Machine) -> T) -> T {
        let mut state = self.lock();
        let changed = change(&mut state.machine);
        self.settle(state);
        changed
    }

    /// Sends and closes what is due, now and at the deadline; wakes whom it concerns without holding anything.
    pub(crate) fn settle(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let wakers = state.settle();
        self.count(&state.machine);
        if !state.timed
            && matches!(state.link, Link::Open(_))
            && let Some(deadline) = state.deadline()
        {
            state.timed = true;
            let shared = Arc::downgrade(self);
            drop(task::spawn(async move {
                sleep_until(deadline).await;
                let Some(shared) = shared.upgrade() else { return };
                let mut state = shared.lock();
                state.timed = false;
                shared.settle(state);
            }));
        }
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Holder for Shared {
    fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn give_up(self: Arc<Self>, bound: usize) {
        self.change(|machine| machine.overflow(bound));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.account.changed(self.held.load(Ordering::Relaxed), 0);
        self.account.occupied(STREAM_BYTES, 0);
    }
}

impl State {
    pub(crate) fn used_by(&mut self, cx: &Context<'_>) {
        match &mut self.user {
            Some(user) => user.clone_from(cx.waker()),
            None => self.user = Some(cx.waker().clone()),
        }
    }

    pub(crate) fn close(&mut self) {
        if let Link::Open(mut channel) = std::mem::replace(&mut self.link, Link::Closed) {
            channel.close();
        }
    }

    /// When something may be due though nothing happens.
    fn deadline(&self) -> Option<Instant> {
        self.over_since.map(|since| since + CLOSE_PATIENCE).or(self.machine.deadline())
    }

    /// Sends what can be sent, closes what is over. Returns who waits no longer.
    fn settle(&mut self) -> [Option<Waker>; 2] {
        if let Link::Open(channel) = &mut self.link {
            while channel.has_room() {
                let Some(frame) = self.machine.next_message() else { break };
                if channel.send(frame).is_err() {
                    self.machine.channel_closed();
                }
            }
            if (channel.has_room() || self.machine.is_broken()) && self.machine.is_over(now()) {
                let since = *self.over_since.get_or_insert_with(now);
                if self.opened == Opened::Here || now() >= since + CLOSE_PATIENCE {
                    self.close();
                }
            }
        }
        let reader = if self.machine.is_readable() { self.reader.take() } else { None };
        let writer = self.writer.take_if(|writer| (writer.until)(&mut self.machine)).map(|writer| writer.waker);
        [reader, writer]
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn now() -> Instant {
    Instant::now()
}
