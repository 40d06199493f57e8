//! A dial over a long path: one handshake reaches the listener, of the version that it knows.

#![cfg(not(target_family = "wasm"))]

mod far;

use std::{future::poll_fn, net::SocketAddr, pin::Pin, time::Duration};

use far::Far;
use futures::future::join_all;
use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{
        Endpoint,
        transport::{DialOpts, ListenerId, PortUse, TransportEvent},
    },
    identity::Keypair,
};
use tincan_webrtc::{
    Limits,
    direct::address::{Fingerprint, Target},
    native::{Certificate, Connection, HandshakeError, Transport},
};
use tokio::{sync::mpsc, time::timeout};

/// Dials over one path, and how many of them at a time.
const DIALS: usize = 20;
const AT_ONCE: usize = 10;
/// Whatever is awaited here comes in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

fn transport() -> (PeerId, Transport) {
    let key = Keypair::generate_ed25519();
    let certificate = Certificate::generate().expect("a certificate");
    (key.public().to_peer_id(), Transport::new(key, certificate, Limits::default()))
}

/// A hub that takes everybody. Returns its address and whom it has authenticated.
async fn hub() -> (PeerId, Target, mpsc::Receiver<(PeerId, Connection)>) {
    let (peer, mut transport) = transport();
    let address = "/ip4/127.0.0.1/udp/0/webrtc-direct".parse().expect("an address");
    transport.listen_on(ListenerId::next(), address).expect("listens");
    let told = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await.into_new_address().expect("an address");
    let (arrived, arrivals) = mpsc::channel(DIALS * 2);
    tokio::spawn(async move {
        loop {
            let happened = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await;
            if let TransportEvent::Incoming { upgrade, .. } = happened {
                let arrived = arrived.clone();
                tokio::spawn(async move {
                    if let Ok(new) = upgrade.await {
                        arrived.send(new).await.expect("the test goes on");
                    }
                });
            }
        }
    });
    (peer, Target::read(&told).expect("ours"), arrivals)
}

async fn path(hub: &Target, one_way: Duration, passes: fn(&[u8]) -> bool) -> (Far, Target) {
    let far = Far::to(SocketAddr::new(hub.ip, hub.port), one_way, passes).await;
    let target = Target { port: far.here.port(), ..*hub };
    (far, target)
}

async fn dial(address: Multiaddr) -> Result<(PeerId, Connection), HandshakeError> {
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let dial = transport().1.dial(address, options).expect("an address of ours");
    timeout(PATIENCE, dial).await.expect("in time")
}

fn is_version_2(datagram: &[u8]) -> bool {
    datagram.windows(17).any(|part| part == b"libp2p+webrtc+v2/")
}

/// Dials many times. Each must arrive, by one handshake and as one connection.
async fn one_handshake_a_dial(one_way: Duration, passes: fn(&[u8]) -> bool) {
    let (peer, hub, mut arrivals) = hub().await;
    let (far, target) = path(&hub, one_way, passes).await;
    let mut connections = Vec::new();
    for _ in 0..DIALS / AT_ONCE {
        for dialled in join_all((0..AT_ONCE).map(|_| dial(target.address()))).await {
            let (who, connection) = dialled.expect("connected");
            assert_eq!(who, peer);
            connections.push(connection);
        }
    }
    assert_eq!(far.handshakes(), DIALS);
    for _ in 0..DIALS {
        let arrived = timeout(PATIENCE, arrivals.recv()).await.expect("in time");
        connections.push(arrived.expect("authenticated").1);
    }
    assert!(arrivals.try_recv().is_err(), "a dial became two connections");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_handshake_over_100_ms() {
    one_handshake_a_dial(Duration::from_millis(50), |_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_handshake_over_300_ms() {
    one_handshake_a_dial(Duration::from_millis(150), |_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_handshake_over_600_ms() {
    one_handshake_a_dial(Duration::from_millis(300), |_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_of_version_1_alone_is_reached_over_300_ms() {
    one_handshake_a_dial(Duration::from_millis(150), |datagram| !is_version_2(datagram)).await;
}

/// Who answers version 2 and cannot prove who it is, is not asked again by version 1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_certificate_than_the_named_one_is_an_error_after_one_handshake() {
    let (_, hub, _arrivals) = hub().await;
    let (far, target) = path(&hub, Duration::from_millis(50), |_| true).await;
    let other = Target { certificate: Fingerprint::new([7; 32]), ..target };
    let error = dial(other.address()).await.expect_err("somebody else");
    assert_eq!(far.handshakes(), 1, "{error}");
}
