//! How addresses are dialled: names are resolved at each dial, and all addresses of one peer race (RFC 8305).
//!
//! [`Dialler`] wraps a transport. It resolves the name in an address, tries the resulting addresses one after the other, 250 ms
//! apart (`stagger::ATTEMPT_DELAY`) or as soon as one has failed, and takes the first connection. So a dead address costs a
//! quarter of a second and no retry. The addresses of one peer wait for each other, whichever name, dial or transport they
//! come from: they share a `stagger::Stagger`, found by the peer id at their end.
//!
//! It is used at two levels, since WebSocket needs the host name for TLS and for its request: for host names around plain TCP
//! (below WebSocket) and around the other transports, and for `/dnsaddr/`, which resolves to whole addresses, around all.

mod address_queue;
mod host_names;
mod race;
mod stagger;
mod txt;

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use libp2p::{
    Multiaddr,
    core::transport::{DialOpts, ListenerId, Transport, TransportError, TransportEvent},
    multiaddr::Protocol,
};

pub use host_names::LookupError;
pub use race::Reasons;

/// Time to connect to one address.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What all dials of a node share.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    host_names: host_names::HostNames,
    staggers: stagger::Staggers,
    dial_counts: address_queue::DialCounts,
}

/// Which names a [`Dialler`] replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// `/dns/`, `/dns4/` and `/dns6/`, by addresses of the host.
    Hosts,
    /// `/dnsaddr/`, by whole addresses.
    Dnsaddr,
}

impl Layer {
    /// The name to resolve in an address, and its position.
    fn name<'a>(self, address: &'a Multiaddr) -> Option<(usize, Protocol<'a>)> {
        address.iter().enumerate().find(|(_, part)| match part {
            Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) => self == Self::Hosts,
            Protocol::Dnsaddr(_) => self == Self::Dnsaddr,
            _ => false,
        })
    }
}

/// A transport that resolves names and races addresses.
#[derive(Debug)]
pub struct Dialler<T> {
    inner: Arc<Mutex<T>>,
    shared: Shared,
    layer: Layer,
}

impl<T> Dialler<T> {
    /// Wraps a transport that takes addresses without such names.
    pub fn new(inner: T, shared: Shared, layer: Layer) -> Self {
        Self { inner: Arc::new(Mutex::new(inner)), shared, layer }
    }
}

/// Why a dial failed.
#[derive(Debug, thiserror::Error)]
pub enum DialError<E: std::error::Error + 'static> {
    /// The transport's own error.
    #[error(transparent)]
    Transport(E),
    /// Nobody answered.
    #[error("no answer within {} s", CONNECT_TIMEOUT.as_secs())]
    NoAnswer,
    /// A name does not resolve.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A name resolves to nothing that can be dialled.
    #[error("no transport here can use {0}")]
    Unsupported(Multiaddr),
    /// Several addresses, each with its reason.
    #[error("{0}")]
    Several(Reasons),
}

impl<T> Transport for Dialler<T>
where
    T: Transport + Send + Unpin + 'static,
    T::Dial: Send + 'static,
    T::Output: Send,
    T::Error: Send + Sync + 'static,
{
    type Output = T::Output;
    type Error = DialError<T::Error>;
    type ListenerUpgrade = futures::future::MapErr<T::ListenerUpgrade, fn(T::Error) -> Self::Error>;
    type Dial = BoxFuture<'static, Result<T::Output, Self::Error>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        lock(&self.inner).listen_on(id, address).map_err(|error| error.map(DialError::Transport))
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        lock(&self.inner).remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<Self::Error>> {
        if self.layer.name(&address).is_some() {
            let (inner, shared, layer) = (self.inner.clone(), self.shared.clone(), self.layer);
            return Ok(race::dial(inner, shared, layer, address, options).boxed());
        }
        let stagger = self.shared.staggers.of(&address);
        let dial = lock(&self.inner).dial(address, options).map_err(|error| error.map(DialError::Transport))?;
        Ok(match self.layer {
            Layer::Hosts => race::dial_one(dial, stagger).boxed(),
            // The layer below sees to time-out and delay.
            Layer::Dnsaddr => dial.map(|dialled| dialled.map_err(DialError::Transport)).boxed(),
        })
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        let event = Pin::new(&mut *lock(&self.inner)).poll(cx);
        let wrap: fn(T::Error) -> Self::Error = DialError::Transport;
        event.map(|event| {
            event.map_upgrade(|upgrade| futures::TryFutureExt::map_err(upgrade, wrap)).map_err(DialError::Transport)
        })
    }
}

/// A panic while one of these is locked leaves it valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
