//! A peer comes back before the hub has noticed that it was gone.

mod support;

use std::time::Duration;

use support::{
    Hub, PATIENCE,
    node::{peer, total, until},
};
use tincan_shared::{Event, MessageState, Multiaddr, Said};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

const ROOM: &str = "tunnel";
/// Well below the hub's own pings' verdict on the dead connection.
const SOON: Duration = Duration::from_secs(10);

/// Passes connections on until told to lose them: the peer's side closes, the hub's side hears nothing.
async fn lossy_wire(hub: &Multiaddr) -> (Multiaddr, watch::Sender<()>) {
    let port = hub.to_string().split('/').nth(4).and_then(|port| port.parse::<u16>().ok()).expect("a tcp address");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let here = listener.local_addr().expect("bound").port();
    let address = hub.to_string().replace(&format!("/tcp/{port}"), &format!("/tcp/{here}"));
    let (lose, lost) = watch::channel(());
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(("127.0.0.1", port)).await.expect("the hub listens");
            let mut lost = lost.clone();
            lost.mark_unchanged();
            kept.push(tokio::spawn(async move {
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = lost.changed() => {
                        drop(near);
                        // The hub's side stays open and silent.
                        std::future::pending::<()>().await;
                    }
                }
            }));
        }
    });
    (address.parse().expect("an address"), lose)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_speaks_and_hears_again_at_once() {
    let hub = Hub::start();
    let address: Multiaddr = hub.address("tcp").parse().expect("an address");
    let (wire, lose) = lossy_wire(&address).await;
    let (ann, mut ann_hears) = peer(&wire, "ann");
    let (bob, mut bob_hears) = peer(&address, "bob");
    ann.join(ROOM, false).await.expect("joined");
    bob.join(ROOM, false).await.expect("joined");
    total(&mut ann_hears, ROOM, 1, PATIENCE).await;
    total(&mut bob_hears, ROOM, 1, PATIENCE).await;

    lose.send(()).expect("the wire is there");
    until(&mut ann_hears, SOON, |event| matches!(event, Event::PeerDown { .. }).then_some(())).await;
    assert!(matches!(ann.say(ROOM, "into the dark").await, Ok(Said::Queued { .. })));
    let heard = |event| match event {
        Event::Message(message) if message.state == MessageState::Received => Some(message.text),
        _ => None,
    };
    assert_eq!(until(&mut bob_hears, SOON, heard).await, "into the dark");
    bob.say(ROOM, "and back").await.expect("said");
    assert_eq!(until(&mut ann_hears, SOON, heard).await, "and back");
}
