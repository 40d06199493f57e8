//! The libp2p transport: listens on and dials `/webrtc-direct`.

use std::{
    fmt,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use futures::FutureExt;
use libp2p::{
    Multiaddr, PeerId,
    core::transport::{self, DialOpts, ListenerId, TransportError, TransportEvent},
    identity::Keypair,
};

use super::{
    certificate::Certificate,
    connection::Connection,
    dial::Dialer,
    handshake::HandshakeError,
    listener::{Listener, Upgrade},
};
use crate::{
    Budget, Limits,
    direct::{
        address::{Target, parse_listen_address},
        credentials::Version,
    },
};

/// Listens and dials with one identity key. Each listening address has one UDP socket for all its connections; each dial has
/// a socket of its own, since connections of one socket are told apart by the remote address. Needs a tokio runtime.
pub struct Transport {
    dialer: Dialer,
    listeners: Vec<Listener>,
    closed: Vec<ListenerId>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("certificate", &self.dialer.certificate).finish_non_exhaustive()
    }
}

impl Transport {
    /// A transport with these limits.
    #[must_use]
    pub fn new(keypair: Keypair, certificate: Certificate, limits: Limits) -> Self {
        let dialer = Dialer { keypair, certificate, budget: Budget::new(limits), version: None };
        Self { dialer, listeners: Vec::new(), closed: Vec::new() }
    }

    /// The memory that all its connections hold.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.dialer.budget
    }

    /// Dials by one version only. The default is version 2, and version 1 where nothing answers that.
    #[must_use]
    pub fn dialling(mut self, version: Version) -> Self {
        self.dialer.version = Some(version);
        self
    }
}

impl transport::Transport for Transport {
    type Output = (PeerId, Connection);
    type Error = HandshakeError;
    type ListenerUpgrade = Upgrade;
    type Dial = Pin<Box<dyn Future<Output = Result<Self::Output, Self::Error>> + Send>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        let Ok((ip, port)) = parse_listen_address(&address) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let Dialer { keypair, certificate, budget, .. } = self.dialer.clone();
        let listener = Listener::new(id, SocketAddr::new(ip, port), keypair, certificate, budget);
        self.listeners.push(listener.map_err(|error| TransportError::Other(error.into()))?);
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        let found = self.listeners.iter_mut().find(|listener| listener.id == id);
        let known = found.map(Listener::close).is_some();
        if known {
            self.listeners.retain(|listener| listener.id != id);
            self.closed.push(id);
        }
        known
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<Self::Error>> {
        match Target::read(&address) {
            Ok(target) if options.role.is_dialer() => Ok(self.dialer.clone().dial(target).boxed()),
            _ => Err(TransportError::MultiaddrNotSupported(address)),
        }
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        if let Some(listener_id) = self.closed.pop() {
            return Poll::Ready(TransportEvent::ListenerClosed { listener_id, reason: Ok(()) });
        }
        for at in 0..self.listeners.len() {
            if let Poll::Ready(happened) = self.listeners[at].poll(cx) {
                match happened {
                    Some(happened) => return Poll::Ready(happened),
                    None => {
                        self.listeners.remove(at);
                        cx.waker().wake_by_ref();
                        break;
                    }
                }
            }
        }
        Poll::Pending
    }
}
