//! Dialling: from an address to an authenticated connection.

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
        credentials::{Credentials, IceCredentials, Version},
        handshake::{AuthenticationError, Certificates, Role},
        race::{AnsweredSender, race_versions, with_answer_timeout},
    },
};

/// Characters of a random user name fragment or password.
const RANDOM: usize = 32;

/// What a transport dials with.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    pub(super) keypair: Keypair,
    pub(super) certificate: Certificate,
    pub(super) budget: Budget,
    /// The only version to dial by. If none: version 2, and version 1 where nothing answers that.
    pub(super) version: Option<Version>,
}

impl Dialer {
    /// Dials by one version or both; the first connection that is made counts.
    pub(super) async fn dial(self, target: Target) -> Result<(PeerId, Connection), HandshakeError> {
        if let Some(version) = self.version {
            let (answered, _) = oneshot::channel();
            return self.attempt(version, answered, &target).await;
        }
        race_versions(|version, answered| self.attempt(version, answered, &target)).await
    }

    async fn attempt(
        &self,
        version: Version,
        answered: AnsweredSender,
        target: &Target,
    ) -> Result<(PeerId, Connection), HandshakeError> {
        let theirs = SocketAddr::new(target.ip, target.port);
        // A socket tells its connections apart by the remote address, so each attempt needs a socket of its own.
        let (endpoint, _) = Endpoint::bind(unspecified(theirs), self.certificate.clone(), self.budget.clone(), false)?;
        let ours = SocketAddr::new(route(theirs)?.ip(), endpoint.socket().local().port());
        let random = || Alphanumeric.sample_string(&mut rand::rng(), RANDOM);
        let credentials = match version {
            Version::V1 => IceCredentials::v1(&random()),
            Version::V2 => IceCredentials::v2(Credentials { ufrag: random(), password: random() })
                .map_err(|_| HandshakeError::Address)?,
        };
        let certificates = Certificates { dialer: self.certificate.fingerprint(), listener: target.certificate };
        let dialled = endpoint.dial(ours, theirs, target.certificate, &credentials);
        let (connection, stream, connected) = dialled.ok_or(HandshakeError::Address)?;
        let connected = with_answer_timeout(answered, connection.answered(), connected).await;
        connected.and_then(Result::ok).ok_or(AuthenticationError::Ended("nobody answered"))?;
        authenticate(connection, stream, Role::Dialer, &self.keypair, certificates).await
    }
}

/// The wildcard address of the same family.
pub(super) fn unspecified(theirs: SocketAddr) -> SocketAddr {
    match theirs {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// The local address from which a remote one is reached. Nothing is sent.
fn route(theirs: SocketAddr) -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind(unspecified(theirs))?;
    socket.connect(theirs)?;
    socket.local_addr()
}
