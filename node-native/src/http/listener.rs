//! Connections that strangers cannot hold for ever: so many at once, and each must get on.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};

/// Connections at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 512;
/// Until a request must be whole, from the connection's start or the last answer on; and until an answer must
/// have got on. Also how long an idle connection is kept.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(15);
/// After a failed accept (mostly: no file to spare) before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A listener whose connections are bounded.
pub(super) struct Bounded {
    listener: TcpListener,
    slots: Arc<Semaphore>,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)) }
    }
}

impl axum::serve::Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // The semaphore is never closed, so this is an error only in name.
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else { continue };
            match self.listener.accept().await {
                Ok((stream, peer)) => return (Connection::new(stream, slot), peer),
                Err(error) => {
                    tracing::debug!(%error, "cannot accept an HTTP connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// One connection. Only sent bytes count as getting on: a request has no body, so what arrives slowly is idling.
pub(super) struct Connection {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, slot: OwnedSemaphorePermit) -> Self {
        Self { stream, deadline: Box::pin(sleep(PROGRESS_TIMEOUT)), _slot: slot }
    }

    fn got_on(&mut self) {
        self.deadline.as_mut().reset(Instant::now() + PROGRESS_TIMEOUT);
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        if matches!(written, Poll::Ready(Ok(_))) {
            self.got_on();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use axum::serve::Listener;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_sends_slowly_is_dropped() {
        let mut bounded = Bounded::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let mut client = TcpStream::connect(bounded.local_addr().unwrap()).await.unwrap();
        let (mut connection, _) = bounded.accept().await;
        client.write_all(b"GET").await.unwrap();
        let mut sent = [0; 3];
        connection.read_exact(&mut sent).await.unwrap();
        // The clock jumps ahead by itself, as nothing else is left to happen.
        assert_eq!(connection.read(&mut sent).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
