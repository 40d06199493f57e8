//! Notices a WebSocket that closed: the published transport wakes nobody for it, so that a lost hub
//! would be found out by the next ping only.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{AsyncRead, AsyncWrite, FutureExt as _};
use n0_future::time::{Sleep, sleep};

/// How often a silent connection is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A connection whose end is seen within [`LOOK_EVERY`].
#[derive(Debug)]
pub(crate) struct SeesClose<C> {
    inner: C,
    look: Sleep,
}

impl<C> SeesClose<C> {
    pub(crate) fn new(inner: C) -> Self {
        Self { inner, look: sleep(LOOK_EVERY) }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for SeesClose<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if let Poll::Ready(read) = Pin::new(&mut self.inner).poll_read(cx, buffer) {
                return Poll::Ready(read);
            }
            if self.look.poll_unpin(cx).is_pending() {
                return Poll::Pending;
            }
            self.look = sleep(LOOK_EVERY);
        }
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for SeesClose<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
