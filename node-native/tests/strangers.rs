//! Peers of other programs, unwelcome ones, and those who lie.

mod support;

use std::time::Duration;

use libp2p::{Multiaddr, gossipsub, identity::Keypair, swarm::SwarmEvent};
use support::{
    Hub, PATIENCE, http,
    node::{now_ms, peer, total, until},
    stock::{ProtocolsEvent, Stock},
};
use tincan_shared::{Event, Events, Node, room::frame};

const ROOM: &str = "crossing";
/// More than cost a peer its connection when they are its own.
const LIES: u64 = 20;
const BETWEEN_LIES: Duration = Duration::from_millis(100);

/// A hub, where it is, and somebody of ours in the room there.
async fn ann_at_a_hub(plain: bool) -> (Hub, Multiaddr, Node, Events) {
    let hub = Hub::start();
    let address = hub.address("tcp").parse().expect("an address");
    let (ann, events) = peer(&address, "ann");
    ann.join(ROOM, plain).await.expect("joined");
    (hub, address, ann, events)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_lines_of_a_stock_peer_are_shown_and_it_hears_our_frames() {
    let (_hub, address, ann, mut ann_hears) = ann_at_a_hub(false).await;
    let mut stock = Stock::new();
    stock.dial(&address);
    stock.subscribe(ROOM);
    stock.until_subscribed(ROOM).await;

    stock.publish(ROOM, "grüezi".as_bytes());
    let heard = until(&mut ann_hears, PATIENCE, |event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    });
    let (message, ()) = tokio::select! {
        message = heard => (message, ()),
        () = async { loop { stock.until(|_| None::<()>).await } } => unreachable!("it runs for ever"),
    };
    assert_eq!((message.text.as_str(), message.plain, message.from), ("grüezi", true, stock.id));

    let drive = async {
        // It may have become a member before its line was heard.
        if ann.rooms().await.expect("rooms").iter().all(|room| room.total == 0) {
            total(&mut ann_hears, ROOM, 1, PATIENCE).await;
        }
        ann.say(ROOM, "hello").await.expect("said");
        std::future::pending::<()>().await;
    };
    let payload = tokio::select! {
        payload = stock.until(|event| match event {
            SwarmEvent::Behaviour(ProtocolsEvent::Gossip(gossipsub::Event::Message { message, .. })) => {
                // Presences come too.
                let frame = frame::verify(&message.data).ok()?;
                matches!(frame.body, frame::Body::Message { .. }).then_some(frame)
            }
            _ => None,
        }) => payload,
        () = drive => unreachable!("it waits for ever"),
    };
    assert_eq!(payload.author, ann.peer_id());
    assert!(matches!(payload.body, frame::Body::Message { text, .. } if text == "hello"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_plain_room_a_stock_peer_never_sees_a_frame() {
    let (_hub, address, ann, mut ann_hears) = ann_at_a_hub(true).await;
    let mut stock = Stock::new();
    stock.dial(&address);
    stock.subscribe(ROOM);
    stock.until_subscribed(ROOM).await;
    let speak = async {
        total(&mut ann_hears, ROOM, 1, PATIENCE).await;
        ann.set_nick("anna").await.expect("renamed: no presence may follow from it");
        for n in 0..20 {
            ann.say(ROOM, format!("line {n}")).await.expect("said");
        }
        std::future::pending::<()>().await;
    };
    let listen = async {
        let mut heard = Vec::new();
        while heard.len() < 20 {
            heard.push(
                stock
                    .until(|event| match event {
                        SwarmEvent::Behaviour(ProtocolsEvent::Gossip(gossipsub::Event::Message {
                            message, ..
                        })) => Some(String::from_utf8(message.data.clone()).expect("text, no frame")),
                        _ => None,
                    })
                    .await,
            );
        }
        heard
    };
    let mut heard = tokio::select! {
        heard = listen => heard,
        () = speak => unreachable!("it waits for ever"),
    };
    heard.sort_by_key(|line| line.trim_start_matches("line ").parse::<u32>().expect("a line of ours"));
    assert_eq!(heard, (0..20).map(|n| format!("line {n}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_what_does_not_verify_is_cut_off_and_nobody_else() {
    let (_hub, address, ann, mut ann_hears) = ann_at_a_hub(false).await;
    let (bob, mut bob_hears) = peer(&address, "bob");
    bob.join(ROOM, false).await.expect("joined");
    let mut liar = Stock::new();
    liar.dial(&address);
    liar.subscribe(ROOM);
    liar.until_subscribed(ROOM).await;
    for n in 0..20u8 {
        liar.publish(ROOM, &forged(n));
    }
    liar.until(|event| matches!(event, SwarmEvent::ConnectionClosed { .. }).then_some(())).await;
    liar.dial(&address);
    let refused = liar.until(|event| match event {
        SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => Some(()),
        _ => None,
    });
    refused.await;

    total(&mut ann_hears, ROOM, 1, PATIENCE).await;
    ann.say(ROOM, "still here").await.expect("said");
    let text = until(&mut bob_hears, PATIENCE, |event| match event {
        Event::Message(message) => Some(message.text),
        _ => None,
    });
    assert_eq!(text.await, "still here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_merely_forwards_what_does_not_verify_is_not_blamed() {
    let (hub, address, _ann, mut ann_hears) = ann_at_a_hub(false).await;
    let mut forwarder = Stock::new();
    let forwarders = forwarder.listen().await;
    forwarder.dial(&address);
    forwarder.subscribe(ROOM);
    forwarder.until_subscribed(ROOM).await;
    let mut liar = Stock::new();
    liar.dial(&forwarders);
    liar.subscribe(ROOM);
    tokio::select! {
        () = liar.until_subscribed(ROOM) => {}
        () = forwarder.until(is_closed) => panic!("the forwarder lost somebody"),
    }
    // The mesh forms meanwhile: what is said before goes no further.
    let mut said = 0u8;
    while http::counter(&hub.http, "payloads_rejected") < LIES {
        said = said.checked_add(1).expect("lies reach the hub");
        liar.publish(ROOM, &forged(said));
        tokio::select! {
            () = tokio::time::sleep(BETWEEN_LIES) => {}
            () = liar.until(is_closed) => panic!("the forwarder let the liar go"),
            () = forwarder.until(is_closed) => panic!("the hub cut the forwarder off"),
        }
    }
    forwarder.publish(ROOM, b"I only passed it on");
    let text = until(&mut ann_hears, PATIENCE, |event| match event {
        Event::Message(message) => Some(message.text),
        _ => None,
    });
    tokio::select! {
        text = text => assert_eq!(text, "I only passed it on"),
        () = forwarder.until(is_closed) => panic!("the hub cut the forwarder off"),
        () = liar.until(is_closed) => panic!("the forwarder let the liar go"),
    }
    assert_eq!(http::counter(&hub.http, "peers_refused"), 0);
}

/// A frame whose signature is not its author's.
fn forged(number: u8) -> Vec<u8> {
    let key = Keypair::generate_ed25519();
    let body = frame::Body::Message { nick: "mallory".to_owned(), text: "a lie".to_owned() };
    let (sequence, time_ms) = (u64::from(number) + 1, now_ms());
    let draft = frame::Draft { room: ROOM, sequence, previous: 0, time_ms, body: &body };
    let mut bytes = frame::sign(&key, &draft).expect("signed").bytes;
    *bytes.last_mut().expect("a signature") ^= 1;
    bytes
}

fn is_closed(event: &SwarmEvent<ProtocolsEvent>) -> Option<()> {
    matches!(event, SwarmEvent::ConnectionClosed { .. }).then_some(())
}
