//! Two nodes over loopback, and streams that are echoed.
#![allow(dead_code, unreachable_pub, reason = "each test file is a program of its own and uses its part")]

use std::{pin::Pin, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, future::poll_fn};
use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{
        Endpoint, StreamMuxer,
        transport::{DialOpts, ListenerId, PortUse, TransportEvent},
    },
    identity::Keypair,
};
use tincan_webrtc::{
    Limits, Stream,
    native::{Certificate, Connection, Transport},
};
use tokio::{task::JoinHandle, time::timeout};

/// Whatever is awaited here comes in milliseconds, or in seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Node {
    pub peer: PeerId,
    pub transport: Transport,
}

pub fn node() -> Node {
    let key = Keypair::generate_ed25519();
    let certificate = Certificate::generate().expect("a certificate");
    Node { peer: key.public().to_peer_id(), transport: Transport::new(key, certificate, Limits::default()) }
}

pub async fn within<T>(awaited: impl Future<Output = T>) -> T {
    timeout(PATIENCE, awaited).await.expect("in time")
}

pub async fn listen(transport: &mut Transport, address: &str) -> Multiaddr {
    transport.listen_on(ListenerId::next(), address.parse().expect("an address")).expect("listens");
    let happened = within(poll_fn(|cx| Pin::new(&mut *transport).poll(cx))).await;
    happened.into_new_address().expect("an address to be dialled")
}

/// The next who arrives, authenticated.
pub fn accept(mut transport: Transport) -> JoinHandle<(PeerId, Connection, Multiaddr)> {
    tokio::spawn(async move {
        loop {
            let happened = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await;
            if let TransportEvent::Incoming { upgrade, local_addr, .. } = happened {
                let (peer, connection) = upgrade.await.expect("authenticated");
                return (peer, connection, local_addr);
            }
        }
    })
}

pub async fn dial(transport: &mut Transport, address: Multiaddr) -> (PeerId, Connection) {
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    within(transport.dial(address, options).expect("an address of ours")).await.expect("connected")
}

pub async fn outbound(connection: &mut Connection) -> Stream {
    within(poll_fn(|cx| Pin::new(&mut *connection).poll_outbound(cx))).await.expect("a stream")
}

pub async fn inbound(connection: &mut Connection) -> Stream {
    within(poll_fn(|cx| Pin::new(&mut *connection).poll_inbound(cx))).await.expect("a stream")
}

/// Sends what it reads back, after all of it came.
pub async fn echo(mut stream: Stream) {
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.expect("readable");
    stream.write_all(&heard).await.expect("writable");
    stream.close().await.expect("closable");
}

pub async fn ask(mut stream: Stream, question: &[u8]) {
    stream.write_all(question).await.expect("writable");
    stream.close().await.expect("closable");
    let mut heard = Vec::new();
    within(stream.read_to_end(&mut heard)).await.expect("readable");
    assert!(heard == question, "{} bytes came back of {}", heard.len(), question.len());
}

pub async fn pair() -> (Connection, Connection) {
    let (mut hub, mut peer) = (node(), node());
    let address = listen(&mut hub.transport, "/ip4/127.0.0.1/udp/0/webrtc-direct").await;
    let arrival = accept(hub.transport);
    let (_, ours) = dial(&mut peer.transport, address).await;
    let (_, theirs, _) = within(arrival).await.expect("accepted");
    (ours, theirs)
}

/// Answers whatever comes until the connection ends.
pub fn serve(mut connection: Connection) {
    tokio::spawn(async move {
        while let Ok(stream) = poll_fn(|cx| Pin::new(&mut connection).poll_inbound(cx)).await {
            tokio::spawn(echo_if_wanted(stream));
        }
    });
}

/// The same where the other side may give up.
pub async fn echo_if_wanted(mut stream: Stream) {
    let mut heard = Vec::new();
    if stream.read_to_end(&mut heard).await.is_ok() && stream.write_all(&heard).await.is_ok() {
        let _ = stream.close().await;
    }
}
