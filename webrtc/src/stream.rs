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
    Channel, ConnectionBudget, FinAckSupport, Opener,
    machine::Machine,
    stream_state::{ChannelState, Shared, WaitingWriter},
};

/// Tells a stream what happens to its channel. Held by the channel's owner.
#[derive(Debug, Clone)]
pub struct ChannelEvents(Arc<Shared>);

/// A libp2p stream. One that is dropped before it was closed is reset. Its channel is closed once both directions have ended.
#[derive(Debug)]
pub struct Stream(Arc<Shared>);

/// The place of a stream's channel, which comes later.
#[derive(Debug)]
#[must_use]
pub struct ChannelSlot(Arc<Shared>);

/// A stream over a channel, and the handle for the channel's events.
#[must_use]
pub fn open(
    channel: impl Channel,
    opener: Opener,
    memory: &ConnectionBudget,
    fin_ack: FinAckSupport,
) -> (Stream, ChannelEvents) {
    let (stream, events, slot) = pending_stream(opener, memory, fin_ack);
    slot.connect(channel);
    (stream, events)
}

/// The same for a channel that needs the handle to be made: a stream whose channel is connected later.
pub fn pending_stream(
    opener: Opener,
    memory: &ConnectionBudget,
    fin_ack: FinAckSupport,
) -> (Stream, ChannelEvents, ChannelSlot) {
    let shared = Shared::new(Machine::new(memory.limits(), fin_ack), opener, memory);
    (Stream(shared.clone()), ChannelEvents(shared.clone()), ChannelSlot(shared))
}

impl ChannelSlot {
    /// Gives the stream its channel.
    pub fn connect(self, channel: impl Channel) {
        let mut state = self.0.lock();
        let gone = matches!(state.channel, ChannelState::Closed);
        state.channel = ChannelState::Open(Box::new(channel));
        if gone {
            state.close();
        }
        self.0.process(state);
    }
}

impl ChannelEvents {
    /// The channel has received a message.
    ///
    /// If nobody waits to read, the task that used the stream last is woken once. libp2p's ping relies on that: having
    /// answered, it looks for the next ping only when polled, and other muxers poll a connection whenever bytes arrive.
    pub fn on_message(&self, message: Bytes) {
        let mut state = self.0.lock();
        state.machine.receive(message);
        let last_user = if state.reader.is_none() { state.last_user.take() } else { None };
        self.0.process(state);
        last_user.into_iter().for_each(Waker::wake);
        self.0.memory.enforce();
    }

    /// The channel takes messages again.
    pub fn on_drained(&self) {
        self.0.change(|_| {});
    }

    /// The channel is closed, or its connection.
    pub fn on_closed(&self) {
        let mut state = self.0.lock();
        state.machine.channel_closed();
        state.close();
        self.0.process(state);
    }

    /// Whether the channel is open, or will be connected.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.0.lock().channel, ChannelState::Closed)
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
            Err(failure) => Poll::Ready(Err(failure.into())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().used_by(cx);
        // With much memory held, a stream takes no more than a frame until its channel has taken that.
        let one_frame = self.0.memory.is_half_full();
        match self.0.change(|machine| if one_frame { machine.write_frame(bytes) } else { machine.write(bytes) }) {
            Ok(Some(count)) => Poll::Ready(Ok(count)),
            Ok(None) if one_frame => self.wait(cx, |machine| !matches!(machine.is_flushed(), Ok(false))),
            Ok(None) => self.wait(cx, |machine| machine.has_room()),
            Err(unwritable) => Poll::Ready(Err(unwritable.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0.change(|machine| machine.is_flushed()) {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => self.wait(cx, |machine| !matches!(machine.is_flushed(), Ok(false))),
            Err(failure) => Poll::Ready(Err(failure.into())),
        }
    }

    /// Ready when FIN is sent, not when it is acknowledged: the peer may have an answer to send first.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.change(|machine| drop(machine.finish()));
        match self.0.change(Machine::finish) {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => self.wait(cx, |machine| !matches!(machine.finish(), Ok(false))),
            Err(failure) => Poll::Ready(Err(failure.into())),
        }
    }
}

impl Stream {
    /// Waits until the channel has taken more. If it has meanwhile, the task is woken at once.
    fn wait<T>(&self, cx: &Context<'_>, until: fn(&mut Machine) -> bool) -> Poll<T> {
        let mut state = self.0.lock();
        if until(&mut state.machine) {
            cx.waker().wake_by_ref();
        } else {
            state.writer = Some(WaitingWriter { waker: cx.waker().clone(), until });
        }
        Poll::Pending
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.change(Machine::abandon);
    }
}
