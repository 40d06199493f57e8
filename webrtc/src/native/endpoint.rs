//! A socket and whose its datagrams are.

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
    admission::Id,
    arrivals::{Arrivals, Arrived, HandshakeSlot, arrivals},
    certificate::Certificate,
    clock::now,
    connection::Connection,
    driver::Driver,
    dtls,
    hello::{Cookies, Hello},
    heralds::{HERALD_TIMEOUT, Herald},
    inbox::Inbox,
    routes::{Routes, SharedRoutes},
    setup::{Setup, Side},
    shared::Shared,
    socket::{Datagram, Socket, Way},
    stun::{Stun, is_stun},
};
use crate::{
    Budget, Stream,
    direct::{address::Fingerprint, credentials::Agreed},
};

/// A connection that datagrams are passed on to, until this is dropped. The socket is read as long as there is one.
struct Registration {
    id: Id,
    endpoint: Arc<Endpoint>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.endpoint.routes.lock().remove(self.id);
    }
}

/// See the [module](self). The socket is read as long as there is this.
pub(super) struct Endpoint {
    socket: Arc<Socket>,
    stun: Stun,
    cookies: Cookies,
    crypto: Arc<CryptoProvider>,
    certificate: Certificate,
    budget: Budget,
    next: AtomicU64,
    routes: SharedRoutes,
    /// Where those go who dial us, when we listen.
    arrived: Option<mpsc::Sender<Arrived>>,
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
    /// A socket that dials, and takes those who dial it if `listening`.
    pub(super) fn bind(
        address: SocketAddr,
        certificate: Certificate,
        budget: Budget,
        listening: bool,
    ) -> io::Result<(Arc<Self>, Arrivals)> {
        let socket = Arc::new(Socket::bind(address)?);
        let (arrived, failed, arrivals) = arrivals();
        let endpoint = Arc::new(Self {
            socket: socket.clone(),
            stun: Stun::new(),
            cookies: Cookies::new(now()),
            crypto: Arc::new(dtls::crypto()),
            certificate,
            budget,
            next: AtomicU64::new(0),
            routes: SharedRoutes::default(),
            arrived: listening.then_some(arrived),
            reader: Mutex::default(),
        });
        let reader = tokio::spawn(Self::read(socket, Arc::downgrade(&endpoint), failed));
        *endpoint.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader.abort_handle());
        Ok((endpoint, arrivals))
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    async fn read(socket: Arc<Socket>, endpoint: Weak<Self>, failed: oneshot::Sender<io::Error>) {
        let read = socket.read(|datagram| {
            if let Some(endpoint) = endpoint.upgrade() {
                endpoint.came(datagram);
                endpoint.budget.make_room();
            }
        });
        let error = read.await;
        tracing::warn!(%error, ?socket, "a UDP socket failed; nobody is reached by it any more");
        if let Some(endpoint) = endpoint.upgrade() {
            *endpoint.routes.lock() = Routes::default();
        }
        // Nobody waits for it where it only dials.
        let _ = failed.send(error);
    }

    fn id(&self) -> Id {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn came(self: &Arc<Self>, datagram: Datagram<'_>) {
        let listens = self.arrived.is_some();
        // A user name tells whose a request is; its address may still be that of a connection that is over.
        if listens && is_stun(datagram.bytes) && self.greeted(datagram) {
            return;
        }
        let mut routes = self.routes.lock();
        if listens
            && let Some(hello) = Hello::read(datagram.bytes)
            && let Some(Herald { username, to, .. }) = routes.heralds.of(datagram.from).cloned()
        {
            // Somebody who goes on from another address begins nothing.
            if routes.forward_of(&username, datagram) {
                return;
            }
            drop(routes);
            if hello.is_first() {
                self.answer(datagram, &self.cookies.request(&hello, datagram.from, now()));
            } else if self.cookies.hold(&hello, datagram.from, now()) {
                self.begin(datagram, &username, to);
            }
            return;
        }
        routes.forward(datagram);
    }

    /// Answers a stranger, of whom nothing proves that it is where it says it is: never with more than it sent.
    fn answer(&self, datagram: Datagram<'_>, answer: &[u8]) {
        if !answer.is_empty() && answer.len() <= datagram.bytes.len() {
            let way = Way { ours: datagram.to.ip(), theirs: datagram.from };
            // What is lost is asked for again.
            let _ = self.socket.try_send(way, answer, answer.len());
        }
    }

    /// Somebody asks whether we are there, a stranger or not; false where it is no such request.
    fn greeted(self: &Arc<Self>, datagram: Datagram<'_>) -> bool {
        let Some((request, agreed)) = self.stun.read(datagram.bytes) else { return false };
        let mut routes = self.routes.lock();
        let username = agreed.username();
        if routes.forward_of(&username, datagram) {
            return true;
        }
        let first = routes.heralds.is_empty();
        routes.heralds.remember(datagram.from, Herald { username, to: datagram.to, since: now() });
        drop(routes);
        self.answer(datagram, &self.stun.answer(&request, datagram.bytes.len(), &agreed, datagram.from));
        if first {
            drop(tokio::spawn(Self::forget_heralds(Arc::downgrade(self))));
        }
        true
    }

    async fn forget_heralds(endpoint: Weak<Self>) {
        loop {
            sleep(HERALD_TIMEOUT).await;
            let Some(endpoint) = endpoint.upgrade() else { return };
            let mut routes = endpoint.routes.lock();
            routes.heralds.forget_old(now());
            if routes.heralds.is_empty() {
                return;
            }
        }
    }

    /// A stranger has returned its cookie: it is where it says it is.
    fn begin(self: &Arc<Self>, hello: Datagram<'_>, username: &str, ours: SocketAddr) {
        let Some(arrived) = self.arrived.clone() else { return };
        let Ok(agreed) = Agreed::of_username(username) else { return };
        let id = self.id();
        let mut routes = self.routes.lock();
        // Who had the address before is over: its host has forgotten it, or a router has given the address away.
        if let Some(before) = routes.of(hello.from) {
            routes.remove(before);
        }
        if routes.admission.is_swamped() {
            return tracing::debug!(from = %hello.from, "more handshakes come than end: one does not begin");
        }
        let draw = |below| rand::random_range(0..below);
        if let Some(other) = routes.admission.admit(id, hello.from.ip(), now(), draw) {
            tracing::debug!(from = %hello.from, "many handshakes at once: another one ends");
            routes.remove(other);
        }
        drop(routes);
        let slot = HandshakeSlot::new(id, self.routes.clone());
        let made = self.make(Side::Listener(hello.from, self.stun.nomination(&agreed)), ours, None, &agreed);
        let Some((shared, handshake)) = made else { return };
        let connected = self.drive(id, shared.clone(), hello.from, Some(username.to_owned()));
        self.routes.lock().forward(hello);
        let (theirs, version) = (hello.from, agreed.version);
        drop(tokio::spawn(async move {
            let Ok(dialer) = connected.await else { return drop(slot) };
            slot.encrypted(now());
            let connection = Connection::new(shared);
            let new = Arrived { connection, handshake, dialer, version, ours, theirs, slot };
            if arrived.try_send(new).is_err() {
                tracing::debug!(from = %theirs, "more connections come than are taken; one is closed");
            }
        }));
    }

    /// Dials. Returns the connection, its handshake's stream, and what tells that it is encrypted.
    pub(super) fn dial(
        self: &Arc<Self>,
        ours: SocketAddr,
        theirs: SocketAddr,
        expected: Fingerprint,
        agreed: &Agreed,
    ) -> Option<(Connection, Stream, oneshot::Receiver<Fingerprint>)> {
        let (shared, handshake) = self.make(Side::Dialer(theirs), ours, Some(expected), agreed)?;
        let id = self.id();
        let connected = self.drive(id, shared.clone(), theirs, None);
        Some((Connection::new(shared), handshake, connected))
    }

    fn make(
        &self,
        side: Side,
        ours: SocketAddr,
        expected: Option<Fingerprint>,
        agreed: &Agreed,
    ) -> Option<(Arc<Shared>, Stream)> {
        let (own, other) = match side {
            Side::Listener(..) => (&agreed.listener, &agreed.dialer),
            Side::Dialer(_) => (&agreed.dialer, &agreed.listener),
        };
        Setup {
            side,
            ours,
            own,
            other,
            version: agreed.version,
            certificate: &self.certificate,
            expected,
            crypto: self.crypto.clone(),
            budget: &self.budget,
            now: now(),
        }
        .begin()
    }

    fn drive(
        self: &Arc<Self>,
        id: Id,
        shared: Arc<Shared>,
        theirs: SocketAddr,
        // Of who dialled us.
        username: Option<String>,
    ) -> oneshot::Receiver<Fingerprint> {
        let (inbox, incoming) = Inbox::new(shared.account.clone(), shared.gate.clone());
        let (connected, waiting) = oneshot::channel();
        self.routes.lock().add(id, inbox, theirs, username);
        let registration = Registration { id, endpoint: self.clone() };
        let driver = Driver { shared, socket: self.socket.clone(), packets: incoming, connected: Some(connected) };
        drop(tokio::spawn(async move {
            driver.run().await;
            drop(registration);
        }));
        waiting
    }
}
