//! One listening address: tells where it can be reached, and authenticates inbound connections.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt, StreamExt};
use if_watch::{IfEvent, tokio::IfWatcher};
use libp2p::{
    Multiaddr, PeerId,
    core::transport::{ListenerId, TransportEvent},
    identity::Keypair,
    multiaddr::Protocol,
};
use tokio::time::sleep;

use super::{
    certificate::Certificate,
    connection::Connection,
    endpoint::Endpoint,
    handshake::{FIRST_STREAM_DELAY, HandshakeError, authenticate},
    incoming::{Incoming, IncomingConnection},
};
use crate::{
    Budget,
    direct::{
        address,
        credentials::Version,
        handshake::{Certificates, Role},
    },
};

pub(super) type Upgrade = Pin<Box<dyn Future<Output = Result<(PeerId, Connection), HandshakeError>> + Send>>;
pub(super) type ListenerEvent = TransportEvent<Upgrade, HandshakeError>;

/// See the [module](self).
pub(super) struct Listener {
    pub(super) id: ListenerId,
    endpoint: Arc<Endpoint>,
    incoming: Incoming,
    keypair: Keypair,
    certificate: Certificate,
    /// Watches the addresses of all interfaces, if the socket is bound to the wildcard address.
    interfaces: Option<IfWatcher>,
    pending: VecDeque<ListenerEvent>,
    closed: bool,
}

impl Listener {
    pub(super) fn new(
        id: ListenerId,
        address: SocketAddr,
        keypair: Keypair,
        certificate: Certificate,
        budget: Budget,
    ) -> io::Result<Self> {
        let (endpoint, incoming) = Endpoint::bind(address, certificate.clone(), budget, true)?;
        let interfaces = address.ip().is_unspecified().then(IfWatcher::new).transpose()?;
        let mut new =
            Self { id, endpoint, incoming, keypair, certificate, interfaces, pending: VecDeque::new(), closed: false };
        if new.interfaces.is_none() {
            let listen_addr = new.address(address.ip());
            new.pending.push_back(TransportEvent::NewAddress { listener_id: id, listen_addr });
        }
        Ok(new)
    }

    /// Accepts no further connections.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.incoming.connections.close();
    }

    /// Its next event; none when it has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<ListenerEvent>> {
        if self.closed {
            return Poll::Ready(None);
        }
        if let Some(happened) = self.pending.pop_front() {
            return Poll::Ready(Some(happened));
        }
        if let Some(happened) = self.poll_interfaces(cx) {
            return Poll::Ready(Some(happened));
        }
        let listener_id = self.id;
        if let Poll::Ready(Ok(error)) = self.incoming.failed.poll_unpin(cx) {
            self.close();
            let reason = Err(HandshakeError::Listener(error));
            return Poll::Ready(Some(TransportEvent::ListenerClosed { listener_id, reason }));
        }
        match self.incoming.connections.poll_recv(cx) {
            Poll::Ready(Some(connection)) => Poll::Ready(Some(self.incoming_event(connection))),
            Poll::Ready(None) => {
                self.closed = true;
                Poll::Ready(Some(TransportEvent::ListenerClosed { listener_id, reason: Ok(()) }))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn incoming_event(&self, incoming: IncomingConnection) -> ListenerEvent {
        let (keypair, listener) = (self.keypair.clone(), self.certificate.fingerprint());
        let at = |address: SocketAddr| address::listen_address(address.ip(), address.port());
        let (ours, theirs) = (incoming.ours, incoming.theirs);
        let upgrade = async move {
            let IncomingConnection { connection, handshake, dialer, version, slot, .. } = incoming;
            let certificates = Certificates { dialer, listener };
            let made = authenticate(connection, handshake, Role::Listener, &keypair, certificates).await;
            drop(slot);
            if version == Version::V1 {
                sleep(FIRST_STREAM_DELAY).await;
            }
            made
        };
        TransportEvent::Incoming {
            listener_id: self.id,
            upgrade: upgrade.boxed(),
            local_addr: self.address(ours.ip()),
            send_back_addr: at(theirs),
        }
    }

    fn poll_interfaces(&mut self, cx: &mut Context<'_>) -> Option<ListenerEvent> {
        let own = self.endpoint.socket().local().ip();
        while let Poll::Ready(Some(event)) = self.interfaces.as_mut()?.poll_next_unpin(cx) {
            let listener_id = self.id;
            match event {
                Ok(IfEvent::Up(net)) if same_family(own, net.addr()) => {
                    let listen_addr = self.address(net.addr());
                    return Some(TransportEvent::NewAddress { listener_id, listen_addr });
                }
                Ok(IfEvent::Down(net)) if same_family(own, net.addr()) => {
                    let listen_addr = self.address(net.addr());
                    return Some(TransportEvent::AddressExpired { listener_id, listen_addr });
                }
                Ok(_) => {}
                Err(error) => return Some(TransportEvent::ListenerError { listener_id, error: error.into() }),
            }
        }
        None
    }

    fn address(&self, ip: IpAddr) -> Multiaddr {
        let at = address::listen_address(ip, self.endpoint.socket().local().port());
        at.with(Protocol::Certhash(self.certificate.fingerprint().multihash()))
    }
}

fn same_family(one: IpAddr, other: IpAddr) -> bool {
    one.is_ipv4() == other.is_ipv4()
}
