//! A long path to a listener, for any number of dialers, that counts what they begin.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// What one direction holds; more is lost.
const MAX_QUEUED: usize = 4096;
const MAX_DATAGRAM_BYTES: usize = 2048;

/// The path, as its dialers see it.
pub(crate) struct Far {
    /// Where to send what is meant for the listener.
    pub(crate) here: SocketAddr,
    handshakes: Arc<Mutex<HashSet<SocketAddr>>>,
}

impl Far {
    /// Every datagram takes so long each way. What `passes` refuses is lost on its way to the listener.
    pub(crate) async fn to(listener: SocketAddr, one_way: Duration, passes: fn(&[u8]) -> bool) -> Self {
        let near = socket().await;
        let here = near.local_addr().expect("bound");
        let handshakes = Arc::new(Mutex::new(HashSet::new()));
        tokio::spawn(forward(near, listener, one_way, passes, handshakes.clone()));
        Self { here, handshakes }
    }

    /// Sockets of dialers that have begun a DTLS handshake.
    pub(crate) fn handshakes(&self) -> usize {
        self.handshakes.lock().expect("nobody panicked").len()
    }
}

async fn forward(
    near: Arc<UdpSocket>,
    listener: SocketAddr,
    one_way: Duration,
    passes: fn(&[u8]) -> bool,
    handshakes: Arc<Mutex<HashSet<SocketAddr>>>,
) {
    let mut dialers: HashMap<SocketAddr, mpsc::Sender<(Instant, Vec<u8>)>> = HashMap::new();
    let mut buffer = [0; MAX_DATAGRAM_BYTES];
    while let Ok((length, dialer)) = near.recv_from(&mut buffer).await {
        let datagram = &buffer[..length];
        if is_client_hello(datagram) {
            handshakes.lock().expect("nobody panicked").insert(dialer);
        }
        if let Entry::Vacant(place) = dialers.entry(dialer) {
            // As behind a NAT: a socket for each.
            let far = socket().await;
            place.insert(delayed(far.clone(), listener));
            tokio::spawn(back(far, delayed(near.clone(), dialer), one_way));
        }
        if passes(datagram) {
            let _ = dialers[&dialer].try_send((now() + one_way, datagram.to_vec()));
        }
    }
}

async fn back(far: Arc<UdpSocket>, line: mpsc::Sender<(Instant, Vec<u8>)>, one_way: Duration) {
    let mut buffer = [0; MAX_DATAGRAM_BYTES];
    while let Ok((length, _)) = far.recv_from(&mut buffer).await {
        let _ = line.try_send((now() + one_way, buffer[..length].to_vec()));
    }
}

/// Sends what is put in when its time has come.
fn delayed(from: Arc<UdpSocket>, to: SocketAddr) -> mpsc::Sender<(Instant, Vec<u8>)> {
    let (line, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(MAX_QUEUED);
    tokio::spawn(async move {
        while let Some((at, datagram)) = due.recv().await {
            sleep_until(at).await;
            // An error is a loss.
            let _ = from.send_to(&datagram, to).await;
        }
    });
    line
}

async fn socket() -> Arc<UdpSocket> {
    Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a socket"))
}

/// A record with the first message of a DTLS handshake.
fn is_client_hello(datagram: &[u8]) -> bool {
    datagram.first() == Some(&22) && datagram.get(13) == Some(&1)
}

#[allow(clippy::disallowed_methods, reason = "the path is the clock")]
fn now() -> Instant {
    Instant::now()
}
