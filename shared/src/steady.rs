//! Streams that are given up when they stand still, not when they take long: slow lines take long.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{AsyncRead, AsyncWrite};
use n0_future::time::{Sleep, sleep};

/// Bytes that count as moving on. Who sends them one by one stands still.
const STEP_BYTES: usize = 4 * 1024;

/// Fails once fewer than `STEP_BYTES` have come or gone for so long.
#[derive(Debug)]
pub(crate) struct Steady<S> {
    stream: S,
    patience: Duration,
    /// Ends when the patience does.
    end: Pin<Box<Sleep>>,
    /// Bytes since it began.
    moved: usize,
}

impl<S> Steady<S> {
    /// From now on.
    pub(crate) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, end: Box::pin(sleep(patience)), moved: 0 }
    }

    fn bytes(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = polled {
            self.moved = self.moved.saturating_add(bytes);
            if self.moved >= STEP_BYTES {
                (self.moved, self.end) = (0, Box::pin(sleep(self.patience)));
            }
        }
        self.in_time(cx, polled)
    }

    fn in_time<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_pending() && self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Steady<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.bytes(cx, polled)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Steady<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bytes(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.in_time(cx, polled)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_close(cx);
        self.in_time(cx, polled)
    }
}

#[cfg(test)]
// In virtual time, which a browser does not have.
#[cfg(not(target_family = "wasm"))]
mod tests {
    use futures::{AsyncReadExt, FutureExt, StreamExt, TryStreamExt, stream};
    use n0_future::time::Instant;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Reads so many bytes of which so many come in a second; how long it took, in virtual time.
    async fn read(bytes: u64, per_second: usize) -> (io::Result<usize>, Duration) {
        #[allow(clippy::disallowed_methods, reason = "the test's own virtual clock")]
        let now = Instant::now;
        let began = now();
        let second = move |()| sleep(Duration::from_secs(1)).map(move |()| Some((Ok(vec![7; per_second]), ())));
        let line = stream::unfold((), second).boxed_local().into_async_read();
        let mut all = Vec::new();
        let read = Steady::new(line, PATIENCE).take(bytes).read_to_end(&mut all).await;
        (read, now() - began)
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_byte_by_byte_is_given_up_and_who_is_slow_is_not() {
        let (dripped, took) = read(256 * 1024, 1).await;
        assert_eq!(dripped.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        assert!(took <= PATIENCE + Duration::from_secs(1), "{took:?}");

        let (slow, took) = read(256 * 1024, 1024).await;
        assert_eq!(slow.map_err(|error| error.kind()), Ok(256 * 1024));
        assert!(took > 8 * PATIENCE, "{took:?}");
    }
}
