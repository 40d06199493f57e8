//! What a listener of `/webrtc-direct` gives to somebody who has not proved that it receives.

#![cfg(not(target_family = "wasm"))]

mod stranger;

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use dimpl::{Config, Dtls, Output, certificate::generate_self_signed_certificate};
use libp2p::{Transport as _, core::transport::ListenerId, identity::Keypair};
use stranger::{client_hello, cookie, request};
use tincan_webrtc::{
    Limits,
    direct::{address::Target, credentials::IceCredentials},
    native::{Certificate, Transport},
};
use tokio::{net::UdpSocket, time::timeout};

/// With nothing heard for so long, nothing more comes.
const SILENCE: Duration = Duration::from_secs(3);
/// Whatever has to come comes in milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a datagram at most, of a path that is narrow: a hello has several fragments.
const NARROW: usize = 120;
const RANDOM: [u8; 32] = [7; 32];

/// A listener on loopback, which goes on by itself.
async fn listener() -> SocketAddr {
    let certificate = Certificate::generate().expect("a certificate");
    let mut transport = Transport::new(Keypair::generate_ed25519(), certificate, Limits::default());
    let address = "/ip4/127.0.0.1/udp/0/webrtc-direct".parse().expect("an address");
    transport.listen_on(ListenerId::next(), address).expect("listens");
    let told = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await.into_new_address().expect("an address");
    tokio::spawn(async move {
        loop {
            drop(poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await);
        }
    });
    let target = Target::read(&told).expect("ours");
    SocketAddr::new(target.ip, target.port)
}

/// All that comes until it is silent.
async fn heard(socket: &UdpSocket) -> usize {
    let (mut bytes, mut total) = ([0; 2048], 0);
    while let Ok(Ok(length)) = timeout(SILENCE, socket.recv(&mut bytes)).await {
        total += length;
    }
    total
}

async fn stranger(listener: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    socket.connect(listener).await.expect("loopback");
    socket
}

async fn said(socket: &UdpSocket, bytes: &[u8]) -> Vec<u8> {
    socket.send(bytes).await.expect("sent");
    let mut answer = vec![0; 2048];
    let length = timeout(PATIENCE, socket.recv(&mut answer)).await.expect("an answer").expect("from the listener");
    answer.truncate(length);
    answer
}

/// A stranger who has asked whether the listener is there.
async fn known(listener: SocketAddr) -> UdpSocket {
    let (socket, credentials) = (stranger(listener).await, IceCredentials::v1("0123456789abcdef"));
    said(&socket, &request(&credentials, &credentials.listener.password)).await;
    socket
}

#[tokio::test]
async fn an_unproven_source_is_never_sent_more_than_it_sent() {
    let socket = stranger(listener().await).await;
    let credentials = IceCredentials::v1("0123456789abcdef");
    let asked = request(&credentials, &credentials.listener.password);
    let answer = said(&socket, &asked).await;
    assert!(answer.len() <= asked.len(), "{} bytes for {}", answer.len(), asked.len());
    // The shortest beginning of a hello that can be answered.
    let hello = client_hello(RANDOM, &[]);
    socket.send(&hello).await.expect("sent");
    let more = heard(&socket).await;
    assert!(more > 0, "the handshake begins");
    assert!(more <= hello.len(), "{more} bytes for {}", hello.len());
}

#[tokio::test]
async fn what_is_not_meant_for_it_is_not_answered() {
    let listener = listener().await;
    let credentials = IceCredentials::v1("0123456789abcdef");
    let whole = request(&credentials, &credentials.listener.password);
    let mut altered = whole.clone();
    altered[40] ^= 1;
    let unknown = String::from_utf8_lossy(&whole).contains("libp2p+webrtc+v1/");
    assert!(unknown, "the version is in the request");
    let newer: Vec<u8> = whole.iter().enumerate().map(|(at, byte)| if at == 39 { b'9' } else { *byte }).collect();
    let hello = client_hello(RANDOM, &[]);
    for bytes in [request(&credentials, "another key"), altered, newer, whole[..60].to_vec(), hello, vec![0x80; 200]] {
        let socket = stranger(listener).await;
        socket.send(&bytes).await.expect("sent");
        let mut answer = [0; 2048];
        assert!(timeout(SILENCE / 6, socket.recv(&mut answer)).await.is_err(), "{bytes:x?}");
    }
}

#[tokio::test]
async fn a_cookie_that_another_address_was_sent_begins_nothing() {
    let listener = listener().await;
    let (one, other) = (known(listener).await, known(listener).await);
    let answers = [said(&one, &client_hello(RANDOM, &[])).await, said(&other, &client_hello(RANDOM, &[])).await];
    assert_eq!(said(&one, &client_hello(RANDOM, &[])).await, answers[0], "asked again, it says the same");
    let [ones, others] = answers.each_ref().map(|answer| cookie(answer).expect("a cookie"));
    assert_ne!(ones, others);
    other.send(&client_hello(RANDOM, ones)).await.expect("sent");
    assert!(timeout(SILENCE / 6, other.recv(&mut [0; 2048])).await.is_err(), "a stolen cookie");
    // What comes next is for its own.
    let begun = said(&other, &client_hello(RANDOM, others)).await;
    assert!(begun.first() == Some(&22) && begun.get(13) == Some(&2), "a ServerHello: {begun:x?}");
}

/// What a server says to a hello of many fragments, of which it keeps none, is found right by DTLS at its other end.
#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "the stranger is the clock")]
async fn a_hello_of_many_fragments_is_answered_by_its_first() {
    let socket = known(listener().await).await;
    let config = Config::builder().mtu(NARROW).build().expect("a configuration");
    let certificate = generate_self_signed_certificate().expect("a certificate");
    let mut client = Dtls::new_12(Arc::new(config), certificate, Instant::now());
    client.set_active(true);
    let (mut buffer, mut fragments, begin) = ([0; 2048], 0, Instant::now());
    loop {
        assert!(begin.elapsed() < PATIENCE, "{fragments} fragments were sent");
        client.handle_timeout(Instant::now()).expect("it goes on");
        let next = loop {
            match client.poll_output(&mut buffer) {
                Output::Packet(packet) => {
                    fragments += usize::from(packet[13] == 1);
                    socket.send(packet).await.expect("sent");
                }
                Output::Connected => {
                    assert!(fragments > 2, "a hello in {fragments} fragments");
                    return;
                }
                Output::Timeout(next) => break next,
                _ => {}
            }
        };
        let wait = next.saturating_duration_since(Instant::now());
        if let Ok(received) = timeout(wait, socket.recv(&mut buffer)).await {
            let length = received.expect("from the listener");
            client.handle_packet(&buffer[..length]).expect("it goes on");
        }
    }
}
