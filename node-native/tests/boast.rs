//! What is believed of peers that call themselves hubs and that nobody chose: nothing but what the members themselves
//! have signed.

mod hostile;
mod support;

use hostile::{
    frames::line,
    gossip::{self, said, subscribe},
    hub::{Watcher, false_hub, hello, member, reason, report_with_foreign, watch},
    peer::Peer,
    proto::Proto,
    talk::ROOM,
};
use libp2p::{Multiaddr, PeerId, identity::Keypair};
use support::{
    Hub, PATIENCE,
    node::{node, now_ms, peer, until},
};
use tincan_shared::{Config, Event, Events, RoomInfo, Said};

/// What docs/operating.md calls `MAX_NAMED_PER_STRANGER`.
const NAMED: usize = 50;
const MANY: u64 = 99_999;
/// A hub says this after its boast.
const BOASTED: &str = "that was all";

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

/// Nobody is there but those who really are.
fn assert_not_believed(room: &RoomInfo, there: &[PeerId]) {
    assert_eq!(room.total as usize, room.members.len(), "a claimed total");
    assert!(room.members.iter().all(|member| there.contains(&member.peer)), "invented: {:?}", room.members);
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
    let (mut hub, address) = hub();
    let (ann, mut hears) = peer(&address, "ann");
    ann.join(ROOM, false).await.expect("joined");
    let mut watcher = Watcher::open(&address).await;
    watcher.say(&watch([ROOM.to_owned()])).await;
    watcher.told(&[&ann.peer_id().to_bytes()]).await;
    let boast = |key: &Keypair| {
        let me = key.public().to_peer_id();
        let boast = report_with_foreign(ROOM, &me, MANY, MANY, invented());
        false_hub(key, [boast, reason("too_many_rooms", BOASTED)].concat())
    };
    let _liar = Peer::stranger(&address, boast).await.expect("connected");
    hub.running.err.containing(BOASTED);
    let said = ann.say(ROOM, "is anybody here?").await.expect("said");
    assert!(matches!(said, Said::Queued { .. }), "{said:?}");
    let (bob, _) = peer(&address, "bob");
    bob.join(ROOM, false).await.expect("joined");
    let (mut is_there, mut is_sent) = (false, false);
    until(&mut hears, PATIENCE, |event| {
        is_sent |= matches!(event, Event::Sent { .. });
        if let Event::Room(room) = &event {
            assert_not_believed(room, &[bob.peer_id()]);
            is_there |= room.total > 0;
        }
        (is_there && is_sent).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_tells_a_person_only_who_has_signed_something_there() {
    let (_ann, mut hears, address) = listening().await;
    let [bob, cleo] = [(); 2].map(|()| Keypair::generate_ed25519());
    let signed = said(&bob, 1, &line(&bob, now_ms(), 0, now_ms(), "a line"));
    let boast = |key: &Keypair| {
        let me = key.public().to_peer_id();
        let named = [&bob, &cleo].map(|key| key.public().to_peer_id().to_bytes());
        let other = report_with_foreign(ROOM, &PeerId::random(), MANY, MANY, invented().take(NAMED - named.len()));
        let reports = [report_with_foreign(ROOM, &me, MANY, MANY, named), other].concat();
        false_hub(key, [hello(0), reports, reason("too_many_rooms", BOASTED)].concat())
    };
    let liar = Peer::stranger(&address, boast).await.expect("connected");
    until(&mut hears, PATIENCE, |event| match event {
        Event::Room(room) if room.total > 0 => panic!("believed: {room:?}"),
        Event::ClockWrong { .. } => panic!("a stranger's clock is believed"),
        Event::Refused { reason, .. } if reason == BOASTED => Some(()),
        _ => None,
    })
    .await;
    let hello = Proto::prefixed(&subscribe([ROOM.to_owned()]));
    let _stream = liar.say(gossip::PROTOCOL, &[hello, Proto::prefixed(&signed)].concat()).await.expect("said");
    assert_not_believed(&described(&mut hears, |room| room.total > 0).await, &[bob.public().to_peer_id()]);
    drop(liar);
    described(&mut hears, |room| room.total == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_chosen_later_is_believed_from_then_on() {
    let (ann, mut hears, address) = listening().await;
    let hub = Hub::of(support::tincan(&format!("{} --ephemeral --bootstrap {address}", support::HUB_FLAGS)));
    let at: Multiaddr = hub.address("tcp").parse().expect("an address");
    let _other = member(&at, [ROOM.to_owned()]).await;
    // Another one at that hub, which has said something: the hub is heard.
    let (bob, _) = peer(&at, "bob");
    bob.join(ROOM, false).await.expect("joined");
    assert_not_believed(&described(&mut hears, |room| room.total > 0).await, &[bob.peer_id()]);
    ann.stay_connected(vec![at]).await.expect("chosen");
    described(&mut hears, |room| room.total == 2).await;
    bob.leave(ROOM).await.expect("left");
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
