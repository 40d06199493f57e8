//! The state of a stream behind its lock. After each change, [`Shared::process`] sends what is due, closes the channel if
//! the stream is over, and wakes whoever waited for that.

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
    Channel, ConnectionBudget, Opener,
    budget::Holder,
    machine::{FIN_ACK_TIMEOUT, Machine},
};

/// Bytes of memory that a stream takes by itself.
const STREAM_BYTES: usize = 1024;

/// What a stream, its channel's events and its channel's place share.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Memory that the machine holds, as it was last reported to the budget. Changed only with the state locked.
    held: AtomicUsize,
    pub(crate) memory: ConnectionBudget,
}

pub(crate) struct State {
    pub(crate) machine: Machine,
    pub(crate) channel: ChannelState,
    opener: Opener,
    /// Since when the stream is over, but the channel is left to the other side to close.
    over_since: Option<Instant>,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<WaitingWriter>,
    /// The task that used the stream last, whether it waits or not.
    pub(crate) last_user: Option<Waker>,
    has_timer: bool,
}

/// A writer and what it waits for. It is woken for nothing else: a writer that is woken in vain polls again and, where
/// polling wakes it, would never let another task run.
pub(crate) struct WaitingWriter {
    pub(crate) waker: Waker,
    pub(crate) until: fn(&mut Machine) -> bool,
}

pub(crate) enum ChannelState {
    /// It will be connected.
    Pending,
    Open(Box<dyn Channel>),
    Closed,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().machine.fmt(f)
    }
}

impl Shared {
    pub(crate) fn new(machine: Machine, opener: Opener, memory: &ConnectionBudget) -> Arc<Self> {
        let state = State {
            machine,
            channel: ChannelState::Pending,
            opener,
            over_since: None,
            reader: None,
            writer: None,
            last_user: None,
            has_timer: false,
        };
        let shared = Arc::new(Self { state: Mutex::new(state), held: AtomicUsize::new(0), memory: memory.clone() });
        memory.update_fixed(0, STREAM_BYTES);
        memory.register(Arc::downgrade(&shared) as Weak<dyn Holder>);
        shared
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it is held leaves a valid machine.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports to the budget what the machine holds now.
    pub(crate) fn count(&self, machine: &Machine) {
        let now = machine.held();
        self.memory.update_held(self.held.swap(now, Ordering::Relaxed), now);
    }

    /// Changes the machine, then processes that.
    pub(crate) fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut Machine) -> T) -> T {
        let mut state = self.lock();
        let update_held = change(&mut state.machine);
        self.process(state);
        update_held
    }

    /// Sends and closes what is due, now and at the deadline, and wakes tasks once the lock is released.
    pub(crate) fn process(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let wakers = state.process();
        self.count(&state.machine);
        if !state.has_timer
            && matches!(state.channel, ChannelState::Open(_))
            && let Some(deadline) = state.deadline()
        {
            state.has_timer = true;
            let shared = Arc::downgrade(self);
            drop(task::spawn(async move {
                sleep_until(deadline).await;
                let Some(shared) = shared.upgrade() else { return };
                let mut state = shared.lock();
                state.has_timer = false;
                shared.process(state);
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

    fn release(self: Arc<Self>, bound: usize) {
        self.change(|machine| machine.overflow(bound));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.memory.update_held(self.held.load(Ordering::Relaxed), 0);
        self.memory.update_fixed(STREAM_BYTES, 0);
    }
}

impl State {
    pub(crate) fn used_by(&mut self, cx: &Context<'_>) {
        match &mut self.last_user {
            Some(last_user) => last_user.clone_from(cx.waker()),
            None => self.last_user = Some(cx.waker().clone()),
        }
    }

    pub(crate) fn close(&mut self) {
        if let ChannelState::Open(mut channel) = std::mem::replace(&mut self.channel, ChannelState::Closed) {
            channel.close();
        }
    }

    /// When something becomes due by the passing of time.
    fn deadline(&self) -> Option<Instant> {
        self.over_since.map(|since| since + FIN_ACK_TIMEOUT).or(self.machine.deadline())
    }

    /// Sends what can be sent, and closes the channel if the stream is over. Returns the tasks to wake.
    fn process(&mut self) -> [Option<Waker>; 2] {
        if let ChannelState::Open(channel) = &mut self.channel {
            while channel.has_room() {
                let Some(frame) = self.machine.next_message() else { break };
                if channel.send(frame).is_err() {
                    self.machine.channel_closed();
                }
            }
            if (channel.has_room() || self.machine.has_failed()) && self.machine.can_close(now()) {
                let since = *self.over_since.get_or_insert_with(now);
                if self.opener == Opener::Local || now() >= since + FIN_ACK_TIMEOUT {
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
