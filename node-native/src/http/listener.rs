//! A bounded listener: only so many connections at once, and each has to make progress.

use std::{
    future::Future,
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tincan_shared::{IpNet, source};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{Instant, Sleep, sleep},
};

use super::{
    connection_slots::{Admitted, ConnectionId, ConnectionSlots},
    proxies::Proxies,
};

/// Until a request must be whole, from the connection's start or the last answer on; and until an answer must
/// have got on. Also how long an idle connection is kept.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of an answer that must be taken in a second, on average, to have more time.
const MIN_BYTES_PER_SECOND: u32 = 2048;
/// Bytes handed to the system at once: Windows takes any number as long as its buffer is not full, and then tells of no
/// progress until they are sent.
const PIECE: usize = 64 * 1024;
/// How long a connection with an extra slot lasts.
const EXTRA_TIMEOUT: Duration = Duration::from_secs(4);
/// After a failed accept (mostly: no file to spare) before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A listener whose connections are bounded.
pub(super) struct Bounded {
    listener: TcpListener,
    slots: Shared,
    proxies: Arc<Proxies>,
}

/// The slots, behind a lock that is held only for a decision.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<Mutex<ConnectionSlots>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, ConnectionSlots> {
        // After a panic the counts may be off by one, which is better than no page.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bounded {
    pub(super) fn new(listener: TcpListener, slots: Shared, proxies: Arc<Proxies>) -> Self {
        Self { listener, slots, proxies }
    }
}

impl axum::serve::Listener for Bounded {
    type Io = Connection;
    type Addr = Visitor;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let ip = peer.ip().to_canonical();
                    let (sender, cut) = oneshot::channel();
                    let admitted =
                        self.slots.lock().admit(self.proxies.bounded(ip).then(|| source(ip)), sender, Instant::now());
                    let visitor = Visitor { id: admitted.id, ip, slots: self.slots.clone() };
                    return (Connection::new(stream, &admitted, cut, self.slots.clone()), visitor);
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot accept an HTTP connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        let address: SocketAddr = self.listener.local_addr()?;
        Ok(Visitor { id: ConnectionId::MAX, ip: address.ip(), slots: self.slots.clone() })
    }
}

/// Whose request it is.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    id: ConnectionId,
    pub(super) ip: IpAddr,
    slots: Shared,
}

impl Visitor {
    /// A request has arrived. Returns whether it may be answered. `forwarded` is its source, if a trusted proxy named one.
    pub(super) fn begin(&self, forwarded: Option<IpNet>) -> bool {
        self.slots.lock().begin(self.id, forwarded, Instant::now()).is_ok()
    }

    pub(super) fn turned_away(&self) {
        self.slots.lock().turned_away();
    }
}

/// One connection. Only sent bytes count as progress: requests have no body, so one that arrives slowly is idle.
pub(super) struct Connection {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    cut: oneshot::Receiver<()>,
    id: ConnectionId,
    extra: bool,
    /// Whether some of an answer was written since the last whole one.
    writing: bool,
    slots: Shared,
}

impl Connection {
    fn new(stream: TcpStream, admitted: &Admitted, cut: oneshot::Receiver<()>, slots: Shared) -> Self {
        let Admitted { id, extra } = *admitted;
        let time = if extra { EXTRA_TIMEOUT } else { PROGRESS_TIMEOUT };
        Self { stream, deadline: Box::pin(sleep(time)), cut, id, extra, writing: false, slots }
    }

    /// So many bytes of an answer were sent.
    fn got_on(&mut self, bytes: usize) {
        if self.extra {
            return;
        }
        let now = Instant::now();
        self.slots.lock().progressed(self.id, now);
        let most = now + PROGRESS_TIMEOUT;
        let earned = Duration::from_secs(u64::try_from(bytes).unwrap_or(u64::MAX)) / MIN_BYTES_PER_SECOND;
        // An answer's first bytes give the whole time, what follows only what its bytes earn.
        let next = if self.writing { most.min(self.deadline.deadline() + earned) } else { most };
        self.writing = true;
        self.deadline.as_mut().reset(next);
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if Pin::new(&mut self.cut).poll(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.slots.lock().remove(self.id);
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    /// Without this, hyper copies each answer into one buffer.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &piece(bufs)))?;
        self.got_on(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written everything it holds: then the answer is with the system, and what comes
    /// next is idling.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.writing {
            self.writing = false;
            if !self.extra {
                self.deadline.as_mut().reset(Instant::now() + PROGRESS_TIMEOUT);
            }
            self.slots.lock().set_idle(self.id, Instant::now());
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// As many of the first bytes as are written at once.
fn piece<'a>(bufs: &'a [IoSlice<'a>]) -> Vec<IoSlice<'a>> {
    let mut left = PIECE;
    let mut cut = |buf: &'a IoSlice<'a>| {
        let taken = &buf[..buf.len().min(left)];
        left -= taken.len();
        IoSlice::new(taken)
    };
    bufs.iter().map(&mut cut).filter(|buf| !buf.is_empty()).collect()
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
