//! Closes a WebSocket gracefully when it is dropped.
//!
//! A multiplexer that is done just drops its connection. If a browser's closing frame then meets a TCP reset, the browser
//! reports a broken connection. So the connection is closed in the background instead.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::{runtime::Handle, sync::Semaphore, time::timeout};

/// Time for both sides to close.
const GRACEFUL_CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Connections being closed at once; further ones are dropped at once.
const MAX_GRACEFUL_CLOSES: usize = 256;

static SLOTS: Semaphore = Semaphore::const_new(MAX_GRACEFUL_CLOSES);

/// A stream of bytes that is closed when it is dropped, in the background.
#[derive(Debug)]
pub struct GracefulClose<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> {
    /// None once dropped.
    stream: Option<S>,
    /// The other side has closed, or is gone.
    is_finished: bool,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> GracefulClose<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream: Some(stream), is_finished: false }
    }

    fn poll<T>(
        &mut self,
        call: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<T>>,
        is_end: impl FnOnce(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(io::ErrorKind::NotConnected.into())) };
        let polled = call(Pin::new(stream));
        if let Poll::Ready(outcome) = &polled {
            self.is_finished |= outcome.as_ref().map_or(true, is_end);
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Drop for GracefulClose<S> {
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take().filter(|_| !self.is_finished) else { return };
        let (Ok(runtime), Ok(slot)) = (Handle::try_current(), SLOTS.try_acquire()) else { return };
        runtime.spawn(async move {
            let close_both = async {
                stream.close().await?;
                // Reads to the end, since the system resets a connection that is closed with bytes unread.
                let mut unread = [0; 4096];
                while stream.read(&mut unread).await? > 0 {}
                io::Result::Ok(())
            };
            // If it takes longer or fails, the connection is dropped.
            let _ = timeout(GRACEFUL_CLOSE_TIMEOUT, close_both).await;
            drop(slot);
        });
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> AsyncRead for GracefulClose<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let asked = !buffer.is_empty();
        self.poll(|stream| stream.poll_read(cx, buffer), |read| asked && *read == 0)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> AsyncWrite for GracefulClose<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write(cx, buffer), |_| false)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_flush(cx), |()| false)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_close(cx), |()| false)
    }
}
