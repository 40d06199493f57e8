//! What one peer, and all peers of one address, may do at a hub, while others are served.
#![cfg(target_os = "linux")]

mod hostile;
mod support;

use std::{fs, path::Path, time::Instant};

use futures::AsyncWriteExt;
use hostile::{
    frames, gossip,
    habits::Habits,
    own,
    peer::{Halves, Peer},
    proto::Proto,
    talk::ROOM,
};
use libp2p::Multiaddr;
use support::{
    Hub,
    http::counter,
    network::{self, ADDRESSES, Network},
    tincan_in,
};
use tokio::task::block_in_place;

/// Bounds by peer and by source that the tests reach; docs/operating.md names them.
const FRAMES_PER_PEER: u64 = 4_096;
const FRAMES_PER_SOURCE: u64 = 16_384;
const SOURCE_FRAMES_PER_SECOND: u64 = 1_024;
const SYNCS_PER_PEER: usize = 256;
const SYNCS_PER_SECOND: usize = 16;
/// Connections of one source that the hub of these tests takes.
const CONNECTIONS: usize = 20;
/// Frames in one write of a flood.
const AT_ONCE: u64 = 100;
/// People behind one address.
const PUPILS: usize = 300;

/// A hub on the first host of a network: where its peers and its pages find it, and the host's name.
fn hub_in(network: &Network, config: &Path) -> Hub {
    let [ip, _] = ADDRESSES;
    let listen = format!("serve --ephemeral --no-mdns --http {ip}:0 --listen /ip4/{ip}/tcp/0");
    Hub::of(tincan_in(&network.hosts[0], &listen).path("--config", config))
}

/// Runs a test of this name inside the second host, whose peers are all of one source.
fn from_one_source(test: &str, limits: &str, inside: fn(&Multiaddr, &str, &str)) {
    if let Some(told) = network::told() {
        let words: Vec<&str> = told.split(' ').collect();
        return inside(&words[0].parse().expect("an address"), words[1], words[2]);
    }
    let Some(network) = Network::new("many peers of one address") else { return };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("hub.toml");
    fs::write(&config, limits).expect("written");
    let hub = hub_in(&network, &config);
    network.run_inside(test, &format!("{} {} {}", hub.address("tcp"), hub.http, network.hosts[0]));
}

/// Two terminals of another address, on the hub's own host: what one says the other is shown.
fn others_are_served(hub: &Multiaddr, host: &str) {
    let chat = |nick| format!("chat --ephemeral --no-mdns --room {ROOM} --nick {nick} {hub}");
    let mut chats = ["ann", "bob"].map(|nick| tincan_in(host, &chat(nick)).start());
    for chat in &mut chats {
        chat.err.containing("joined: ");
    }
    let [ann, bob] = &mut chats;
    ann.line("here we are");
    bob.out.containing("here we are");
    bob.line("so we are");
    ann.out.containing("so we are");
}

async fn say(peer: &Peer, protocol: &str, messages: impl IntoIterator<Item = Vec<u8>>) -> Halves {
    let bytes: Vec<u8> = messages.into_iter().flat_map(|message| Proto::prefixed(&message)).collect();
    peer.say(protocol, &bytes).await.expect("said")
}

fn question() -> Vec<u8> {
    Proto::prefixed(&Proto::default().bytes(1, ROOM.as_bytes()).done())
}

/// So many lines of a flood, as gossip.
fn lines(talker: &Peer, said: u64) -> Vec<u8> {
    let now = frames::now_ms();
    let lines = (0..AT_ONCE).map(|n| frames::line(&talker.key, said + n + 1, said + n, now, "a flood"));
    let rpcs = lines.enumerate().map(|(n, line)| gossip::said(&talker.key, said as usize + n, &line));
    rpcs.flat_map(|rpc| Proto::prefixed(&rpc)).collect()
}

/// Those of so many strangers whom the hub keeps.
async fn crowd(hub: &Multiaddr, count: usize) -> Vec<Peer> {
    let mut peers = Vec::new();
    for _ in 0..count {
        // Who is refused is closed after its handshake.
        let Ok(peer) = Peer::stranger(hub, Habits::modest).await else { continue };
        if peer.heard().await.is_ok() && !peer.is_cut_off() {
            peers.push(peer);
        }
    }
    peers
}

#[test]
fn a_source_has_so_many_connections_and_another_is_served() {
    const NAME: &str = "a_source_has_so_many_connections_and_another_is_served";
    from_one_source(NAME, &format!("[limits]\nconnections_per_source = {CONNECTIONS}\n"), so_many_connections);
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_connections(hub: &Multiaddr, http: &str, host: &str) {
    let peers = crowd(hub, 2 * CONNECTIONS).await;
    assert_eq!(peers.len(), CONNECTIONS);
    assert!(counter(http, "connections_refused") >= CONNECTIONS as u64);
    block_in_place(|| others_are_served(hub, host));
    drop(peers);
    // Their places are free again.
    let end = Instant::now() + support::PATIENCE;
    while crowd(hub, 1).await.is_empty() {
        assert!(Instant::now() < end, "no place becomes free");
    }
}

#[test]
fn a_school_of_three_hundred_behind_one_address_joins() {
    from_one_source("a_school_of_three_hundred_behind_one_address_joins", "", school);
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn school(hub: &Multiaddr, http: &str, host: &str) {
    let mut pupils = Vec::new();
    for _ in 0..PUPILS {
        let pupil = Peer::stranger(hub, Habits::modest).await.expect("connected");
        let stream = say(&pupil, gossip::PROTOCOL, [gossip::subscribe([ROOM.to_owned()])]).await;
        pupil.ask(own::SYNC, &question()).await.expect("each question is answered");
        pupils.push((pupil, stream));
    }
    for (pupil, _) in &pupils {
        pupil.heard().await.expect("heard");
        assert!(!pupil.is_cut_off());
    }
    assert_eq!(counter(http, "peers"), PUPILS as u64);
    block_in_place(|| others_are_served(hub, host));
    let refused = ["connections_refused", "syncs_refused", "payloads_over_budget"].map(|name| counter(http, name));
    assert_eq!(refused, [0; 3]);
}

#[test]
fn a_source_that_floods_a_room_is_held_to_its_budget_and_another_is_served() {
    const NAME: &str = "a_source_that_floods_a_room_is_held_to_its_budget_and_another_is_served";
    from_one_source(NAME, "", flood);
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn flood(hub: &Multiaddr, http: &str, host: &str) {
    let mut talkers = Vec::new();
    // More than their address may say at once, and one of them more than a peer may.
    for _ in 0..=FRAMES_PER_SOURCE / FRAMES_PER_PEER {
        let talker = Peer::stranger(hub, Habits::modest).await.expect("connected");
        let stream = say(&talker, gossip::PROTOCOL, [gossip::subscribe([ROOM.to_owned()])]).await;
        talkers.push((talker, stream));
    }
    let (began, mut said) = (Instant::now(), 0);
    while counter(http, "payloads_over_budget") == 0 {
        assert!(said < 10 * FRAMES_PER_SOURCE, "{said} frames are within the budget");
        for (talker, (_, writer)) in &mut talkers {
            let bytes = lines(talker, said);
            writer.write_all(&bytes).await.expect("taken");
            writer.flush().await.expect("taken");
            said += AT_ONCE;
        }
        for (talker, _) in &talkers {
            talker.heard().await.expect("heard");
        }
    }
    let within = FRAMES_PER_SOURCE + SOURCE_FRAMES_PER_SECOND * (began.elapsed().as_secs() + 1);
    let accepted = counter(http, "payloads_accepted");
    assert!(accepted <= within, "{accepted} frames of {within}");
    block_in_place(|| others_are_served(hub, host));
    assert_eq!(counter(http, "offences"), 0, "who says much is no liar");
}

/// What one peer may say holds on this machine too. Who says more than twice as much itself is refused, and is told why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_more_than_twice_its_budget_is_refused_and_another_is_not() {
    let hub = Hub::start();
    let address: Multiaddr = hub.address("tcp").parse().expect("an address");
    let [loud, calm] = [Peer::stranger(&address, Habits::modest), Peer::stranger(&address, Habits::modest)];
    let (loud, calm) = (loud.await.expect("connected"), calm.await.expect("connected"));
    let (_, mut writer) = say(&loud, gossip::PROTOCOL, [gossip::subscribe([ROOM.to_owned()])]).await;
    let mut said = 0;
    while !loud.is_cut_off() {
        assert!(said < 20 * FRAMES_PER_PEER, "{said} frames are no flood");
        // Fails when the hub has closed the connection.
        if writer.write_all(&lines(&loud, said)).await.is_ok() && writer.flush().await.is_ok() {
            said += AT_ONCE;
            drop(loud.heard().await);
        }
    }
    assert!(said > 2 * FRAMES_PER_PEER, "{said} frames are within twice the budget");
    assert!(counter(&hub.http, "offences") > 0);
    calm.heard().await.expect("heard");
    assert!(!calm.is_cut_off());
}

/// What one peer may ask holds on this machine too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_often_is_not_answered_and_another_is() {
    let hub = Hub::start();
    let address: Multiaddr = hub.address("tcp").parse().expect("an address");
    let [greedy, kind] = [Peer::stranger(&address, Habits::modest), Peer::stranger(&address, Habits::modest)];
    let (greedy, kind) = (greedy.await.expect("connected"), kind.await.expect("connected"));
    let began = Instant::now();
    let mut answered = 0;
    while greedy.ask(own::SYNC, &question()).await.is_ok() {
        answered += 1;
        assert!(answered < 100 * SYNCS_PER_PEER, "every question is answered");
    }
    let most = SYNCS_PER_PEER + SYNCS_PER_SECOND * (began.elapsed().as_secs() as usize + 1);
    assert!((SYNCS_PER_PEER..=most).contains(&answered), "{answered} of {most}");
    assert!(counter(&hub.http, "syncs_refused") > 0);
    kind.ask(own::SYNC, &question()).await.expect("another is answered");
}
