//! What a listener of `/webrtc-direct` holds for those who send and never let up.

#![cfg(not(target_family = "wasm"))]

mod raw;

use std::{future::poll_fn, pin::Pin, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{
    Multiaddr, Transport as _,
    core::{
        Endpoint, StreamMuxer,
        transport::{DialOpts, ListenerId, PortUse, TransportEvent},
    },
    identity::Keypair,
};
use raw::{Raw, TINY_FRAME};
use tincan_webrtc::{
    Budget, Limits, Stream, frame,
    native::{Certificate, Connection, Transport},
};
use tokio::{sync::mpsc, time::timeout};

const PATIENCE: Duration = Duration::from_secs(45);
/// Frames that a stranger sends, unless its connection ends before.
const FRAMES: usize = 100_000;
/// Streams that somebody with a key opens, and writes to.
const STREAMS: usize = 40;

fn transport(limits: Limits) -> Transport {
    Transport::new(Keypair::generate_ed25519(), Certificate::generate().expect("a certificate"), limits)
}

async fn within<T>(awaited: impl Future<Output = T>) -> T {
    timeout(PATIENCE, awaited).await.expect("in time")
}

/// A listener on loopback that goes on by itself: its address, what it holds, and who proves who they are.
async fn listener(limits: Limits) -> (Multiaddr, Budget, mpsc::Receiver<Connection>) {
    let mut transport = transport(limits);
    let budget = transport.budget().clone();
    let address = "/ip4/127.0.0.1/udp/0/webrtc-direct".parse().expect("an address");
    transport.listen_on(ListenerId::next(), address).expect("listens");
    let told = within(poll_fn(|cx| Pin::new(&mut transport).poll(cx))).await.into_new_address().expect("an address");
    let (accepted, arrivals) = mpsc::channel(64);
    tokio::spawn(async move {
        loop {
            if let TransportEvent::Incoming { upgrade, .. } = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await {
                let accepted = accepted.clone();
                tokio::spawn(async move {
                    if let Ok((_, connection)) = upgrade.await {
                        let _ = accepted.send(connection).await;
                    }
                });
            }
        }
    });
    (told, budget, arrivals)
}

async fn dial(transport: &mut Transport, address: &Multiaddr) -> Connection {
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    within(transport.dial(address.clone(), options).expect("an address of ours")).await.expect("connected").1
}

async fn outbound(connection: &mut Connection) -> Stream {
    within(poll_fn(|cx| Pin::new(&mut *connection).poll_outbound(cx))).await.expect("a stream")
}

async fn inbound(connection: &mut Connection) -> Stream {
    within(poll_fn(|cx| Pin::new(&mut *connection).poll_inbound(cx))).await.expect("a stream")
}

/// Sends small frames until the connection or the channel ends, or all are sent: on the handshake's channel, or on one that
/// it opens itself.
async fn flood(mut raw: Raw, own_channel: bool) -> usize {
    let mut sent = 0;
    let id = if own_channel { raw.channel() } else { raw.first };
    while sent < FRAMES && !raw.ended && !raw.is_closed(id) {
        while sent < FRAMES && raw.write(id, &TINY_FRAME) {
            sent += 1;
        }
        raw.turn().await;
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_without_a_key_gets_little_memory_however_much_it_sends() {
    for (strangers, own_channel) in [(1, false), (1, true), (4, false), (4, true)] {
        let (address, budget, _arrivals) = listener(Limits::default()).await;
        let mut running = Vec::new();
        for _ in 0..strangers {
            running.push(tokio::spawn(flood(Raw::dial(&address).await, own_channel)));
        }
        let mut most = 0;
        while running.iter().any(|stranger| !stranger.is_finished()) {
            most = most.max(budget.held());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for stranger in running {
            assert!(stranger.await.expect("it ran") < FRAMES, "its connection ends first");
        }
        println!("{strangers} strangers: {most} bytes at most");
        // What streams hold, and as much that waits for the connection.
        let bound = strangers * 2 * Limits::default().unauthenticated_bytes;
        assert!(most <= bound, "{most} bytes for {strangers} strangers");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_it_has_proved_who_it_is_nobody_opens_streams() {
    let (address, ..) = listener(Limits::default()).await;
    let mut raw = Raw::dial(&address).await;
    raw.channel();
    raw.until("the listener ends it", |raw| raw.ended).await;
}

/// What a stream holds when it ends can be given up, too: nobody works on it for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_before_a_reset_stops_nobody() {
    let (address, budget, mut arrivals) = listener(Limits::default()).await;
    // One message, of which more is kept than a stranger may have: memory goes with both payloads.
    let message = [frame::data(&[7; 25_500]), frame::data(&[7; 21_500]), frame::signal(frame::Flag::Reset)].concat();
    // As many as there are workers.
    for _ in 0..2 {
        let mut raw = Raw::dial(&address).await;
        let (first, resets) = (raw.first, budget.resets());
        assert!(raw.write(first, &message));
        raw.until("too much is given up", |_| budget.resets() > resets).await;
        raw.until("the listener ends it", |raw| raw.ended).await;
    }
    let mut transport = transport(Limits::default());
    let mut ours = dial(&mut transport, &address).await;
    let mut theirs = within(arrivals.recv()).await.expect("accepted");
    let mut stream = outbound(&mut ours).await;
    within(stream.write_all(b"hello")).await.expect("taken");
    let mut heard = [0; 5];
    within(async { inbound(&mut theirs).await.read_exact(&mut heard).await }).await.expect("whole");
    assert_eq!(&heard, b"hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_with_too_large_a_number_ends_the_connection() {
    let (address, _, mut arrivals) = listener(Limits::default()).await;
    let mut raw = Raw::dial(&address).await;
    raw.prove().await;
    let mut theirs = within(arrivals.recv()).await.expect("accepted");
    let allowed = raw.unannounced(2047);
    raw.until("it opens", |raw| raw.write(allowed, b"x")).await;
    let announced = raw.channel();
    raw.until("the connection stands", |raw| raw.is_open(announced)).await;
    drop(inbound(&mut theirs).await);
    let large = raw.unannounced(2048);
    raw.until("the listener ends it", |raw| {
        raw.write(large, b"x");
        raw.ended
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_nobody_has_opened_end_the_connection() {
    let (address, ..) = listener(Limits::default()).await;
    let mut raw = Raw::dial(&address).await;
    raw.prove().await;
    let strange: Vec<_> = (1..1000).map(|number| raw.unannounced(2 * number)).collect();
    raw.until("the listener ends it", |raw| {
        for id in &strange {
            raw.write(*id, b"x");
        }
        raw.ended
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datagrams_that_no_path_carries_are_lost_and_the_connection_stands() {
    let (address, _, mut arrivals) = listener(Limits::default()).await;
    let mut raw = Raw::dial(&address).await;
    raw.prove().await;
    let mut theirs = within(arrivals.recv()).await.expect("accepted");
    for length in [2049, 3000, 9000, 60_000] {
        for first in [0, 20, 22, 23, 128] {
            // Such as DTLS would decrypt: its version, and a length that fits.
            let record =
                [&[first, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9][..], &(length as u16 - 13).to_be_bytes()].concat();
            let mut bytes = vec![7; length];
            bytes[..13].copy_from_slice(&record);
            raw.datagram(&bytes).await;
        }
        let stream = raw.channel();
        raw.until("streams open", |raw| raw.is_open(stream)).await;
        drop(inbound(&mut theirs).await);
    }
    assert!(!raw.ended);
}

/// Somebody with a key writes to many streams, and nobody here reads or even takes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_reads_is_bounded_for_each_connection() {
    let (address, budget, mut arrivals) = listener(Limits::default()).await;
    let mut transport = transport(Limits::default());
    let mut ours = dial(&mut transport, &address).await;
    let theirs = within(arrivals.recv()).await.expect("accepted");
    let mut writing = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = outbound(&mut ours).await;
        // It ends by a reset, or when all is taken.
        writing.push(tokio::spawn(async move { stream.write_all(&[7; 1024 * 1024]).await.is_err() }));
    }
    let bound = Limits::default().connection_bytes;
    let mut most = 0;
    while writing.iter().any(|written| !written.is_finished()) || budget.resets() == 0 {
        most = most.max(budget.held());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("{most} bytes at most, {} streams reset", budget.resets());
    // What waits for the connection is bounded by itself.
    assert!(most <= bound + 4 * 1024 * 1024, "{most} bytes");
    assert!(most >= bound / 2, "{most} bytes, which tries nothing");
    drop(theirs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_reads_is_bounded_for_all_connections_and_the_largest_pays() {
    let limits = Limits { transport_bytes: 4 * 1024 * 1024, ..Limits::default() };
    let (address, budget, mut arrivals) = listener(limits).await;
    let mut transport = transport(Limits::default());
    let mut modest = dial(&mut transport, &address).await;
    let mut modest_theirs = within(arrivals.recv()).await.expect("accepted");
    let mut kept = outbound(&mut modest).await;
    kept.write_all(&[1; 100_000]).await.expect("taken");
    kept.close().await.expect("closed");
    let mut held = inbound(&mut modest_theirs).await;
    let mut greedy = dial(&mut transport, &address).await;
    let greedy_theirs = within(arrivals.recv()).await.expect("accepted");
    let mut stream = outbound(&mut greedy).await;
    let reset = within(async {
        loop {
            if let Err(error) = stream.write_all(&[7; 64 * 1024]).await {
                return error;
            }
        }
    })
    .await;
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(budget.resets(), 1);
    let mut read = Vec::new();
    within(held.read_to_end(&mut read)).await.expect("whole");
    assert_eq!(read.len(), 100_000, "who holds little loses nothing");
    drop(greedy_theirs);
}

/// Nobody reads, and so much is held that the bound has no room for a full datagram: others' still come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_bound_all_but_reached_others_are_heard() {
    let bound = 1024 * 1024;
    let (address, budget, mut arrivals) = listener(Limits { transport_bytes: bound, ..Limits::default() }).await;
    let mut transport = transport(Limits::default());
    let mut other = dial(&mut transport, &address).await;
    let mut other_theirs = within(arrivals.recv()).await.expect("accepted");
    let mut greedy = dial(&mut transport, &address).await;
    let greedy_theirs = within(arrivals.recv()).await.expect("accepted");
    let mut streams = vec![outbound(&mut greedy).await];
    let holds = async |bytes| {
        while budget.held() < bytes {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    for n in 1..=18 {
        streams[0].write_all(&[7; 50_000]).await.expect("taken");
        within(holds(n * 50_000)).await;
    }
    // A stream with one byte takes less than a datagram, so that the bound is not passed.
    while budget.held() + 1400 <= bound {
        let held = budget.held();
        let mut stream = outbound(&mut greedy).await;
        stream.write_all(b"x").await.expect("taken");
        streams.push(stream);
        // How much more depends on how its datagrams were put together.
        within(holds(held + 1)).await;
    }
    assert_eq!(budget.resets(), 0);
    let mut stream = outbound(&mut other).await;
    let sending = tokio::spawn(async move {
        stream.write_all(&[1; 100_000]).await.expect("taken");
        stream.close().await.expect("closed");
    });
    let mut read = Vec::new();
    within(async { inbound(&mut other_theirs).await.read_to_end(&mut read).await }).await.expect("whole");
    assert_eq!(read.len(), 100_000);
    assert_eq!(budget.resets(), 1, "of the stream that holds most");
    within(sending).await.expect("it ran");
    drop(greedy_theirs);
}
