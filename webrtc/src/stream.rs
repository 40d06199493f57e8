//! A libp2p stream over anything that is a data channel.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures::{AsyncRead, AsyncWrite};

use crate::{
    Account, Acknowledging, Channel, Opened,
    machine::Machine,
    stream_state::{Link, Shared, Waiting},
};

/// What a channel's owner tells its stream.
#[derive(Debug, Clone)]
pub struct Feed(Arc<Shared>);

/// See the [module](self). A stream that is dropped before it was closed is reset; the channel closes when both sides
/// have had their last word.
#[derive(Debug)]
pub struct Stream(Arc<Shared>);

/// Where a stream waits for its channel.
#[derive(Debug)]
#[must_use]
pub struct Outlet(Arc<Shared>);

/// A stream over a channel, and what feeds it.
#[must_use]
pub fn open(channel: impl Channel, opened: Opened, account: &Account, acknowledging: Acknowledging) -> (Stream, Feed) {
    let (stream, feed, outlet) = unconnected(opened, account, acknowledging);
    outlet.connect(channel);
    (stream, feed)
}

/// The same where the channel needs to know the feed: a stream whose channel comes by the outlet.
pub fn unconnected(opened: Opened, account: &Account, acknowledging: Acknowledging) -> (Stream, Feed, Outlet) {
    let shared = Shared::new(Machine::new(account.limits(), acknowledging), opened, account);
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
