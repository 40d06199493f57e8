//! Who the other side of an encrypted connection is: Noise over its first stream, begun by the listener.

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

/// Why a peer is not known.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// Nobody answered, or it went away.
    #[error("no connection: {0}")]
    Ended(&'static str),
    /// Whoever answered is not who it says it is.
    #[error("the other side does not prove who it is: {0}")]
    Noise(#[from] noise::Error),
}

/// Which side this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Speaks first.
    Listener,
    /// Answers.
    Dialer,
}

/// Both sides' certificates, which Noise binds to the peers.
#[derive(Debug, Clone, Copy)]
pub struct Certificates {
    /// Of who dialled.
    pub dialer: Fingerprint,
    /// Of who was dialled.
    pub listener: Fingerprint,
}

impl Certificates {
    fn prologue(&self) -> Vec<u8> {
        let hash = |fingerprint: &Fingerprint| fingerprint.multihash().to_bytes();
        [b"libp2p-webrtc-noise:".as_slice(), &hash(&self.dialer), &hash(&self.listener)].concat()
    }
}

/// Finds out who the other side is, unless the connection ends before.
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
        // Its end is of no consequence.
        let _ = stream.close().await;
        Ok(peer)
    });
    // The end comes first: to Noise it looks like somebody who cannot prove who they are.
    match select(pin!(ended), proof).await {
        Either::Left((why, _)) => Err(AuthenticationError::Ended(why)),
        Either::Right((authenticated, _)) => authenticated,
    }
}
