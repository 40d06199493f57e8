//! A connection as a stream muxer.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};

use super::{core::Wakers, shared::Shared};
use crate::Stream;

/// A connection as a stream muxer. It is closed on drop.
#[derive(Debug)]
pub struct Connection(Arc<Shared>);

impl Connection {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Waits until the listener has answered a STUN request of ours. To be awaited once.
    pub(super) async fn answered(&self) {
        self.0.answered.notified().await;
    }

    /// Lifts the tighter bounds that hold until the other side is authenticated.
    pub(super) fn set_authenticated(&self) {
        self.0.set_authenticated();
    }

    /// Ready once the connection is over, with the reason.
    pub(super) fn poll_end(&self, cx: &Context<'_>) -> Poll<&'static str> {
        self.poll_ended(cx, |wakers| &mut wakers.ended)
    }

    fn poll_ended(&self, cx: &Context<'_>, which: fn(&mut Wakers) -> &mut Option<Waker>) -> Poll<&'static str> {
        let mut core = self.0.lock();
        if let Some(why) = core.ended {
            return Poll::Ready(why);
        }
        *which(&mut core.wakers) = Some(cx.waker().clone());
        Poll::Pending
    }

    fn close(&self) {
        self.0.lock().closing = true;
        self.0.work.notify_one();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

impl StreamMuxer for Connection {
    type Substream = Stream;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let mut core = self.0.lock();
        if let Some(stream) = core.inbound.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        if let Some(why) = core.ended {
            return Poll::Ready(Err(aborted(why)));
        }
        core.wakers.inbound = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_outbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        if let Some(why) = self.0.lock().ended {
            return Poll::Ready(Err(aborted(why)));
        }
        // The spec wants an empty label, which is the default.
        Poll::Ready(Ok(self.0.open()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        self.poll_ended(cx, |wakers| &mut wakers.closed).map(|_| Ok(()))
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        self.poll_end(cx).map(|why| Err(aborted(why)))
    }
}

fn aborted(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, why)
}
