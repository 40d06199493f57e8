//! A libp2p stream over anything that is a data channel.

use std::{
    fmt, io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures::{AsyncRead, AsyncWrite};
use n0_future::{
    task,
    time::{Instant, sleep_until},
};

use crate::{
    Account, Acknowledging,
    budget::Holder,
    machine::{CLOSE_PATIENCE, Machine},
};

/// A data channel, ordered and reliable. What happens to it is told to its stream's [`Feed`].
pub trait Channel: Send + 'static {
    /// Whether it takes a message now. Once it did not, [`Feed::drained`] says that it does again.
    fn has_room(&self) -> bool;

    /// Sends a message.
    ///
    /// # Errors
    /// [`ChannelGone`].
    fn send(&mut self, message: Bytes) -> Result<(), ChannelGone>;

    /// Closes it once everything is sent, and frees what it holds. Nothing is asked of it afterwards. It may be called
    /// from within what calls the [`Feed`].
    fn close(&mut self);
}

/// The channel is closed, or its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the channel is closed")]
pub struct ChannelGone;

/// What a channel's owner tells its stream.
#[derive(Debug, Clone)]
pub struct Feed(Arc<Shared>);

/// See the [module](self). A stream that is dropped before it was closed is reset; the channel closes when both sides
/// have had their last word.
#[derive(Debug)]
pub struct Stream(Arc<Shared>);

/// Bytes of memory that a stream takes by itself.
const STREAM_BYTES: usize = 1024;

struct Shared {
    state: Mutex<State>,
    /// Bytes that the machine holds, as the account knows them. Changed only by who holds the state.
    held: AtomicUsize,
    account: Account,
}

struct State {
    machine: Machine,
    link: Link,
    opened: Opened,
    /// Since both sides have had their last word, and the channel is the other side's to close.
    over_since: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waiting>,
    /// Who used the stream last, whether it waits or not.
    user: Option<Waker>,
    timed: bool,
}

/// A writer, and what it waits for. It is woken for nothing else: it would ask again, be told nothing new and, where
/// asking wakes it, never let anybody else run.
struct Waiting {
    waker: Waker,
    until: fn(&mut Machine) -> bool,
}

enum Link {
    /// [`Outlet::connect`] comes.
    Awaited,
    Open(Box<dyn Channel>),
    Closed,
}

/// Who opened a channel, and so closes it.
///
/// A channel's number is its opener's to use again. If both sides closed it, the answer to the one close could meet the
/// next channel of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It is closed when both sides have had their last word.
    Here,
    /// It is left to the other side for a while, then closed all the same.
    There,
}

/// Where a stream waits for its channel.
#[derive(Debug)]
#[must_use]
pub struct Outlet(Arc<Shared>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().machine.fmt(f)
    }
}

/// A stream over a channel, and what feeds it.
#[must_use]
pub fn open(channel: impl Channel, opened: Opened, account: &Account, acknowledging: Acknowledging) -> (Stream, Feed) {
    let (stream, feed, outlet) = unconnected(opened, account, acknowledging);
    outlet.connect(channel);
    (stream, feed)
}

/// The same where the channel needs to know the feed: a stream whose channel comes by the outlet.
pub fn unconnected(opened: Opened, account: &Account, acknowledging: Acknowledging) -> (Stream, Feed, Outlet) {
    let state = State {
        machine: Machine::new(account.limits(), acknowledging),
        link: Link::Awaited,
        opened,
        over_since: None,
        reader: None,
        writer: None,
        user: None,
        timed: false,
    };
    let shared = Arc::new(Shared { state: Mutex::new(state), held: AtomicUsize::new(0), account: account.clone() });
    account.occupied(0, STREAM_BYTES);
    account.join(Arc::downgrade(&shared) as Weak<dyn Holder>);
    (Stream(shared.clone()), Feed(shared.clone()), Outlet(shared))
}

impl Outlet {
    /// Here it is.
    pub fn connect(self, channel: impl Channel) {
        let mut state = self.0.lock();
        let gone = matches!(state.link, Link::Closed);
        state.link = Link::Open(Box::new(channel));
        if gone {
            state.close();
        }
        self.0.settle(state);
    }
}

impl Feed {
    /// A message has come.
    ///
    /// With nobody waiting to read, whoever used the stream last is woken once: over other muxers a connection is polled
    /// when bytes come for any of its streams, and libp2p's ping, having answered, looks for the next one only then.
    pub fn message(&self, message: Bytes) {
        let mut state = self.0.lock();
        state.machine.receive(message);
        let user = if state.reader.is_none() { state.user.take() } else { None };
        self.0.settle(state);
        user.into_iter().for_each(Waker::wake);
        self.0.account.relieve();
    }

    /// The channel takes messages again.
    pub fn drained(&self) {
        self.0.change(|_| {});
    }

    /// The channel is closed, or its connection.
    pub fn closed(&self) {
        let mut state = self.0.lock();
        state.machine.channel_closed();
        state.close();
        self.0.settle(state);
    }

    /// Whether there is a channel, or will be.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.0.lock().link, Link::Closed)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it is held leaves a machine that is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the account what the machine holds now.
    fn count(&self, machine: &Machine) {
        let now = machine.held();
        self.account.changed(self.held.swap(now, Ordering::Relaxed), now);
    }

    /// Does something, then all that follows from it.
    fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut Machine) -> T) -> T {
        let mut state = self.lock();
        let changed = change(&mut state.machine);
        self.settle(state);
        changed
    }

    /// Sends and closes what is due, now and at the deadline; wakes whom it concerns without holding anything.
    fn settle(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
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
    fn used_by(&mut self, cx: &Context<'_>) {
        match &mut self.user {
            Some(user) => user.clone_from(cx.waker()),
            None => self.user = Some(cx.waker().clone()),
        }
    }

    fn close(&mut self) {
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

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock();
        state.used_by(cx);
        let read = state.machine.read(buffer);
        self.0.count(&state.machine);
        match read {
            Ok(Some(count)) => Poll::Ready(Ok(count)),
            Ok(None) => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
            Err(broken) => Poll::Ready(Err(broken.into())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().used_by(cx);
        // With much held, a stream whose channel takes nothing gets no more than a frame, so that it is woken by its own.
        let tight = self.0.account.is_tight();
        match self.0.change(|machine| if tight { machine.write_frame(bytes) } else { machine.write(bytes) }) {
            Ok(Some(count)) => Poll::Ready(Ok(count)),
            Ok(None) if tight => self.wait(cx, |machine| !matches!(machine.is_flushed(), Ok(false))),
            Ok(None) => self.wait(cx, |machine| machine.has_room()),
            Err(unwritable) => Poll::Ready(Err(unwritable.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0.change(|machine| machine.is_flushed()) {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => self.wait(cx, |machine| !matches!(machine.is_flushed(), Ok(false))),
            Err(broken) => Poll::Ready(Err(broken.into())),
        }
    }

    /// Ready when the peer has been told, not when it has acknowledged: it may have an answer to give first.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.change(|machine| drop(machine.finish()));
        match self.0.change(Machine::finish) {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => self.wait(cx, |machine| !matches!(machine.finish(), Ok(false))),
            Err(broken) => Poll::Ready(Err(broken.into())),
        }
    }
}

impl Stream {
    /// Waits for the channel to take more; asks again at once if it did so in between.
    fn wait<T>(&self, cx: &Context<'_>, until: fn(&mut Machine) -> bool) -> Poll<T> {
        let mut state = self.0.lock();
        if until(&mut state.machine) {
            cx.waker().wake_by_ref();
        } else {
            state.writer = Some(Waiting { waker: cx.waker().clone(), until });
        }
        Poll::Pending
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.change(Machine::abandon);
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn now() -> Instant {
    Instant::now()
}
