//! How a stream of somebody else ends for its reader, over a real connection.

#![cfg(not(target_family = "wasm"))]

mod raw;

use std::{future::poll_fn, io, pin::Pin, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{
    Transport as _,
    core::{
        StreamMuxer,
        transport::{ListenerId, TransportEvent},
    },
    identity::Keypair,
};
use raw::Raw;
use tincan_webrtc::{
    Limits, Stream,
    frame::{Flag, data, signal},
    native::{Certificate, Transport},
};
use tokio::time::timeout;

/// Whatever is awaited here comes in milliseconds.
const PATIENCE: Duration = Duration::from_secs(45);

async fn within<T>(awaited: impl Future<Output = T>) -> T {
    timeout(PATIENCE, awaited).await.expect("in time")
}

/// A dialer says these frames on a stream of its own. Returns what the listener makes of the stream, while both go on.
async fn heard<T>(frames: &[&[u8]], hear: impl AsyncFnOnce(Stream) -> T) -> T {
    let certificate = Certificate::generate().expect("a certificate");
    let mut transport = Transport::new(Keypair::generate_ed25519(), certificate, Limits::default());
    let address = "/ip4/127.0.0.1/udp/0/webrtc-direct".parse().expect("an address");
    transport.listen_on(ListenerId::next(), address).expect("listens");
    let address = within(poll_fn(|cx| Pin::new(&mut transport).poll(cx))).await.into_new_address().expect("an address");
    let accept = async move {
        loop {
            if let TransportEvent::Incoming { upgrade, .. } = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await {
                let (_, mut connection) = upgrade.await.expect("authenticated");
                let stream = poll_fn(|cx| Pin::new(&mut connection).poll_inbound(cx)).await.expect("a stream");
                return hear(stream).await;
            }
        }
    };
    let dial = async {
        let mut raw = Raw::dial(&address).await;
        raw.prove().await;
        let channel = raw.channel();
        raw.until("the channel is open", |raw| raw.is_open(channel)).await;
        for frame in frames {
            assert!(raw.write(channel, frame), "taken");
        }
        loop {
            raw.turn().await;
        }
    };
    tokio::select! {
        heard = within(accept) => heard,
        () = dial => unreachable!("the dialer never ends"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_behind_the_end_is_no_error_for_the_reader() {
    let frames = [&data(b"all of it")[..], &signal(Flag::Fin), &signal(Flag::Reset)];
    let (read, all, write) = heard(&frames, async |mut stream| {
        // Writing tells when the reset has come, which is after everything else.
        let write = loop {
            if let Err(error) = stream.write_all(b"an answer").await {
                break error;
            }
            tokio::task::yield_now().await;
        };
        let mut all = Vec::new();
        (stream.read_to_end(&mut all).await.map(drop), all, write)
    })
    .await;
    assert!(read.is_ok(), "{read:?}");
    assert_eq!(all, b"all of it");
    assert_eq!(write.kind(), io::ErrorKind::ConnectionReset, "nobody reads the answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_before_the_end_is_one() {
    let frames = [&data(b"half of it")[..], &signal(Flag::Reset)];
    let (read, half) = heard(&frames, async |mut stream| {
        let mut half = Vec::new();
        (stream.read_to_end(&mut half).await, half)
    })
    .await;
    assert_eq!(read.expect_err("an error").kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(half, b"half of it");
}
