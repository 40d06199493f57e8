//! Authenticates the other side of an encrypted connection: a Noise handshake on the first stream, begun by the listener.

use std::pin::pin;

use futures::{
    AsyncWriteExt,
    future::{Either, select},
};
use libp2p::{
    PeerId,
    core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo},
    identity::Keypair,
    noise,
};

use super::address::Fingerprint;
use crate::Stream;

/// Why a peer is not authenticated.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The connection ended before, for this reason.
    #[error("no connection: {0}")]
    Ended(&'static str),
    /// The peer could not prove its identity.
    #[error("the other side does not prove who it is: {0}")]
    Noise(#[from] noise::Error),
}

/// Which side this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sends the first message of Noise.
    Listener,
    /// Answers it.
    Dialer,
}

/// The fingerprints of both sides' certificates, which Noise binds to their identities.
#[derive(Debug, Clone, Copy)]
pub struct Certificates {
    /// The dialer's.
    pub dialer: Fingerprint,
    /// The listener's.
    pub listener: Fingerprint,
}

impl Certificates {
    fn prologue(&self) -> Vec<u8> {
        let hash = |fingerprint: &Fingerprint| fingerprint.multihash().to_bytes();
        [b"libp2p-webrtc-noise:".as_slice(), &hash(&self.dialer), &hash(&self.listener)].concat()
    }
}

/// Authenticates the peer. `ended` is ready, with the reason, if the connection ends before.
///
/// # Errors
/// [`AuthenticationError`].
pub async fn authenticate(
    stream: Stream,
    ended: impl Future<Output = &'static str>,
    role: Role,
    keypair: &Keypair,
    certificates: Certificates,
) -> Result<PeerId, AuthenticationError> {
    let noise = noise::Config::new(keypair)?.with_prologue(certificates.prologue());
    let name = noise.protocol_info().next().unwrap_or("/noise");
    let proof = pin!(async {
        let (peer, mut stream) = match role {
            Role::Listener => noise.upgrade_outbound(stream, name).await?,
            Role::Dialer => noise.upgrade_inbound(stream, name).await?,
        };
        // If closing fails, the peer is authenticated all the same.
        let _ = stream.close().await;
        Ok(peer)
    });
    // The end is polled first: Noise would report it as a failed proof.
    match select(pin!(ended), proof).await {
        Either::Left((why, _)) => Err(AuthenticationError::Ended(why)),
        Either::Right((authenticated, _)) => authenticated,
    }
}
