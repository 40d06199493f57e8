//! Listener and dialer of `/webrtc-direct` over loopback, as libp2p uses them.

#![cfg(not(target_family = "wasm"))]

mod path;

use std::net::{Ipv4Addr, SocketAddr};
use std::{pin::Pin, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, future::poll_fn, stream::FuturesUnordered};
use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{
        Endpoint, StreamMuxer,
        transport::{DialOpts, ListenerId, PortUse, TransportEvent},
    },
    identity::Keypair,
    multiaddr::Protocol,
};
use tincan_webrtc::{
    Limits, Stream,
    direct::credentials::Version,
    native::{Certificate, Connection, Transport},
};
use tokio::{task::JoinHandle, time::timeout};

/// Whatever is awaited here comes in milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

struct Node {
    peer: PeerId,
    transport: Transport,
}

fn node() -> Node {
    let key = Keypair::generate_ed25519();
    let certificate = Certificate::generate().expect("a certificate");
    Node { peer: key.public().to_peer_id(), transport: Transport::new(key, certificate, Limits::default()) }
}

async fn within<T>(awaited: impl Future<Output = T>) -> T {
    timeout(PATIENCE, awaited).await.expect("in time")
}

async fn listen(transport: &mut Transport, address: &str) -> Multiaddr {
    transport.listen_on(ListenerId::next(), address.parse().expect("an address")).expect("listens");
    let happened = within(poll_fn(|cx| Pin::new(&mut *transport).poll(cx))).await;
    happened.into_new_address().expect("an address to be dialled")
}

/// The next who arrives, authenticated.
fn accept(mut transport: Transport) -> JoinHandle<(PeerId, Connection, Multiaddr)> {
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

async fn dial(transport: &mut Transport, address: Multiaddr) -> (PeerId, Connection) {
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    within(transport.dial(address, options).expect("an address of ours")).await.expect("connected")
}

async fn outbound(connection: &mut Connection) -> Stream {
    within(poll_fn(|cx| Pin::new(&mut *connection).poll_outbound(cx))).await.expect("a stream")
}

async fn inbound(connection: &mut Connection) -> Stream {
    within(poll_fn(|cx| Pin::new(&mut *connection).poll_inbound(cx))).await.expect("a stream")
}

/// Sends what it reads back, after all of it came.
async fn echo(mut stream: Stream) {
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.expect("readable");
    stream.write_all(&heard).await.expect("writable");
    stream.close().await.expect("closable");
}

async fn ask(mut stream: Stream, question: &[u8]) {
    stream.write_all(question).await.expect("writable");
    stream.close().await.expect("closable");
    let mut heard = Vec::new();
    within(stream.read_to_end(&mut heard)).await.expect("readable");
    assert!(heard == question, "{} bytes came back of {}", heard.len(), question.len());
}

async fn meet(version: Option<Version>) {
    let (mut hub, peer) = (node(), node());
    let mut dialer = match version {
        Some(version) => peer.transport.dialling(version),
        None => peer.transport,
    };
    let address = listen(&mut hub.transport, "/ip4/127.0.0.1/udp/0/webrtc-direct").await;
    let arrival = accept(hub.transport);
    let (who, mut ours) = dial(&mut dialer, address.clone()).await;
    assert_eq!(who, hub.peer);
    let (who, mut theirs, local) = within(arrival).await.expect("accepted");
    assert_eq!((who, local), (peer.peer, address));

    let asked = outbound(&mut ours).await;
    let asking = tokio::spawn(async move { ask(asked, &[7; 100_000]).await });
    echo(inbound(&mut theirs).await).await;
    asking.await.expect("echoed to the dialer");

    let asked = outbound(&mut theirs).await;
    let asking = tokio::spawn(async move { ask(asked, b"and back").await });
    echo(inbound(&mut ours).await).await;
    asking.await.expect("echoed to the listener");

    drop(theirs);
    let error = within(poll_fn(|cx| Pin::new(&mut ours).poll(cx))).await.expect_err("over");
    assert_eq!(error.to_string(), "the other side closed the connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_1() {
    meet(Some(Version::V1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_2() {
    meet(Some(Version::V2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_version() {
    meet(None).await;
}

/// Bytes that lie unread: nearly all that may, with what their pieces cost besides.
const UNREAD: usize = 15 * 1024 * 1024;
/// Streams of one connection, and how many of them at once.
const STREAMS: usize = 2000;
const AT_ONCE: usize = 100;
/// Streams that share a changing path, the bytes of each, and after how many datagrams it becomes so long or short again.
const SHARING: u8 = 4;
const SHARED_BYTES: usize = 1024 * 1024;
const CHANGE_AFTER: usize = 300;
const LONG_WAY: Duration = Duration::from_millis(15);

async fn pair() -> (Connection, Connection) {
    let (mut hub, mut peer) = (node(), node());
    let address = listen(&mut hub.transport, "/ip4/127.0.0.1/udp/0/webrtc-direct").await;
    let arrival = accept(hub.transport);
    let (_, ours) = dial(&mut peer.transport, address).await;
    let (_, theirs, _) = within(arrival).await.expect("accepted");
    (ours, theirs)
}

/// The same over a path: it answers where to send what is meant for the listener.
async fn pair_by(path: impl AsyncFnOnce(SocketAddr) -> SocketAddr) -> (Connection, Connection) {
    let (mut hub, peer) = (node(), node());
    let address = listen(&mut hub.transport, "/ip4/127.0.0.1/udp/0/webrtc-direct").await;
    let arrival = accept(hub.transport);
    let port = address.iter().find_map(|part| if let Protocol::Udp(port) = part { Some(port) } else { None });
    let here = path((Ipv4Addr::LOCALHOST, port.expect("a port")).into()).await;
    let dialled = address.replace(1, |_| Some(Protocol::Udp(here.port()))).expect("a port");
    let (_, ours) = dial(&mut peer.transport.dialling(Version::V2), dialled).await;
    let (_, theirs, _) = within(arrival).await.expect("accepted");
    (ours, theirs)
}

/// Answers whatever comes until the connection ends.
fn serve(mut connection: Connection) {
    tokio::spawn(async move {
        while let Ok(stream) = poll_fn(|cx| Pin::new(&mut connection).poll_inbound(cx)).await {
            tokio::spawn(echo_if_wanted(stream));
        }
    });
}

/// The same where the other side may give up.
async fn echo_if_wanted(mut stream: Stream) {
    let mut heard = Vec::new();
    if stream.read_to_end(&mut heard).await.is_ok() && stream.write_all(&heard).await.is_ok() {
        let _ = stream.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_short_streams_all_complete() {
    let (mut ours, theirs) = pair().await;
    serve(theirs);
    let mut running: FuturesUnordered<JoinHandle<()>> = FuturesUnordered::new();
    for n in 0..STREAMS {
        if running.len() >= AT_ONCE {
            running.next().await.expect("one runs").expect("it completes");
        }
        let mut stream = outbound(&mut ours).await;
        running.push(tokio::spawn(async move {
            // Some are given up halfway, and one in ten before it is open.
            match n % 10 {
                0 => {}
                1 => drop(stream.write_all(&[1; 1000]).await),
                _ => ask(stream, &[n as u8; 1024]).await,
            }
        }));
    }
    while let Some(done) = running.next().await {
        done.expect("it completes");
    }
}

/// A dialer takes answers from the address it dialled, and from no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_on_all_addresses_answers_from_the_one_it_was_reached_on() {
    for ip in ["127.0.0.1", "127.0.0.2"] {
        let (mut hub, mut peer) = (node(), node());
        let announced = listen(&mut hub.transport, "/ip4/0.0.0.0/udp/0/webrtc-direct").await;
        let there = announced.into_iter().skip(1).fold(format!("/ip4/{ip}"), |text, part| format!("{text}{part}"));
        let arrival = accept(hub.transport);
        let (_, mut ours) = dial(&mut peer.transport, there.parse().expect("an address")).await;
        let (_, theirs, local) = within(arrival).await.expect("accepted");
        assert_eq!(local.to_string(), there);
        serve(theirs);
        ask(outbound(&mut ours).await, b"from there").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_reads_waits_and_is_whole() {
    let (mut ours, mut theirs) = pair().await;
    let mut writer = outbound(&mut ours).await;
    let whole: Vec<u8> = (0..UNREAD).map(|at| (at % 251) as u8).collect();
    let sent = whole.clone();
    within(async move {
        writer.write_all(&sent).await.expect("taken");
        writer.close().await.expect("closed");
    })
    .await;
    // Streams after it are served while it lies there, all of it.
    let mut reader = inbound(&mut theirs).await;
    serve(theirs);
    ask(outbound(&mut ours).await, b"meanwhile").await;
    let mut read = Vec::new();
    within(reader.read_to_end(&mut read)).await.expect("whole");
    assert!(read == whole, "{} bytes of {}", read.len(), whole.len());
}

/// How much is under way changes with the path, and each stream has to notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_share_a_path_whose_length_changes_all_come_through() {
    let (mut ours, theirs) = pair_by(async |listener| path::changing(listener, CHANGE_AFTER, LONG_WAY).await).await;
    serve(theirs);
    let mut asking = Vec::new();
    for n in 0..SHARING {
        let stream = outbound(&mut ours).await;
        asking.push(tokio::spawn(async move { ask(stream, &vec![n; SHARED_BYTES]).await }));
    }
    for asked in asking {
        within(asked).await.expect("echoed");
    }
}

/// Of a path on which all that is sent at once also comes at once.
const FAR: Duration = Duration::from_millis(25);
const FAR_BYTES: usize = 1024 * 1024;
/// Datagrams of them after which the window is wide, even if a busy machine had it begin anew.
const WIDE_AFTER: usize = 400;
/// Connections with one gap each.
const GAPS: usize = 3;

/// Sends so much by a stream of its own; returns when the other side has read all of it.
async fn upload(ours: &mut Connection, theirs: &mut Connection, bytes: usize) {
    let mut stream = outbound(ours).await;
    let sending = async move {
        stream.write_all(&vec![5; bytes]).await.expect("writable");
        stream.close().await.expect("closable");
        stream.read_to_end(&mut Vec::new()).await.expect("answered");
    };
    let receiving = async {
        let mut heard = Vec::new();
        let mut stream = inbound(theirs).await;
        stream.read_to_end(&mut heard).await.expect("readable");
        stream.close().await.expect("closable");
        assert_eq!(heard.len(), bytes);
    };
    within(async { tokio::join!(sending, receiving) }).await;
}

/// A browser's sending window grows with each acknowledgement, and not with what it acknowledges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_second_packet_is_acknowledged_and_each_one_in_a_gap() {
    let (mut in_gaps, mut answers) = (0, 0);
    for _ in 0..GAPS {
        let log = path::Log::default();
        let (mut ours, mut theirs) = pair_by(async |listener| path::far(listener, FAR, log.clone()).await).await;
        upload(&mut ours, &mut theirs, FAR_BYTES).await;
        let (data, acknowledgements) = log.data_and_acknowledgements();
        assert!(acknowledgements * 5 >= data * 2, "{data} packets of data got {acknowledgements} acknowledgements");

        log.lose_data_after(WIDE_AFTER);
        upload(&mut ours, &mut theirs, FAR_BYTES).await;
        let (data, acknowledgements) = log.in_the_gap();
        (in_gaps, answers) = (in_gaps + data, answers + acknowledgements);
    }
    // How wide one gap is depends on how busy the machine is. The last ones may leave when the next packets have come.
    assert!(
        in_gaps >= 20 && answers * 5 >= in_gaps * 4,
        "{in_gaps} packets in {GAPS} gaps got {answers} acknowledgements"
    );
}
