//! Listener and dialer of `/webrtc-direct` over loopback, as libp2p uses them.

#![cfg(not(target_family = "wasm"))]

mod pair;

use std::pin::Pin;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, future::poll_fn, stream::FuturesUnordered};
use libp2p::core::StreamMuxer;
use pair::{accept, ask, dial, echo, inbound, listen, node, outbound, pair, serve, within};
use tincan_webrtc::direct::credentials::Version;
use tokio::task::JoinHandle;

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
