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

/// A transport that goes first.
pub(crate) struct First<T>(pub(crate) T, pub(crate) Opening);

/// A transport that lets others go first.
pub(crate) struct Second<T>(pub(crate) T, pub(crate) Opening);

type Dial<T> = Pin<Box<dyn Future<Output = Result<<T as Transport>::Output, <T as Transport>::Error>> + Send>>;

macro_rules! pass_on {
    () => {
        fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<T::Error>> {
            self.0.listen_on(id, address)
        }

        fn remove_listener(&mut self, id: ListenerId) -> bool {
            self.0.remove_listener(id)
        }

        fn poll(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
            Pin::new(&mut self.0).poll(cx)
        }
    };
}

impl<T: Transport + Unpin> Transport for First<T>
where
    T::Dial: Send + 'static,
{
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = Dial<T>;

    pass_on!();

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<T::Error>> {
        let dial = self.0.dial(address, options)?;
        let counted = self.1.count();
        Ok(async move {
            let dialled = dial.await;
            drop(counted);
            dialled
        }
        .boxed())
    }
}

impl<T: Transport + Unpin> Transport for Second<T>
where
    T::Dial: Send + 'static,
{
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = Dial<T>;

    pass_on!();

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<T::Error>> {
        let dial = self.0.dial(address, options)?;
        let mut opening = self.1.0.subscribe();
        Ok(async move {
            // Either way it is our turn.
            let _ = timeout(HEAD_START, opening.wait_for(|count| *count == 0)).await;
            dial.await
        }
        .boxed())
    }
}
