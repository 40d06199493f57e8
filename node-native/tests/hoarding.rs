//! What strangers can make a hub hold for them, one way after the other, while they stay connected.

mod hostile;
mod support;

use std::time::{Duration, Instant};

use futures::AsyncReadExt;
use hostile::{
    gossip,
    habits::{Habits, identify},
    identity,
    memory::{MAX_GROWTH_KIB, Memory},
    own,
    peer::{Halves, Peer},
    proto::Proto,
    records,
    talk::ROOM,
};
use libp2p::{Multiaddr, identity::Keypair};
use support::Hub;

/// Long enough for a hundred mebibytes, short enough for one message of each protocol.
const LONG: usize = 14_000;

/// Between two rounds of announcements: they are to fill several heartbeats.
const BETWEEN_ROUNDS: Duration = Duration::from_millis(200);

/// A hub and its memory before.
struct Before {
    hub: Hub,
    address: Multiaddr,
    memory: Memory,
}

impl Before {
    /// Memory is measured when one stranger has come and gone.
    async fn start() -> Self {
        let hub = Hub::start();
        let address: Multiaddr = hub.address("tcp").parse().expect("an address");
        let first = Peer::stranger(&address, Habits::modest).await.expect("connected");
        first.heard().await.expect("heard");
        let memory = Memory::of(&hub);
        Self { hub, address, memory }
    }

    /// To be asked while those who did it are still there.
    fn assert_little_more(&self) {
        let growth = Memory::of(&self.hub).now.saturating_sub(self.memory.now);
        println!("{growth} KiB more");
        assert!(growth <= MAX_GROWTH_KIB, "the hub holds {growth} KiB more");
    }
}

/// Says messages one after the other on one stream.
async fn say(peer: &Peer, protocol: &str, messages: impl IntoIterator<Item = Vec<u8>>) -> Halves {
    let bytes: Vec<u8> = messages.into_iter().flat_map(|message| Proto::prefixed(&message)).collect();
    let halves = peer.say(protocol, &bytes).await.expect("said");
    peer.heard().await.expect("heard");
    halves
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_with_long_names() {
    let before = Before::start().await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let peer = Peer::stranger(&before.address, Habits::modest).await.expect("connected");
        let topics = (0..1000).map(|n| gossip::subscribe([format!("{n:0LONG$}")]));
        let stream = say(&peer, gossip::PROTOCOL, topics).await;
        held.push((peer, stream));
    }
    before.assert_little_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_announced_and_never_come() {
    let before = Before::start().await;
    let mut held = Vec::new();
    for peer in 0..4u8 {
        let talker = Peer::stranger(&before.address, Habits::modest).await.expect("connected");
        let stream = say(&talker, gossip::PROTOCOL, [gossip::subscribe([ROOM.to_owned()])]).await;
        held.push((peer, talker, stream));
    }
    let end = Instant::now() + Duration::from_secs(20);
    let mut round = 0u32;
    while Instant::now() < end {
        for (peer, talker, stream) in &mut held {
            // So many are looked at in one heartbeat of the hub.
            let announced = (0..10u32).map(|n| {
                let id = |m: u8| {
                    [vec![*peer, m], round.to_be_bytes().to_vec(), n.to_be_bytes().to_vec(), vec![0; LONG]].concat()
                };
                gossip::control(1, &Proto::default().bytes(1, ROOM.as_bytes()).all(2, (0..4).map(id)))
            });
            let bytes: Vec<u8> = announced.flat_map(|rpc| Proto::prefixed(&rpc)).collect();
            futures::AsyncWriteExt::write_all(&mut stream.1, &bytes).await.expect("taken");
            futures::AsyncWriteExt::flush(&mut stream.1).await.expect("taken");
            talker.heard().await.expect("heard");
        }
        round += 1;
        tokio::time::sleep(BETWEEN_ROUNDS).await;
    }
    before.assert_little_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_of_a_pretended_hub() {
    let before = Before::start().await;
    let mut held = Vec::new();
    for _ in 0..8 {
        let reports = |key: &Keypair| {
            let me = key.public().to_peer_id().to_bytes();
            let report = |n: u32| {
                let report = Proto::default().bytes(1, format!("{n:0LONG$}").as_bytes()).bytes(2, &me).number(3, 7);
                Proto::prefixed(&Proto::default().bytes(2, &report.done()).done())
            };
            let hub = identify(key, &["/meshsub/1.1.0", own::HUB], "tincan/0.1.0 (native)", &[]);
            Habits::identified(hub).and(own::HUB, (0..1000).flat_map(report).collect())
        };
        let peer = Peer::stranger(&before.address, reports).await.expect("connected");
        peer.told(own::HUB).await.expect("the hub asked, and has heard everything");
        peer.heard().await.expect("heard");
        held.push(peer);
    }
    before.assert_little_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_with_many_addresses() {
    let before = Before::start().await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let peer = Peer::stranger(&before.address, Habits::modest).await.expect("connected");
        let addresses: Vec<Vec<u8>> =
            (0..1000u16).map(|n| [&[4, 127, 0, 0, 1, 6], n.to_be_bytes().as_slice()].concat()).collect();
        let records = (0..3000u32).map(|n| records::provide(&n.to_be_bytes(), &peer.id, addresses.clone()));
        let stream = say(&peer, records::PROTOCOL, records).await;
        held.push((peer, stream));
    }
    before.assert_little_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_pushed_again_and_again() {
    /// Of one peer, in what a hub tells of it; as many as it takes from one identify message.
    const MAX_TOLD: usize = 16;
    let before = Before::start().await;
    let protocols = ["/meshsub/1.1.0", records::PROTOCOL];
    let addresses =
        |round: u8| -> Vec<Vec<u8>> { (0..MAX_TOLD).map(|n| vec![4, 127, 0, 0, round, 6, 0, n as u8]).collect() };
    let told = |key: &Keypair, round| identify(key, &protocols, "hostile", &addresses(round));
    let restless = Peer::stranger(&before.address, |key| Habits::identified(told(key, 0))).await.expect("connected");
    for round in 1..=30 {
        let mut push =
            restless.say(identity::PUSH, &Proto::prefixed(&told(&restless.key, round))).await.expect("pushed");
        let _ = futures::AsyncWriteExt::close(&mut push.1).await;
        // It is read when the hub has closed its side too.
        let _ = push.0.read_to_end(&mut Vec::new()).await;
    }
    let asker = Peer::stranger(&before.address, Habits::modest).await.expect("connected");
    let question = Proto::default().number(1, 4).bytes(2, &restless.id.to_bytes()).number(10, 0).done();
    let told = asker.ask(records::PROTOCOL, &Proto::prefixed(&question)).await.expect("an answer");
    let count = told.windows(5).filter(|part| part.starts_with(&[4, 127, 0, 0])).count();
    assert!((1..=MAX_TOLD).contains(&count), "{count} addresses of one peer are told");
}
