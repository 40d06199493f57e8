//! The end of a WebSocket, told and not cut off: a multiplexer that is done drops what carried it, and a browser whose
//! closing frame then meets a reset tells the user of a broken connection.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::{runtime::Handle, sync::Semaphore, time::timeout};

/// How long both sides get to say that they are done.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);
/// Connections that are being ended at once; further ones are cut off.
const MAX_FAREWELLS: usize = 256;

static FAREWELLS: Semaphore = Semaphore::const_new(MAX_FAREWELLS);

/// A stream of bytes that is closed when it is dropped, in the background.
#[derive(Debug)]
pub struct Farewell<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> {
    /// Nothing once dropped.
    stream: Option<S>,
    /// The other side has said that it is done, or is gone.
    over: bool,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Farewell<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream: Some(stream), over: false }
    }

    fn poll<T>(
        &mut self,
        call: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<T>>,
        is_end: impl FnOnce(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(io::ErrorKind::NotConnected.into())) };
        let polled = call(Pin::new(stream));
        if let Poll::Ready(outcome) = &polled {
            self.over |= outcome.as_ref().map_or(true, is_end);
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Drop for Farewell<S> {
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take().filter(|_| !self.over) else { return };
        let (Ok(runtime), Ok(place)) = (Handle::try_current(), FAREWELLS.try_acquire()) else { return };
        runtime.spawn(async move {
            let both = async {
                stream.close().await?;
                // What is still to come is unwanted; a socket that is closed with bytes unread resets.
                let mut unread = [0; 4096];
                while stream.read(&mut unread).await? > 0 {}
                io::Result::Ok(())
            };
            // Whoever is slower, or is gone, is cut off.
            let _ = timeout(FAREWELL_TIMEOUT, both).await;
            drop(place);
        });
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> AsyncRead for Farewell<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let asked = !buffer.is_empty();
        self.poll(|stream| stream.poll_read(cx, buffer), |read| asked && *read == 0)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> AsyncWrite for Farewell<S> {
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
