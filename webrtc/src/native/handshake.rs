//! The bounds of a handshake, and how it may end.

use std::{future::poll_fn, time::Duration};

use libp2p::{PeerId, identity::Keypair};
use tokio::time::timeout;

use super::connection::Connection;
use crate::{
    Stream,
    direct::handshake::{self, Certificates, Role, Unproven},
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
    /// Nobody is reached by it any more.
    #[error("the listener's UDP socket failed: {0}")]
    Listener(#[source] std::io::Error),
    /// ICE takes no such address.
    #[error("nobody can be dialled at that address")]
    Address,
    /// Nobody answered as who they say they are.
    #[error(transparent)]
    Unproven(#[from] Unproven),
    /// In time.
    #[error("no answer within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    TimedOut,
}

/// Finds out who the other side of an encrypted connection is.
pub(super) async fn authenticate(
    connection: Connection,
    stream: Stream,
    role: Role,
    keypair: &Keypair,
    certificates: Certificates,
) -> Result<(PeerId, Connection), HandshakeError> {
    let ended = poll_fn(|cx| connection.poll_end(cx));
    let proved = timeout(HANDSHAKE_TIMEOUT, handshake::authenticate(stream, ended, role, keypair, certificates)).await;
    let peer = proved.map_err(|_| HandshakeError::TimedOut)??;
    connection.proved();
    Ok((peer, connection))
}
