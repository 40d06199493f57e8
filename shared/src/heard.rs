//! When each connection last brought something: an answer that is late may only wait behind what the peer sends.

use std::{
    collections::HashMap,
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::{
    Multiaddr, PeerId,
    core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox},
};
use n0_future::time::Instant;

/// When one connection last brought something; clones are of the same one.
#[derive(Debug, Clone)]
pub struct Ear(Arc<Mutex<Instant>>);

impl Ear {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(now())))
    }

    fn hear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now();
    }

    /// How long nothing has come.
    #[must_use]
    pub fn silence(&self) -> Duration {
        now().saturating_duration_since(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[allow(clippy::disallowed_methods, reason = "streams tell no time")]
fn now() -> Instant {
    Instant::now()
}

type Ears = Arc<Mutex<HashMap<(PeerId, Multiaddr), Ear>>>;

/// The ears of all connections, as many as there are connections; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Heard(Ears);

impl Heard {
    /// The connection to a peer at an address; two at one address have the later one's.
    #[must_use]
    pub fn ear(&self, peer: PeerId, address: &Multiaddr) -> Ear {
        let ears = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ears.get(&(peer, address.clone())).cloned().unwrap_or_else(Ear::new)
    }

    /// Listens to what a new connection brings, for as long as there is this connection.
    pub(crate) fn listen(&self, peer: PeerId, address: &Multiaddr, muxer: StreamMuxerBox) -> StreamMuxerBox {
        let (key, ear) = ((peer, address.clone()), Ear::new());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), ear.clone());
        StreamMuxerBox::new(Muxer { inner: muxer, listener: Listener { ears: self.0.clone(), key, ear } })
    }
}

/// Takes its ear from the table in the end.
struct Listener {
    ears: Ears,
    key: (PeerId, Multiaddr),
    ear: Ear,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut ears = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        if ears.get(&self.key).is_some_and(|ear| Arc::ptr_eq(&ear.0, &self.ear.0)) {
            ears.remove(&self.key);
        }
    }
}

struct Muxer {
    inner: StreamMuxerBox,
    listener: Listener,
}

impl StreamMuxer for Muxer {
    type Substream = Substream;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Substream>> {
        let inner = ready!(Pin::new(&mut self.inner).poll_inbound(cx))?;
        self.listener.ear.hear();
        Poll::Ready(Ok(Substream { inner, ear: self.listener.ear.clone() }))
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Substream>> {
        let inner = ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        Poll::Ready(Ok(Substream { inner, ear: self.listener.ear.clone() }))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

struct Substream {
    inner: SubstreamBox,
    ear: Ear,
}

impl fmt::Debug for Substream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Substream").finish_non_exhaustive()
    }
}

impl AsyncRead for Substream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let bytes = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        if bytes > 0 {
            self.ear.hear();
        }
        Poll::Ready(Ok(bytes))
    }
}

impl AsyncWrite for Substream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
