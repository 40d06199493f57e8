//! The Noise handshake over an encrypted connection, its timeouts and its errors.

use std::{future::poll_fn, time::Duration};

use libp2p::{PeerId, identity::Keypair};
use tokio::time::timeout;

use super::connection::Connection;
use crate::{
    Stream,
    direct::handshake::{self, AuthenticationError, Certificates, Role},
};

/// Time for DTLS, and the same again for Noise.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the first stream to a dialer of version 1 is held back: libp2p-webrtc begins to accept streams a moment after the
/// handshake, and loses those that arrive earlier.
pub(super) const FIRST_STREAM_DELAY: Duration = Duration::from_millis(10);

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// No socket could be opened towards the address.
    #[error("no UDP socket reaches that address: {0}")]
    Socket(#[from] std::io::Error),
    /// The listener cannot be reached any more.
    #[error("the listener's UDP socket failed: {0}")]
    Listener(#[source] std::io::Error),
    /// ICE does not accept the address.
    #[error("nobody can be dialled at that address")]
    Address,
    /// The other side did not answer, or did not prove who it is.
    #[error(transparent)]
    AuthenticationError(#[from] AuthenticationError),
    /// The handshake took longer than [`HANDSHAKE_TIMEOUT`].
    #[error("no answer within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    TimedOut,
}

/// Authenticates the other side of an encrypted connection.
pub(super) async fn authenticate(
    connection: Connection,
    stream: Stream,
    role: Role,
    keypair: &Keypair,
    certificates: Certificates,
) -> Result<(PeerId, Connection), HandshakeError> {
    let ended = poll_fn(|cx| connection.poll_end(cx));
    let authenticated =
        timeout(HANDSHAKE_TIMEOUT, handshake::authenticate(stream, ended, role, keypair, certificates)).await;
    let peer = authenticated.map_err(|_| HandshakeError::TimedOut)??;
    connection.set_authenticated();
    Ok((peer, connection))
}
