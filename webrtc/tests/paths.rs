//! Streams over paths that are long, or change their length.

#![cfg(not(target_family = "wasm"))]

mod pair;
mod path;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::multiaddr::Protocol;
use pair::{accept, ask, dial, inbound, listen, node, outbound, serve, within};
use tincan_webrtc::{direct::credentials::Version, native::Connection};

/// Streams that share a changing path, the bytes of each, and after how many datagrams it becomes so long or short again.
const SHARING: u8 = 4;
const SHARED_BYTES: usize = 1024 * 1024;
const CHANGE_AFTER: usize = 300;
const LONG_WAY: Duration = Duration::from_millis(15);

/// Two connected nodes with a path between them: `path` answers where to send what is meant for the listener.
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
    // How wide one gap is depends on how busy the machine is. The last ones may leave when the next packets have come, and on
    // a busy machine some are answered together; each second one would be half of them.
    assert!(
        in_gaps >= 20 && answers * 3 >= in_gaps * 2,
        "{in_gaps} packets in {GAPS} gaps got {answers} acknowledgements"
    );
}
