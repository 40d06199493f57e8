//! What strangers make of `/tincan/hub/1.0.0`: false hubs, watchers that do not read, and keys that take every place.

mod hostile;
mod support;

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use futures::{AsyncReadExt, AsyncWriteExt};
use hostile::{
    habits::Habits,
    hub::{Watcher, false_hub, member, reason, report, report_of_nobody, report_of_one, watch},
    memory::{MAX_GROWTH_KIB, Memory},
    own::HUB,
    peer::Peer,
};
use libp2p::{Multiaddr, PeerId, identity::Keypair};
use support::{Hub, PATIENCE, http::counter};

/// Rooms that a hub carries, and for one peer; rooms that one may watch; hubs that it asks; members of each room there.
const CARRIED: usize = 512;
const CARRIED_PER_PEER: usize = 32;
const HUBS: usize = 16;
const NAMED: usize = 50;
/// Enough for gigabytes when each is told apart.
const WATCHERS: usize = 24;

fn room(n: usize) -> String {
    format!("room {n:03}")
}

fn hub() -> (Hub, Multiaddr) {
    let hub = Hub::start();
    let address = hub.address("tcp").parse().expect("an address");
    (hub, address)
}

/// Keys that are in as many rooms as a hub carries for them, until it carries no more.
async fn fill(address: &Multiaddr, keys: usize) -> Vec<(Peer, hostile::peer::Halves)> {
    let mut members = Vec::new();
    for key in 0..keys {
        let rooms = (0..CARRIED_PER_PEER).map(|n| room(key * CARRIED_PER_PEER + n));
        members.push(member(address, rooms).await);
    }
    members
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_before_it_listens_is_told_when_it_does() {
    let (hub, address) = hub();
    let (peer, _stream) = member(&address, (0..=CARRIED_PER_PEER).map(room)).await;
    let began = Instant::now();
    while counter(&hub.http, "rooms_refused") == 0 {
        assert!(began.elapsed() < PATIENCE, "not refused");
    }
    let mut watcher = Watcher::of(peer).await;
    watcher.told(&[b"too_many_rooms", b"carries 32 rooms for one peer"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn false_hubs_and_watchers_that_do_not_read_cost_little() {
    let (hub, address) = hub();
    let _members = fill(&address, CARRIED / CARRIED_PER_PEER).await;
    let mut last = Watcher::open(&address).await;
    last.say(&watch([room(CARRIED - 1)])).await;
    last.told(&[room(CARRIED - 1).as_bytes()]).await;
    let before = Memory::of(&hub);
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let mut watcher = Watcher::open(&address).await;
        watcher.say(&watch((0..CARRIED).map(room))).await;
        watchers.push(watcher);
    }
    let mut hubs = Vec::new();
    // The one member of a false hub that is believed.
    let member = Keypair::generate_ed25519();
    let id = member.public().to_peer_id();
    for _ in 0..HUBS {
        let says = |key: &Keypair| {
            let me = key.public().to_peer_id();
            let named = || (0..NAMED).map(|_| PeerId::random().to_bytes());
            // From the room that is watched, back to it: by then everything else was heard.
            let watched = room(CARRIED - 1);
            let rooms = (0..CARRIED - 1).map(|n| report(&room(n), &me, NAMED as u64, named()));
            let (first, last) = (report_of_one(&watched, &me, &member), report_of_nobody(&watched, &me, &id));
            false_hub(key, [first].into_iter().chain(rooms).chain([last]).flatten().collect())
        };
        let peer = Peer::stranger(&address, says).await.expect("connected");
        peer.told(HUB).await.expect("the hub asked, and has taken everything");
        // Its id as the report's second field, and who has left as the fifth.
        let left = [&peer.id.to_bytes(), &[5 << 3 | 2, u8::try_from(id.to_bytes().len()).expect("short")][..]].concat();
        last.told(&[room(CARRIED - 1).as_bytes(), &left]).await;
        hubs.push(peer);
    }
    let after = Memory::of(&hub);
    let growth = after.peak.saturating_sub(before.now);
    println!("{growth} KiB more at the most");
    assert!(growth <= MAX_GROWTH_KIB, "the hub held {growth} KiB more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_passes_on_no_word_of_rooms_that_it_does_not_carry() {
    let (hub, address) = hub();
    // In the order of their names the room that is not carried is told first.
    let (ghost, carried) = ("a room of nobody", "room of somebody");
    let _member = member(&address, [carried.to_owned()]).await;
    let mut watcher = Watcher::open(&address).await;
    watcher.say(&watch([ghost, carried].map(str::to_owned))).await;
    watcher.told(&[carried.as_bytes()]).await;
    // It tells of a member before it carries the room, and a real hub does not speak before it is asked about it.
    let began = Instant::now();
    while counter(&hub.http, "rooms") == 0 {
        assert!(began.elapsed() < PATIENCE, "not carried");
    }
    let says = |key: &Keypair| {
        let me = key.public().to_peer_id();
        let member = Keypair::generate_ed25519();
        let says = |room| report_of_one(room, &me, &member);
        false_hub(key, [ghost, carried].into_iter().flat_map(says).collect())
    };
    let liar = Peer::stranger(&address, says).await.expect("connected");
    let told = watcher.told(&[&liar.id.to_bytes()]).await;
    let text = String::from_utf8_lossy(&told).into_owned();
    assert!(text.contains(carried) && !text.contains(ghost), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handful_of_keys_does_not_take_every_carried_room() {
    let (_hub, address) = hub();
    let _greedy = fill(&address, 17).await;
    let mut watcher = Watcher::open(&address).await;
    watcher.say(&watch([room(0), room(CARRIED - 1)])).await;
    watcher.told(&[room(CARRIED - 1).as_bytes()]).await;
    // Two honest people in a room of their own hear each other only through the hub.
    let mut chats = ["ann", "bob"].map(|nick| {
        let flags = "chat --ephemeral --kad-protocol /desk/kad/1.0.0 --room honest";
        support::tincan(&format!("{flags} --nick {nick} {address}")).start()
    });
    for chat in &mut chats {
        chat.err.containing("joined: ");
    }
    let [mut ann, mut bob] = chats;
    ann.line("is anybody there?");
    bob.out.containing("is anybody there?");
    for mut chat in [ann, bob] {
        chat.end_input();
        chat.wait().assert_status(0);
    }
}

/// A watcher that says the same again and again is read slowly, and costs the hub next to nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_is_said_again_and_again_is_read_slowly() {
    /// Empty messages, a byte each: more than a stream holds unread.
    const AGAIN: usize = 300 * 1024;
    /// Enough to read them all, were they read as they come.
    const WAIT: Duration = Duration::from_secs(8);
    let (hub, address) = hub();
    let mut watcher = Watcher::open(&address).await;
    let empty = vec![0; AGAIN];
    let said = tokio::time::timeout(WAIT, watcher.stream.write_all(&empty)).await;
    assert!(said.is_err(), "the hub has read them all");
    let honest = Peer::stranger(&address, Habits::modest).await.expect("connected");
    honest.heard().await.expect("the hub answers others");
    drop(hub);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_gives_reasons_without_end_is_shown_once_a_second() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let flags = "chat --ephemeral --kad-protocol /desk/kad/1.0.0 --room desk";
    let mut ann = support::tincan(&format!("{flags} --nick ann --listen /ip4/127.0.0.1/tcp/{port}")).start();
    ann.err.containing("in room ");
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address");
    let reasons = |key: &Keypair| false_hub(key, (0..50_000).flat_map(|n| reason("no", &format!("no {n}"))).collect());
    let liar = Peer::stranger(&address, reasons).await.expect("connected");
    let began = Instant::now();
    ann.err.containing(&format!("refused: {}: no 0", liar.id));
    // People are heard meanwhile.
    let mut bob = support::tincan(&format!("{flags} --nick bob {address}")).start();
    bob.err.containing("joined: ");
    bob.line("hello ann");
    ann.out.containing("hello ann");
    // Of the next ones only the newest is told.
    let next = ann.err.containing("refused: ");
    assert!(!next.ends_with(": no 1"), "{next}");
    for chat in [&mut ann, &mut bob] {
        chat.end_input();
    }
    bob.wait().assert_status(0);
    let ended = ann.wait();
    ended.assert_status(0);
    let told = ended.err.iter().filter(|line| line.contains("refused: ")).count();
    assert!(told as u64 <= began.elapsed().as_secs() + 2, "{told} told in {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_stream_after_stream_is_served_a_few_a_second() {
    /// Of which four are served in a second.
    const STREAMS: usize = 12;
    let (_hub, address) = hub();
    let peer = Peer::stranger(&address, Habits::modest).await.expect("connected");
    let began = Instant::now();
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = peer.open(HUB).await.expect("a hub");
        // A hub greets on each that it serves.
        stream.read_exact(&mut [0]).await.expect("a greeting");
        streams.push(stream);
    }
    assert!(began.elapsed() >= Duration::from_secs(2), "all are served after {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_many_streams_at_once_has_few_that_wait() {
    /// Many more than are served while they are opened.
    const STREAMS: usize = 60;
    /// Streams in turn or waiting, and those served in a second.
    const IN_LINE: usize = 12;
    const A_SECOND: usize = 4;
    let (_hub, address) = hub();
    let peer = Peer::stranger(&address, Habits::modest).await.expect("connected");
    let began = Instant::now();
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        streams.push(peer.open(HUB).await);
        // The hub has read so far.
        peer.heard().await.expect("an answer");
    }
    let opened = began.elapsed();
    // A hub greets on each stream that it serves, and resets the others at once.
    let greeted = streams.into_iter().map(|stream| async {
        let Ok(mut stream) = stream else { return false };
        stream.read_exact(&mut [0]).await.is_ok()
    });
    let greeted = futures::future::join_all(greeted).await.into_iter().filter(|greeted| *greeted).count();
    let most = IN_LINE + A_SECOND * (opened.as_secs() as usize + 1);
    assert!((A_SECOND..=most).contains(&greeted), "{greeted} of {STREAMS} are served, opened in {opened:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_of_very_many_empty_names_is_not_kept() {
    /// 64 KiB of names, which take 0.8 MB once they are decoded.
    const NAMES: usize = 32_760;
    /// Enough to exceed `MAX_GROWTH_KIB` by half, were they kept.
    const KEYS: usize = 120;
    let (hub, address) = hub();
    let mut watchers = Vec::new();
    for _ in 0..KEYS {
        watchers.push(Watcher::open(&address).await);
    }
    let before = Memory::of(&hub);
    let many = watch((0..NAMES).map(|_| String::new()));
    for watcher in &mut watchers {
        watcher.say(&many).await;
    }
    for watcher in &mut watchers {
        watcher.told(&[b"too_many_rooms"]).await;
    }
    let growth = Memory::of(&hub).now.saturating_sub(before.now);
    println!("{growth} KiB more");
    assert!(growth <= MAX_GROWTH_KIB / 2, "the hub holds {growth} KiB more");
}
