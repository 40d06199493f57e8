//! Somebody with a key sends SCTP that no honest peer sends. Others are served all the while.

#![cfg(not(target_family = "wasm"))]

mod raw;

use std::{
    future::poll_fn,
    pin::Pin,
    time::{Duration, Instant},
};

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{
    Multiaddr, Transport as _,
    core::{
        Endpoint, StreamMuxer,
        transport::{DialOpts, ListenerId, PortUse, TransportEvent},
    },
    identity::Keypair,
};
use raw::{Raw, TINY_FRAME, data, heartbeat, open_chunk, performed, reset, sack};
use tincan_webrtc::{
    Limits, Stream,
    native::{Certificate, Connection, Transport},
};
use tokio::{sync::mpsc, time::timeout};

const PATIENCE: Duration = Duration::from_secs(45);
/// How long an honest peer may wait for an answer, on a machine that does much else.
const ANSWERED: Duration = Duration::from_secs(3);
/// Chunks in a datagram of 2 KiB, with one byte of payload each.
const CHUNKS: usize = 90;
/// Chunks of a connection that the listener has under way at most, whatever they are.
const UNDER_WAY: u32 = 4096;
/// Questions that the listener answers before anybody has proved who they are: 64 KiB at 256 bytes each.
const EARLY: usize = 256;
/// Packets between two turns: DTLS reads no more records of one datagram.
const PACKETS: usize = 8;
/// Resets of the other side that the listener takes before it has had an answer to one of its own.
const OWED: usize = 129;
/// Messages that the listener writes to whoever sends this byte.
const MANY: u32 = 20_000;
const ASKS_FOR_MANY: u8 = b'x';

fn transport() -> Transport {
    Transport::new(Keypair::generate_ed25519(), Certificate::generate().expect("a certificate"), Limits::default())
}

async fn within<T>(awaited: impl Future<Output = T>) -> T {
    timeout(PATIENCE, awaited).await.expect("in time")
}

/// A listener on loopback that echoes what comes in each stream of whoever proves who they are. To [`ASKS_FOR_MANY`] it
/// answers by that many messages.
async fn echo() -> (Multiaddr, mpsc::Receiver<()>) {
    let mut transport = transport();
    let address = "/ip4/127.0.0.1/udp/0/webrtc-direct".parse().expect("an address");
    transport.listen_on(ListenerId::next(), address).expect("listens");
    let told = within(poll_fn(|cx| Pin::new(&mut transport).poll(cx))).await.into_new_address().expect("an address");
    let (accepted, arrivals) = mpsc::channel(64);
    tokio::spawn(async move {
        loop {
            if let TransportEvent::Incoming { upgrade, .. } = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await {
                let accepted = accepted.clone();
                tokio::spawn(async move {
                    let Ok((_, mut connection)) = upgrade.await else { return };
                    let _ = accepted.send(()).await;
                    while let Ok(stream) = poll_fn(|cx| Pin::new(&mut connection).poll_inbound(cx)).await {
                        tokio::spawn(async move {
                            let (mut read, mut write) = stream.split();
                            let mut byte = [0];
                            while read.read_exact(&mut byte).await.is_ok() {
                                let times = if byte == [ASKS_FOR_MANY] { MANY } else { 1 };
                                for _ in 0..times {
                                    // One message each.
                                    if write.write_all(&byte).await.is_err() || write.flush().await.is_err() {
                                        return;
                                    }
                                }
                            }
                        });
                    }
                });
            }
        }
    });
    (told, arrivals)
}

async fn dial(transport: &mut Transport, address: &Multiaddr) -> (Connection, Stream) {
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let dialed = transport.dial(address.clone(), options).expect("an address of ours");
    let (_, mut connection) = within(dialed).await.expect("connected");
    let stream = within(poll_fn(|cx| Pin::new(&mut connection).poll_outbound(cx))).await.expect("a stream");
    (connection, stream)
}

#[allow(clippy::disallowed_methods, reason = "what is measured is how long it takes")]
fn now() -> Instant {
    Instant::now()
}

/// A dialer that has proved who it is, and says from now on what the test says.
async fn stranger(address: &Multiaddr, arrivals: &mut mpsc::Receiver<()>) -> (Raw, u32) {
    let mut raw = Raw::dial(address).await;
    raw.prove().await;
    for _ in 0..2 {
        within(arrivals.recv()).await.expect("accepted");
    }
    let next = raw.wire.take_over();
    (raw, next)
}

/// Two dialers of one listener.
struct Met {
    /// One that is answered.
    honest: (Transport, Connection, Stream),
    /// A [`stranger`].
    raw: Raw,
    /// The number of its next chunk.
    next: u32,
}

async fn met() -> Met {
    let (address, mut arrivals) = echo().await;
    let mut transport = transport();
    let (connection, mut stream) = dial(&mut transport, &address).await;
    answer(&mut stream).await;
    let (raw, next) = stranger(&address, &mut arrivals).await;
    Met { honest: (transport, connection, stream), raw, next }
}

/// The listener echoes a byte.
async fn answer(stream: &mut Stream) {
    within(async {
        stream.write_all(b"y").await.expect("written");
        stream.flush().await.expect("sent");
        stream.read_exact(&mut [0]).await.expect("echoed");
    })
    .await;
}

// One worker: what takes long keeps all connections waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_that_is_used_again_before_its_end_delays_nobody() {
    let Met { honest: (_transport, _connection, mut stream), mut raw, next: missing } = met().await;
    raw.wire.send(&[reset(raw.wire.first(), missing, 2)]);
    raw.turn().await;
    let tsns: Vec<u32> = (1..2048).map(|n| missing.wrapping_add(n)).collect();
    let begun = now();
    for tsns in tsns.chunks(CHUNKS) {
        let chunks: Vec<_> = tsns.iter().map(|tsn| data(*tsn, 2, tsn.wrapping_sub(missing) as u16 - 1, b"x")).collect();
        raw.wire.send(&chunks);
        raw.turn_within(Duration::from_millis(1)).await;
    }
    answer(&mut stream).await;
    let waited = now() - begun;
    assert!(!raw.ended, "the chunks are lost, and the connection stands");
    println!("an honest peer waited {waited:?}");
    assert!(waited < ANSWERED, "an honest peer waited {waited:?}");
}

/// The listener's first message is acknowledged never, all others at once: it has to keep them all.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_peer_that_acknowledges_by_gaps_alone_is_sent_little_and_delays_nobody() {
    let Met { honest: (_transport, _connection, mut stream), mut raw, next } = met().await;
    let before = raw.wire.heard().last;
    raw.wire.send(&[open_chunk(next, 2), data(next.wrapping_add(1), 2, 1, &TINY_FRAME)]);
    let acknowledge = |raw: &Raw| {
        let end = raw.wire.heard().last.wrapping_sub(before) as u16;
        let blocks: Vec<_> = (end >= 2).then_some((2, end)).into_iter().collect();
        raw.wire.send(&[sack(before, &blocks)]);
    };
    let (mut quiet, mut kept) = (0, 0);
    while quiet < 20 {
        raw.turn().await;
        acknowledge(&raw);
        let now = raw.wire.heard().last.wrapping_sub(before);
        quiet = if now == kept { quiet + 1 } else { 0 };
        kept = now;
    }
    println!("{kept} chunks are kept");
    assert!(kept <= UNDER_WAY + 64, "{kept} chunks are kept");
    assert!(kept >= UNDER_WAY / 2, "{kept} chunks, which tries nothing");
    let single = sack(before, &[(2, kept as u16)]);
    let equal = sack(before, &[(2, kept as u16); 450]);
    let mut longest = Duration::ZERO;
    for flood in [single, equal] {
        for _ in 0..200 {
            (0..PACKETS).for_each(|_| raw.wire.send(std::slice::from_ref(&flood)));
            raw.turn_within(Duration::from_millis(1)).await;
            let begun = now();
            answer(&mut stream).await;
            longest = longest.max(now() - begun);
        }
    }
    println!("an honest peer waited {longest:?}");
    assert!(longest < ANSWERED, "an honest peer waited {longest:?}");
    assert!(!raw.ended, "the acknowledgements are lost, and the connection stands");
    // Once the listener sends the missing one again, an acknowledgement is due.
    raw.until("all is acknowledged, so that more comes", |raw| {
        raw.wire.send(&[sack(raw.wire.heard().last, &[])]);
        raw.wire.heard().last.wrapping_sub(before) > kept + 1000
    })
    .await;
}

/// Streams are opened and reset at once. The listener resets each in return, one after another, which nobody answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_peer_that_never_answers_resets_is_soon_not_heard_and_delays_nobody() {
    let Met { honest: (_transport, _connection, mut stream), mut raw, next } = met().await;
    let first = raw.wire.first();
    let cycle = |n: u32| {
        let (tsn, stream) = (next.wrapping_add(n), 2 + 2 * (n % 500) as u16);
        [open_chunk(tsn, stream), reset(first.wrapping_add(n), tsn, stream)]
    };
    let done = |raw: &Raw| raw.wire.heard().answers.iter().filter(|(_, result)| *result == 1).count();
    // So that the listener's own resets are not held back by what it has sent.
    let acknowledge = |raw: &Raw| raw.wire.send(&[sack(raw.wire.heard().last, &[])]);
    let mut longest = Duration::ZERO;
    for n in (0..3000).step_by(PACKETS - 1) {
        (n..).take(PACKETS - 1).for_each(|n| raw.wire.send(&cycle(n)));
        acknowledge(&raw);
        raw.turn_within(Duration::from_millis(1)).await;
        let begun = now();
        answer(&mut stream).await;
        longest = longest.max(now() - begun);
    }
    let taken = done(&raw);
    println!("{taken} resets were done, and an honest peer waited {longest:?}");
    assert!(taken <= OWED && taken > OWED / 2, "{taken} resets were done");
    assert!(longest < ANSWERED, "an honest peer waited {longest:?}");
    assert!(!raw.ended, "further resets are lost, and the connection stands");
    raw.until("those are answered, so that further ones are done", |raw| {
        acknowledge(raw);
        raw.wire.heard().requests.last().iter().for_each(|request| raw.wire.send(&[performed(**request)]));
        let heard = raw.wire.heard().answers;
        let last =
            heard.iter().filter(|(_, result)| *result == 1).map(|(request, _)| request.wrapping_sub(first)).max();
        raw.wire.send(&cycle(last.map_or(0, |last| last + 1)));
        last.is_some_and(|last| last > 2 * OWED as u32)
    })
    .await;
}

/// Each question would be answered by a packet, also while nobody has proved who they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stranger_gets_one_answer_a_packet_and_few_in_all() {
    let (address, _arrivals) = echo().await;
    let mut raw = Raw::dial(&address).await;
    raw.wire.take_over();
    for _ in 0..PACKETS {
        raw.wire.send(&vec![heartbeat(); 100]);
        raw.turn().await;
    }
    raw.wire.send(&[heartbeat()]);
    raw.until("the packet with one of them is answered", |raw| raw.wire.heard().beats > 0).await;
    assert_eq!(raw.wire.heard().beats, 1, "those with many are lost");
    raw.until("it asks too much", |raw| {
        (1..PACKETS).for_each(|_| raw.wire.send(&[heartbeat()]));
        raw.ended
    })
    .await;
    let beats = raw.wire.heard().beats;
    println!("{beats} answers");
    assert!(beats < EARLY && beats > EARLY / 2, "{beats} answers");
}
