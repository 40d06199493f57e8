//! Strangers by the thousand who begin handshakes with a listener of `/webrtc-direct` and go silent, while one dials who
//! means it. They come at the worst moments, each of which waits for them, so nothing here hangs on time.

#![cfg(not(target_family = "wasm"))]

mod stranger;

use std::{
    collections::HashMap,
    convert::Infallible,
    future::poll_fn,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{
        Endpoint,
        transport::{DialOpts, ListenerId, PortUse, TransportEvent},
    },
    identity::Keypair,
    multiaddr::Protocol,
};
use stranger::{client_hello, cookie, request};
use tincan_webrtc::{
    Limits,
    direct::{
        address::Target,
        credentials::{IceCredentials, Version},
    },
    native::{Certificate, MAX_HANDSHAKES, Transport},
};
use tokio::{net::UdpSocket, task::JoinHandle, time::timeout};

const PATIENCE: Duration = Duration::from_secs(60);
/// Addresses of loopback that the strangers take turns with.
const SOURCES: usize = 200;
/// More than have a place.
const STRANGERS: usize = MAX_HANDSHAKES + 100;

// Of DTLS records.
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

async fn within<T>(awaited: impl Future<Output = T>) -> T {
    timeout(PATIENCE, awaited).await.expect("in time")
}

fn transport() -> (PeerId, Transport) {
    let key = Keypair::generate_ed25519();
    let certificate = Certificate::generate().expect("a certificate");
    (key.public().to_peer_id(), Transport::new(key, certificate, Limits::default()))
}

/// A listener on loopback, and who arrives there first, authenticated.
async fn listener() -> (Multiaddr, JoinHandle<PeerId>) {
    let (_, mut transport) = transport();
    let address = "/ip4/127.0.0.1/udp/0/webrtc-direct".parse().expect("an address");
    transport.listen_on(ListenerId::next(), address).expect("listens");
    let told = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await.into_new_address().expect("an address");
    let arrival = tokio::spawn(async move {
        loop {
            if let TransportEvent::Incoming { upgrade, .. } = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await {
                return upgrade.await.expect("authenticated").0;
            }
        }
    });
    (told, arrival)
}

/// A way from a dialer to the listener. Each of the dialer's datagrams waits until what comes before it has happened.
async fn way(near: UdpSocket, listener: SocketAddr, mut before: impl AsyncFnMut(u8)) -> Infallible {
    let far = connected(Ipv4Addr::LOCALHOST, listener).await;
    let (mut there, mut back, mut dialer) = ([0; 2048], [0; 2048], None);
    loop {
        tokio::select! {
            received = near.recv_from(&mut there) => {
                let (length, from) = received.expect("from the dialer");
                dialer = Some(from);
                before(there[0]).await;
                far.send(&there[..length]).await.expect("sent");
            }
            received = far.recv(&mut back) => {
                let length = received.expect("from the listener");
                near.send_to(&back[..length], dialer.expect("it has asked")).await.expect("sent");
            }
        }
    }
}

async fn connected(ip: Ipv4Addr, listener: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((ip, 0)).await.expect("a socket");
    socket.connect(listener).await.expect("loopback");
    socket
}

async fn said(socket: &UdpSocket, bytes: &[u8]) -> Vec<u8> {
    let mut answer = vec![0; 2048];
    socket.send(bytes).await.expect("sent");
    let length = within(socket.recv(&mut answer)).await.expect("from the listener");
    answer.truncate(length);
    answer
}

/// Strangers from many addresses, each silent after its first hello, or with `proving` after it has returned the cookie.
async fn strangers(listener: SocketAddr, count: usize, proving: bool) {
    for n in 0..count {
        let last = u32::try_from(n % SOURCES).expect("a small number");
        let socket = connected(Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + last), listener).await;
        let credentials = IceCredentials::v1(&format!("stranger{n:032}"));
        said(&socket, &request(&credentials, &credentials.listener.password)).await;
        let asked = said(&socket, &client_hello([7; 32], &[])).await;
        let cookie = cookie(&asked).expect("a cookie is asked for");
        if proving {
            // What comes then is of a handshake that has a place.
            said(&socket, &client_hello([7; 32], cookie)).await;
        }
    }
}

/// One dials, and strangers come before its first datagrams of some kinds: `(kind, how often the kind came, proving)`.
async fn dials_among(moments: &[(u8, usize, bool)]) {
    let (address, arrival) = listener().await;
    let Target { ip, port, .. } = Target::read(&address).expect("ours");
    let there = SocketAddr::new(ip, port);
    let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
    let here = near.local_addr().expect("bound").port();
    let mut seen: HashMap<u8, usize> = HashMap::new();
    let mut met = 0;
    let way = way(near, there, async |kind| {
        let count = seen.entry(kind).and_modify(|count| *count += 1).or_insert(1);
        if let Some((_, _, proving)) = moments.iter().find(|moment| (moment.0, moment.1) == (kind, *count)) {
            strangers(there, STRANGERS, *proving).await;
            met += 1;
        }
    });
    let (peer, dialer) = transport();
    let dialled = address.replace(1, |_| Some(Protocol::Udp(here))).expect("a port");
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let dial = dialer.dialling(Version::V2).dial(dialled, options).expect("an address of ours");
    let joined = async {
        let (_, connection) = dial.await.expect("connected");
        assert_eq!(arrival.await.expect("accepted"), peer);
        connection
    };
    tokio::select! {
        never = way => match never {},
        _ = within(joined) => {}
    }
    assert_eq!(met, moments.len(), "all the strangers came");
}

/// The dialer has said hello, and has not returned the cookie: neither have they, and nothing is kept of any of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_say_hello_and_go_silent_keep_nobody_out() {
    dials_among(&[(HANDSHAKE, 2, false), (HANDSHAKE, 3, false)]).await;
}

/// The dialer is further than they are, who have proved their addresses and then go silent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_return_a_cookie_and_go_silent_keep_nobody_out() {
    dials_among(&[(HANDSHAKE, 2, true), (APPLICATION_DATA, 1, true)]).await;
}
