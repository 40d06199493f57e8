//! A line that gossip leaves out is asked for, and shown where it belongs.

mod hostile;
mod support;

use hostile::{
    frames::{line, now_ms},
    gossip::{self, said, subscribe},
    habits::{Habits, identify},
    peer::Peer,
    proto::Proto,
    talk::ROOM,
};
use libp2p::identity::Keypair;
use support::{
    PATIENCE,
    node::{node, until},
};
use tincan_shared::{Config, Event};

const SYNC: &str = "/tincan/sync/1.0.0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_gossip_left_out_is_asked_for_and_shown_in_its_place() {
    let anywhere = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
    let (ann, mut events) = node(Config { listen: vec![anywhere], ..Config::page() }, support::node::now_ms);
    ann.join(ROOM, false).await.expect("joined");
    let listening = |event| match event {
        Event::Listening { address } => Some(address),
        _ => None,
    };
    let address = until(&mut events, PATIENCE, listening).await;

    let key = Keypair::generate_ed25519();
    let now = now_ms();
    let frame = |n: u64, text: &str| line(&key, now + n, if n == 1 { 0 } else { now + n - 1 }, now, text);
    let (first, second, third) = (frame(1, "one"), frame(2, "two"), frame(3, "three"));
    let identity = identify(&key, &[gossip::PROTOCOL, SYNC], "tincan/0.1.0 (native)", &[]);
    let has_it = Habits::identified(identity).and(SYNC, Proto::prefixed(&Proto::default().bytes(1, &second).done()));
    let mallory = Peer::dial(&address, key.clone(), has_it).await.expect("connected");
    let hello = [subscribe([ROOM.to_owned()]), said(&key, 1, &first), said(&key, 2, &third)];
    let bytes: Vec<u8> = hello.iter().flat_map(|rpc| Proto::prefixed(rpc)).collect();
    let _stream = mallory.say(gossip::PROTOCOL, &bytes).await.expect("said");

    let mut texts = Vec::new();
    while texts.last().is_none_or(|last| last != "three") {
        let message = |event| match event {
            Event::Message(message) => Some(message.text),
            _ => None,
        };
        texts.push(until(&mut events, PATIENCE, message).await);
    }
    assert_eq!(texts, ["one", "two", "three"]);
    mallory.told(SYNC).await.expect("asked");
}
