//! Which of a hub's addresses is dialled first: a WebSocket is open in fewer steps than WebRTC, and costs the page less.
//!
//! All are dialled at once by libp2p. WebRTC holds back while a WebSocket is being opened, for a moment only.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::FutureExt as _;
use libp2p::core::transport::{DialOpts, ListenerId, Transport, TransportError, TransportEvent};
use n0_future::time::timeout;
use tincan_shared::Multiaddr;
use tokio::sync::watch;

/// For how long WebRTC waits for a WebSocket that is neither open nor refused.
const HEAD_START: Duration = Duration::from_millis(250);

/// How many connections are being opened that go first.
#[derive(Debug, Clone)]
pub(crate) struct Opening(watch::Sender<usize>);

/// One of them.
struct Counted(Opening);

impl Opening {
    pub(crate) fn none() -> Self {
        Self(watch::Sender::new(0))
    }

    fn count(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

/// A transport among others that are dialled at once.
pub(crate) struct InTurn<T> {
    inner: T,
    opening: Opening,
    is_first: bool,
}

impl<T> InTurn<T> {
    /// It goes first.
    pub(crate) fn first(inner: T, opening: &Opening) -> Self {
        Self { inner, opening: opening.clone(), is_first: true }
    }

    /// It lets others go first.
    pub(crate) fn second(inner: T, opening: &Opening) -> Self {
        Self { inner, opening: opening.clone(), is_first: false }
    }
}

impl<T: Transport + Unpin> Transport for InTurn<T>
where
    T::Dial: Send + 'static,
{
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = Pin<Box<dyn Future<Output = Result<T::Output, T::Error>> + Send>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<T::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<T::Error>> {
        let dial = self.inner.dial(address, options)?;
        let counted = self.is_first.then(|| self.opening.count());
        let mut opening = self.opening.0.subscribe();
        Ok(async move {
            if counted.is_none() {
                // Either way it is our turn.
                let _ = timeout(HEAD_START, opening.wait_for(|count| *count == 0)).await;
            }
            let dialled = dial.await;
            drop(counted);
            dialled
        }
        .boxed())
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}
