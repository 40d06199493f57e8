//! From an encrypted connection to a peer: Noise over the first stream, begun by the listener.

use std::{future::poll_fn, pin::pin, time::Duration};

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
use tokio::time::timeout;

use super::Connection;
use crate::{
    Stream,
    direct::{address::Fingerprint, noise_prologue},
};

/// Until a connection is encrypted, and again until it is authenticated.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a dialer of version 1 gets before the first stream: libp2p-webrtc looks for streams a moment after the
/// handshake, and loses those that came before.
pub(super) const FIRST_STREAM_DELAY: Duration = Duration::from_millis(10);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// Nothing to send from, or nothing that may be sent to.
    #[error("no UDP socket reaches that address: {0}")]
    Socket(#[from] std::io::Error),
    /// ICE takes no such address.
    #[error("nobody can be dialled at that address")]
    Address,
    /// Nobody answered, or it went away.
    #[error("no connection: {0}")]
    Ended(&'static str),
    /// Whoever answered is not who it says it is.
    #[error("the other side does not prove who it is: {0}")]
    Noise(#[from] noise::Error),
    /// In time.
    #[error("no answer within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    TimedOut,
}

/// Which side of Noise this is.
pub(super) enum Role {
    Listener,
    Dialer,
}

/// Finds out who the other side is.
pub(super) async fn authenticate(
    connection: Connection,
    handshake: Stream,
    role: Role,
    keypair: &Keypair,
    [dialer, listener]: [&Fingerprint; 2],
) -> Result<(PeerId, Connection), HandshakeError> {
    let noise = noise::Config::new(keypair)?.with_prologue(noise_prologue(dialer, listener));
    let name = noise.protocol_info().next().unwrap_or("/noise");
    let noise = pin!(async {
        let (peer, mut stream) = match role {
            Role::Listener => noise.upgrade_outbound(handshake, name).await?,
            Role::Dialer => noise.upgrade_inbound(handshake, name).await?,
        };
        // Its end is of no consequence.
        let _ = stream.close().await;
        Ok(peer)
    });
    let ended = pin!(poll_fn(|cx| connection.poll_end(cx)));
    let made = timeout(HANDSHAKE_TIMEOUT, select(noise, ended)).await;
    let peer = match made.map_err(|_| HandshakeError::TimedOut)? {
        Either::Left((peer, _)) => peer.map_err(HandshakeError::Noise)?,
        Either::Right((why, _)) => return Err(HandshakeError::Ended(why)),
    };
    Ok((peer, connection))
}
