//! The libp2p transport, which only dials `/webrtc-direct`.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::FutureExt;
use libp2p::{
    Multiaddr, PeerId,
    core::transport::{self, DialOpts, ListenerId, TransportError, TransportEvent},
    identity::Keypair,
};
use send_wrapper::SendWrapper;

use super::{
    connection::Connection,
    dial::{DialError, dial},
};
use crate::{Budget, Limits, direct::address::Target};

/// Dials with one identity key.
#[derive(Debug)]
pub struct Transport {
    keypair: Keypair,
    budget: Budget,
}

impl Transport {
    /// A transport with these limits.
    #[must_use]
    pub fn new(keypair: Keypair, limits: Limits) -> Self {
        Self { keypair, budget: Budget::new(limits) }
    }
}

impl transport::Transport for Transport {
    type Output = (PeerId, Connection);
    type Error = DialError;
    type ListenerUpgrade = futures::future::Pending<Result<Self::Output, Self::Error>>;
    type Dial = Pin<Box<dyn Future<Output = Result<Self::Output, Self::Error>> + Send>>;

    fn listen_on(&mut self, _: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<Self::Error>> {
        match Target::read(&address) {
            Ok(target) if options.role.is_dialer() => {
                Ok(SendWrapper::new(dial(target, self.keypair.clone(), self.budget.clone())).boxed())
            }
            _ => Err(TransportError::MultiaddrNotSupported(address)),
        }
    }

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Poll::Pending
    }
}
