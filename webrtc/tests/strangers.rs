//! What a listener of `/webrtc-direct` gives to somebody who has not proved that it receives.

#![cfg(not(target_family = "wasm"))]

use std::{future::poll_fn, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use libp2p::{Transport as _, core::transport::ListenerId, identity::Keypair};
use str0m::{
    crypto::from_feature_flags,
    ice::{StunMessage, TransId},
};
use tincan_webrtc::{
    Limits,
    direct::{address::Target, credentials::Agreed},
    native::{Certificate, Transport},
};
use tokio::{net::UdpSocket, time::timeout};

/// With nothing heard for so long, nothing more comes.
const SILENCE: Duration = Duration::from_secs(3);

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

fn request(agreed: &Agreed, password: &str) -> Vec<u8> {
    let username = agreed.username();
    let message = StunMessage::binding_request(&username, TransId::new(), true, 7, 1_853_824_767, true);
    let crypto = from_feature_flags();
    let mut bytes = vec![0; 1024];
    let hmac = |key: &[u8], payloads: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, payloads);
    let length = message.to_bytes(Some(password.as_bytes()), &mut bytes, hmac).expect("a request");
    bytes.truncate(length);
    bytes
}

#[allow(clippy::disallowed_methods, reason = "a beginning is needed, any")]
fn client_hello() -> Vec<u8> {
    let certificate = dimpl::certificate::generate_self_signed_certificate().expect("a certificate");
    let config = Arc::new(dimpl::Config::builder().build().expect("a configuration"));
    let mut client = dimpl::Dtls::new_12(config, certificate, std::time::Instant::now());
    client.set_active(true);
    client.handle_timeout(std::time::Instant::now()).expect("it begins");
    let mut buffer = [0; 2048];
    loop {
        if let dimpl::Output::Packet(packet) = client.poll_output(&mut buffer) {
            return packet.to_vec();
        }
    }
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

#[tokio::test]
async fn an_unproven_source_is_never_sent_more_than_it_sent() {
    let socket = stranger(listener().await).await;
    let agreed = Agreed::v1("0123456789abcdef");
    let (asked, hello) = (request(&agreed, &agreed.listener.password), client_hello());
    socket.send(&asked).await.expect("sent");
    let mut answer = [0; 2048];
    let answered = timeout(SILENCE, socket.recv(&mut answer)).await.expect("an answer").expect("from the listener");
    assert!(answered <= asked.len(), "{answered} bytes for {}", asked.len());
    socket.send(&hello).await.expect("sent");
    let more = heard(&socket).await;
    assert!(more > 0, "the handshake begins");
    assert!(
        answered + more <= asked.len() + hello.len(),
        "{answered} and {more} bytes for {}, {}",
        asked.len(),
        hello.len()
    );
}

#[tokio::test]
async fn what_is_not_meant_for_it_is_not_answered() {
    let listener = listener().await;
    let agreed = Agreed::v1("0123456789abcdef");
    let whole = request(&agreed, &agreed.listener.password);
    let mut altered = whole.clone();
    altered[40] ^= 1;
    let unknown = String::from_utf8_lossy(&whole).contains("libp2p+webrtc+v1/");
    assert!(unknown, "the version is in the request");
    let newer: Vec<u8> = whole.iter().enumerate().map(|(at, byte)| if at == 39 { b'9' } else { *byte }).collect();
    for bytes in
        [request(&agreed, "another key"), altered, newer, whole[..60].to_vec(), client_hello(), vec![0x80; 200]]
    {
        let socket = stranger(listener).await;
        socket.send(&bytes).await.expect("sent");
        let mut answer = [0; 2048];
        assert!(timeout(SILENCE / 6, socket.recv(&mut answer)).await.is_err(), "{bytes:x?}");
    }
}
