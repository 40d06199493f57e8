//! What transport and behaviour tell each other.

use std::sync::Arc;

use futures::channel::oneshot;
use libp2p::{Multiaddr, PeerId, Stream};

use super::exchange::ExchangeError;

/// Why a dial or an offer came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The peer cannot be reached to arrange a connection.
    #[error("no connection over which a direct one could be arranged: {0}")]
    Unreachable(String),
    /// It does not know the protocol, or does not take our offers.
    #[error("it takes no direct connections: {0}")]
    Refused(String),
    /// Arranging failed.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The behaviour is gone.
    #[error("the node has ended")]
    Ended,
}

/// A stream that somebody wants to dial with.
#[derive(Debug)]
pub(super) struct StreamRequest {
    pub(super) peer: PeerId,
    pub(super) circuit: Option<Multiaddr>,
    pub(super) reply: oneshot::Sender<Result<Stream, TransportError>>,
}

/// An offer that was taken.
#[derive(Debug)]
pub(super) struct TakenOffer {
    pub(super) peer: PeerId,
    pub(super) stream: Stream,
    pub(super) place: Place,
}

/// A place among the offers of one peer that are under way, given back on drop.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "counted")] pub(super) Arc<PeerId>);
