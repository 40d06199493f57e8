//! What is believed of peers that call themselves hubs and that nobody chose: little, and nothing of other programs.

mod hostile;
mod support;

use hostile::{
    hub::{Watcher, false_hub, hello, member, report_with_foreign, watch},
    peer::Peer,
};
use libp2p::{Multiaddr, PeerId, identity::Keypair};
use support::{
    Hub, PATIENCE,
    node::{node, now_ms, peer, until},
};
use tincan_shared::{Config, Event, Events, RoomInfo};

const ROOM: &str = "lobby";
/// What docs/operating.md calls `MAX_NAMED_PER_STRANGER`.
const NAMED: usize = 50;
const MANY: u64 = 99_999;

fn hub() -> (Hub, Multiaddr) {
    let hub = Hub::start();
    let address = hub.address("tcp").parse().expect("an address");
    (hub, address)
}

fn invented() -> impl Iterator<Item = Vec<u8>> {
    (0..NAMED).map(|_| PeerId::random().to_bytes())
}

/// The next description of the room that these words hold of.
async fn described(events: &mut Events, holds: impl Fn(&RoomInfo) -> bool) -> RoomInfo {
    until(events, PATIENCE, |event| match event {
        Event::Room(info) if info.room == ROOM && holds(&info) => Some(info),
        Event::ClockWrong { .. } => panic!("a stranger's clock is believed"),
        _ => None,
    })
    .await
}

fn assert_believed_a_little(room: &RoomInfo) {
    assert_eq!(room.total as usize, room.members.len(), "a claimed total");
    assert!(room.members.len() <= NAMED, "{} names", room.members.len());
    assert!(!room.foreign, "a stranger says that people use another program");
}

/// A node in the room that others can dial.
async fn listening() -> (tincan_shared::Node, Events, Multiaddr) {
    let any = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
    let (ann, mut hears) = node(Config { listen: vec![any], ..Config::page() }, now_ms);
    let address = until(&mut hears, PATIENCE, |event| match event {
        Event::Listening { address } => Some(address),
        _ => None,
    });
    let address = address.await;
    ann.join(ROOM, false).await.expect("joined");
    (ann, hears, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_cannot_tell_everybody_at_a_hub_who_is_there() {
    let (_hub, address) = hub();
    let (ann, mut hears) = peer(&address, "ann");
    ann.join(ROOM, false).await.expect("joined");
    let mut watcher = Watcher::open(&address).await;
    watcher.say(&watch([ROOM.to_owned()])).await;
    watcher.told(&[&ann.peer_id().to_bytes()]).await;
    let boast = |key: &Keypair| {
        let me = key.public().to_peer_id();
        false_hub(key, report_with_foreign(ROOM, &me, MANY, MANY, invented()))
    };
    let _liar = Peer::stranger(&address, boast).await.expect("connected");
    assert_believed_a_little(&described(&mut hears, |room| room.total > 0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_cannot_tell_a_person_who_is_there() {
    let (_ann, mut hears, address) = listening().await;
    let boast = |key: &Keypair| {
        let me = key.public().to_peer_id();
        let others = [me, PeerId::random(), PeerId::random()];
        let reports = others.map(|hub| report_with_foreign(ROOM, &hub, MANY, MANY, invented())).concat();
        false_hub(key, [hello(0), reports].concat())
    };
    let liar = Peer::stranger(&address, boast).await.expect("connected");
    assert_believed_a_little(&described(&mut hears, |room| room.total > 0).await);
    drop(liar);
    described(&mut hears, |room| {
        if room.total > 0 {
            assert_believed_a_little(room);
        }
        room.total == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_chosen_later_is_believed_from_then_on() {
    let (ann, mut hears, address) = listening().await;
    let hub = Hub::of(support::tincan(&format!("{} --ephemeral --bootstrap {address}", support::HUB_FLAGS)));
    let at: Multiaddr = hub.address("tcp").parse().expect("an address");
    let _other = member(&at, [ROOM.to_owned()]).await;
    let room = described(&mut hears, |room| room.total == 1).await;
    assert!(!room.foreign, "a stranger says that people use another program");
    ann.stay_connected(vec![at]).await.expect("chosen");
    described(&mut hears, |room| room.total == 1 && room.foreign).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signed_here_outvotes_what_a_hub_says_of_other_programs() {
    let (_hub, address) = hub();
    let (ann, mut hears) = peer(&address, "ann");
    let (bob, _) = peer(&address, "bob");
    for node in [&ann, &bob] {
        node.join(ROOM, false).await.expect("joined");
    }
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(member(&address, [ROOM.to_owned()]).await);
    }
    let knows_bob = |room: &RoomInfo| room.members.iter().any(|member| member.nick.as_deref() == Some("bob"));
    let room = described(&mut hears, |room| room.total == 4 && knows_bob(room)).await;
    assert!(!room.foreign, "a person is told to give up signatures while another signs");
    bob.leave(ROOM).await.expect("left");
    described(&mut hears, |room| room.total == 3 && room.foreign).await;
}
