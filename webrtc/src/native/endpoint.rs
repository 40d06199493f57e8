//! One UDP socket and its connections: passes each datagram on to its connection, answers strangers without keeping
//! state for them, and begins a connection once a stranger has returned a cookie.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use str0m::config::CryptoProvider;
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::sleep,
};

use super::{
    admission::ConnectionId,
    certificate::Certificate,
    client_hello::{ClientHello, Cookies},
    clock::now,
    connection::Connection,
    datagram_queue::DatagramQueue,
    driver::Driver,
    dtls,
    incoming::{HandshakeSlot, Incoming, IncomingConnection, incoming},
    introductions::{INTRODUCTION_TIMEOUT, StunIntroduction},
    routes::{Routes, SharedRoutes},
    setup::{Setup, Side},
    shared::Shared,
    socket::{Datagram, Path, Socket},
    stun::{Stun, is_stun},
    stun_server::StunServer,
};
use crate::{
    Budget, Stream,
    direct::{address::Fingerprint, credentials::IceCredentials},
};

/// An entry in the routes, removed on drop. It keeps the endpoint, and so the socket being read.
struct Registration {
    id: ConnectionId,
    endpoint: Arc<Endpoint>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.endpoint.routes.lock().remove(self.id);
    }
}

/// See the [module](self). The socket is read until this is dropped.
pub(super) struct Endpoint {
    socket: Arc<Socket>,
    stun: Stun,
    stun_server: StunServer,
    cookies: Cookies,
    crypto: Arc<CryptoProvider>,
    certificate: Certificate,
    budget: Budget,
    next_id: AtomicU64,
    routes: SharedRoutes,
    /// Takes inbound connections; none if this endpoint only dials.
    inbound: Option<mpsc::Sender<IncomingConnection>>,
    /// The task that reads the socket.
    reader: Mutex<Option<AbortHandle>>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let reader = self.reader.get_mut().unwrap_or_else(PoisonError::into_inner);
        reader.take().iter().for_each(AbortHandle::abort);
    }
}

impl Endpoint {
    /// Binds a socket that can dial, and that accepts connections if `listening`.
    pub(super) fn bind(
        address: SocketAddr,
        certificate: Certificate,
        budget: Budget,
        listening: bool,
    ) -> io::Result<(Arc<Self>, Incoming)> {
        let socket = Arc::new(Socket::bind(address)?);
        let (inbound, failed, incoming) = incoming();
        let endpoint = Arc::new(Self {
            socket: socket.clone(),
            stun: Stun::new(),
            stun_server: StunServer::new(),
            cookies: Cookies::new(now()),
            crypto: Arc::new(dtls::crypto()),
            certificate,
            budget,
            next_id: AtomicU64::new(0),
            routes: SharedRoutes::default(),
            inbound: listening.then_some(inbound),
            reader: Mutex::default(),
        });
        let reader = tokio::spawn(Self::read(socket, Arc::downgrade(&endpoint), failed));
        *endpoint.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader.abort_handle());
        Ok((endpoint, incoming))
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    async fn read(socket: Arc<Socket>, endpoint: Weak<Self>, failed: oneshot::Sender<io::Error>) {
        let read = socket.read(|datagram| {
            if let Some(endpoint) = endpoint.upgrade() {
                endpoint.handle_datagram(datagram);
                endpoint.budget.make_room();
            }
        });
        let error = read.await;
        tracing::warn!(%error, ?socket, "a UDP socket failed; nobody is reached by it any more");
        if let Some(endpoint) = endpoint.upgrade() {
            *endpoint.routes.lock() = Routes::default();
        }
        // An endpoint that only dials has no listener to tell.
        let _ = failed.send(error);
    }

    fn new_id(&self) -> ConnectionId {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    fn handle_datagram(self: &Arc<Self>, datagram: Datagram<'_>) {
        let listens = self.inbound.is_some();
        // Who only asks for its address may be connected by this very address: it is answered before anything else.
        if listens && let Some(answer) = self.stun_server.answer(datagram.bytes, datagram.from, now()) {
            return answer.iter().for_each(|answer| self.send_to(datagram, answer));
        }
        // The user name goes before the address: the address may still belong to a connection that has ended.
        if listens && is_stun(datagram.bytes) && self.handle_stun_request(datagram) {
            return;
        }
        let mut routes = self.routes.lock();
        if listens
            && let Some(hello) = ClientHello::read(datagram.bytes)
            && let Some(StunIntroduction { username, to, .. }) = routes.introductions.get(datagram.from).cloned()
        {
            // A connected peer whose address has changed: no new connection.
            if routes.forward_by_username(&username, datagram) {
                return;
            }
            drop(routes);
            if hello.is_first() {
                self.answer(datagram, &self.cookies.hello_verify_request(&hello, datagram.from, now()));
            } else if self.cookies.is_valid(&hello, datagram.from, now()) {
                self.accept(datagram, &username, to);
            }
            return;
        }
        routes.forward(datagram);
    }

    /// Answers a stranger with no more bytes than it sent: its address is not proven yet, so a longer answer would
    /// amplify an attack.
    fn answer(&self, datagram: Datagram<'_>, answer: &[u8]) {
        if !answer.is_empty() && answer.len() <= datagram.bytes.len() {
            self.send_to(datagram, answer);
        }
    }

    /// Sends to where a datagram came from.
    fn send_to(&self, datagram: Datagram<'_>, answer: &[u8]) {
        let path = Path { ours: datagram.to.ip(), theirs: datagram.from };
        // If it is lost, the other side asks again.
        let _ = self.socket.try_send(path, answer, answer.len());
    }

    /// Handles a STUN binding request, of a connection or of a stranger; false if it is none, or not intact.
    fn handle_stun_request(self: &Arc<Self>, datagram: Datagram<'_>) -> bool {
        let Some((request, credentials)) = self.stun.read(datagram.bytes) else { return false };
        let mut routes = self.routes.lock();
        let username = credentials.username();
        if routes.forward_by_username(&username, datagram) {
            return true;
        }
        let was_empty = routes.introductions.is_empty();
        routes.introductions.remember(datagram.from, StunIntroduction { username, to: datagram.to, since: now() });
        drop(routes);
        self.answer(datagram, &self.stun.answer(&request, datagram.bytes.len(), &credentials, datagram.from));
        if was_empty {
            drop(tokio::spawn(Self::expire_introductions(Arc::downgrade(self))));
        }
        true
    }

    async fn expire_introductions(endpoint: Weak<Self>) {
        loop {
            sleep(INTRODUCTION_TIMEOUT).await;
            let Some(endpoint) = endpoint.upgrade() else { return };
            let mut routes = endpoint.routes.lock();
            routes.introductions.expire(now());
            if routes.introductions.is_empty() {
                return;
            }
        }
    }

    /// A stranger has returned its cookie, which proves its address: begins a connection.
    fn accept(self: &Arc<Self>, hello: Datagram<'_>, username: &str, ours: SocketAddr) {
        let Some(inbound) = self.inbound.clone() else { return };
        let Ok(credentials) = IceCredentials::from_username(username) else { return };
        let id = self.new_id();
        let mut routes = self.routes.lock();
        // An older connection at this address is dead: its host has restarted, or a NAT has reassigned the address.
        if let Some(before) = routes.of(hello.from) {
            routes.remove(before);
        }
        if routes.admission.is_full() {
            return tracing::debug!(from = %hello.from, "more handshakes come than end: one does not begin");
        }
        let random_below = |below| rand::random_range(0..below);
        if let Some(other) = routes.admission.admit(id, hello.from.ip(), now(), random_below) {
            tracing::debug!(from = %hello.from, "many handshakes at once: another one ends");
            routes.remove(other);
        }
        drop(routes);
        let slot = HandshakeSlot::new(id, self.routes.clone());
        let made =
            self.set_up(Side::Listener(hello.from, self.stun.nomination(&credentials)), ours, None, &credentials);
        let Some((shared, handshake)) = made else { return };
        let connected = self.spawn_driver(id, shared.clone(), hello.from, Some(username.to_owned()));
        self.routes.lock().forward(hello);
        let (theirs, version) = (hello.from, credentials.version);
        drop(tokio::spawn(async move {
            let Ok(dialer) = connected.await else { return drop(slot) };
            slot.encrypted(now());
            let connection = Connection::new(shared);
            let new = IncomingConnection { connection, handshake, dialer, version, ours, theirs, slot };
            if inbound.try_send(new).is_err() {
                tracing::debug!(from = %theirs, "more connections come than are taken; one is closed");
            }
        }));
    }

    /// Dials. Returns the connection, the stream for the Noise handshake, and the fingerprint once DTLS is up.
    pub(super) fn dial(
        self: &Arc<Self>,
        ours: SocketAddr,
        theirs: SocketAddr,
        expected: Fingerprint,
        credentials: &IceCredentials,
    ) -> Option<(Connection, Stream, oneshot::Receiver<Fingerprint>)> {
        let (shared, handshake) = self.set_up(Side::Dialer(theirs), ours, Some(expected), credentials)?;
        let id = self.new_id();
        let connected = self.spawn_driver(id, shared.clone(), theirs, None);
        Some((Connection::new(shared), handshake, connected))
    }

    fn set_up(
        &self,
        side: Side,
        ours: SocketAddr,
        expected: Option<Fingerprint>,
        credentials: &IceCredentials,
    ) -> Option<(Arc<Shared>, Stream)> {
        let (own, other) = match side {
            Side::Listener(..) => (&credentials.listener, &credentials.dialer),
            Side::Dialer(_) => (&credentials.dialer, &credentials.listener),
        };
        Setup {
            side,
            ours,
            own,
            other,
            version: credentials.version,
            certificate: &self.certificate,
            expected,
            crypto: self.crypto.clone(),
            budget: &self.budget,
            now: now(),
        }
        .begin()
    }

    fn spawn_driver(
        self: &Arc<Self>,
        id: ConnectionId,
        shared: Arc<Shared>,
        theirs: SocketAddr,
        // Of an inbound connection.
        username: Option<String>,
    ) -> oneshot::Receiver<Fingerprint> {
        let (queue, datagrams) = DatagramQueue::new(shared.memory.clone(), shared.sctp.clone());
        let (connected, waiting) = oneshot::channel();
        self.routes.lock().add(id, queue, theirs, username);
        let registration = Registration { id, endpoint: self.clone() };
        let driver = Driver { shared, socket: self.socket.clone(), datagrams, connected: Some(connected) };
        drop(tokio::spawn(async move {
            driver.run().await;
            drop(registration);
        }));
        waiting
    }
}
