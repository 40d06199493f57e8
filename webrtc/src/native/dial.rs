//! From an address to an authenticated connection.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use futures::channel::oneshot;
use libp2p::{PeerId, identity::Keypair};
use rand::distr::{Alphanumeric, SampleString};

use super::{
    certificate::Certificate,
    connection::Connection,
    endpoint::Endpoint,
    handshake::{HandshakeError, authenticate},
};
use crate::{
    Budget,
    direct::{
        address::Target,
        credentials::{Agreed, Credentials, Version},
        handshake::{Certificates, Role, Unproven},
        race::{Answered, newer_first, telling},
    },
};

/// Characters of what is drawn for each of the credentials.
const RANDOM: usize = 32;

/// Who dials, and with what.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    pub(super) keypair: Keypair,
    pub(super) certificate: Certificate,
    pub(super) budget: Budget,
    /// Version 2, and version 1 where nothing answers it, if none is set.
    pub(super) version: Option<Version>,
}

impl Dialer {
    /// The first connection that stands counts.
    pub(super) async fn dial(self, target: Target) -> Result<(PeerId, Connection), HandshakeError> {
        if let Some(version) = self.version {
            let (answered, _) = oneshot::channel();
            return self.attempt(version, answered, &target).await;
        }
        newer_first(|version, answered| self.attempt(version, answered, &target)).await
    }

    async fn attempt(
        &self,
        version: Version,
        answered: Answered,
        target: &Target,
    ) -> Result<(PeerId, Connection), HandshakeError> {
        let theirs = SocketAddr::new(target.ip, target.port);
        // Datagrams are told apart by their source: two connections to one address need two sockets.
        let (endpoint, _) = Endpoint::bind(unspecified(theirs), self.certificate.clone(), self.budget.clone(), false)?;
        let ours = SocketAddr::new(route(theirs)?.ip(), endpoint.socket().local().port());
        let random = || Alphanumeric.sample_string(&mut rand::rng(), RANDOM);
        let agreed = match version {
            Version::V1 => Agreed::v1(&random()),
            Version::V2 => {
                Agreed::v2(Credentials { ufrag: random(), password: random() }).map_err(|_| HandshakeError::Address)?
            }
        };
        let certificates = Certificates { dialer: self.certificate.fingerprint(), listener: target.certificate };
        let dialled = endpoint.dial(ours, theirs, target.certificate, &agreed);
        let (connection, stream, connected) = dialled.ok_or(HandshakeError::Address)?;
        let connected = telling(answered, connection.answered(), connected).await;
        connected.and_then(Result::ok).ok_or(Unproven::Ended("nobody answered"))?;
        authenticate(connection, stream, Role::Dialer, &self.keypair, certificates).await
    }
}

/// Any of our addresses of the same family.
pub(super) fn unspecified(theirs: SocketAddr) -> SocketAddr {
    match theirs {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// Our address on the way to another. Nothing is sent.
fn route(theirs: SocketAddr) -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind(unspecified(theirs))?;
    socket.connect(theirs)?;
    socket.local_addr()
}
