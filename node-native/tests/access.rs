//! Who may not stay: listed peers, listed addresses, one too many; and rules that change while the hub runs.

mod support;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use futures::{StreamExt, future::select_all};
use libp2p::{PeerId, gossipsub::IdentTopic};
use support::{Hub, Running, http, stock::Stock, tincan};

/// Of gossip on a hub.
const HUB_HEARTBEAT: Duration = Duration::from_millis(250);

fn hub(config: &Path) -> Hub {
    Hub::of(tincan(support::HUB_FLAGS).arguments("--ephemeral").path("--config", config))
}

fn id(data: &Path) -> String {
    tincan("id").path("--data-dir", data).run(b"").out.concat().trim().to_owned()
}

/// In the room; known to others through the hub alone, since their Kademlias do not meet.
fn chat(hub: &Hub, data: &Path, nick: &str) -> Running {
    let arguments = format!("chat --room den --nick {nick} --kad-protocol /kad/{nick} {}", hub.address("tcp"));
    tincan(&arguments).path("--data-dir", data).start()
}

fn short(data: &Path) -> String {
    tincan_shared::short_id(&id(data).parse().expect("a peer id"))
}

#[test]
fn a_listed_peer_is_told_why_and_others_are_not_touched() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (denied, config) = (dir.path().join("denied"), dir.path().join("hub.toml"));
    fs::write(&config, format!("deny = [\"{}\"]\n", id(&denied))).expect("written");
    let hub = hub(&config);
    let ping = |count: u32| format!("ping {} -c {count}", hub.address("tcp"));
    let ended = tincan(&ping(30)).path("--data-dir", &denied).run(b"");
    assert!(ended.error(1).contains("the operator of this node denies it"), "{ended:?}");
    let mut told = chat(&hub, &dir.path().join("other"), "ann");
    told.err.containing("online");
    tincan(&ping(1)).arguments("--ephemeral").run(b"").assert_status(0);
    assert_eq!(http::counter(&hub.http, "peers_refused"), 1);
}

#[test]
fn a_listed_range_is_closed_before_anything_is_said_and_the_page_stays_up() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("hub.toml");
    fs::write(&config, "deny = [\"127.0.0.0/8\"]\n").expect("written");
    let mut hub = hub(&config);
    for transport in ["tcp", "ws", "quic-v1"] {
        let ping = format!("ping --ephemeral {} -c 1", hub.address(transport));
        tincan(&ping).run(b"").error(1);
    }
    assert!(http::counter(&hub.http, "addresses_refused") >= 3);
    assert_eq!(http::counter(&hub.http, "peers"), 0);

    fs::write(&config, "deny = [\"192.0.2.0/24\"]\n").expect("written");
    hub.running.signal("HUP");
    hub.running.err.containing("read anew");
    tincan(&format!("ping --ephemeral {} -c 1", hub.address("tcp"))).run(b"").assert_status(0);
}

#[test]
fn new_rules_reach_whom_they_forbid_and_drop_nobody_else() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("hub.toml");
    fs::write(&config, "").expect("written");
    let mut hub = hub(&config);
    let (ann_dir, bob_dir, eve_dir) = (dir.path().join("ann"), dir.path().join("bob"), dir.path().join("eve"));
    let mut ann = chat(&hub, &ann_dir, "ann");
    let mut bob = chat(&hub, &bob_dir, "bob");
    let mut eve = chat(&hub, &eve_dir, "eve");
    for terminal in [&mut ann, &mut bob, &mut eve] {
        terminal.err.containing("joined: ");
        terminal.err.containing("joined: ");
    }

    fs::write(&config, "deny = [\"nonsense\"]\n").expect("written");
    hub.running.signal("HUP");
    hub.running.err.containing("the settings stay as they were");

    let rules = format!("deny = [\"{}\"]\nhttp = \"127.0.0.1:1\"\n[limits]\ncircuits = 7\n", id(&eve_dir));
    fs::write(&config, rules).expect("written");
    hub.running.signal("HUP");
    let told = hub.running.err.containing("next start only");
    assert!(told.contains("circuits"), "{told}");
    eve.err.containing("the operator of this node denies it");
    eve.err.containing("offline; trying again in");
    ann.err.expect("eve leaving", |line| line.starts_with("left: ") && line.contains(&short(&eve_dir)));
    ann.line("still here");
    let line = bob.out.next();
    assert!(line.ends_with(": still here"), "{line}");
    assert!(!ann.err.seen.iter().chain(&bob.err.seen).any(|line| line.starts_with("offline")));
}

#[test]
fn a_denied_author_is_not_heard_through_another_hub_until_that_is_lifted() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("hub.toml");
    let data = |name: &str| dir.path().join(name);
    fs::write(&config, format!("deny = [\"{}\"]\n", id(&data("eve")))).expect("written");
    let mut near = hub(&config);
    let bootstrap = format!("--ephemeral --bootstrap {}", near.address("tcp"));
    let far = Hub::of(tincan(support::HUB_FLAGS).arguments(&bootstrap));
    let mut ann = chat(&near, &data("ann"), "ann");
    let [mut bob, mut eve] = ["bob", "eve"].map(|name| chat(&far, &data(name), name));
    for (terminal, other) in [(&mut ann, "bob"), (&mut bob, "ann"), (&mut eve, "bob")] {
        let other = short(&data(other));
        terminal.err.expect("the other", |line| line.starts_with("joined: ") && line.contains(&other));
    }
    eve.line("psst");
    let heard = bob.out.next();
    assert!(heard.ends_with(": psst"), "{heard}");
    bob.line("hello");
    let heard = ann.out.next();
    assert!(heard.ends_with(": hello"), "{heard}");

    fs::write(&config, "[limits]\ncircuits = 7\n").expect("written");
    near.running.signal("HUP");
    near.running.err.containing("next start only");
    eve.line("may I?");
    let heard = ann.out.next();
    assert!(heard.ends_with(": may I?"), "{heard}");
}

#[test]
fn one_too_many_is_told_to_go_elsewhere() {
    // With too few connections for its peers a hub keeps one on which it can say so.
    for limits in ["peers = 2", "connections = 3"] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let config = dir.path().join("hub.toml");
        fs::write(&config, format!("[limits]\n{limits}\n")).expect("written");
        let hub = hub(&config);
        let mut first = chat(&hub, &dir.path().join("first"), "ann");
        let mut second = chat(&hub, &dir.path().join("second"), "bob");
        first.err.containing("joined: ");
        second.err.containing("joined: ");
        let mut third = chat(&hub, &dir.path().join("third"), "eve");
        third.err.containing("this hub is full");
        third.err.containing("offline; trying again in");
        first.line("two are company");
        assert!(second.out.next().ends_with(": two are company"));
    }
}

#[test]
fn who_is_told_that_the_hub_is_full_stays_away_and_then_gets_in() {
    const STAY_AWAY: Duration = Duration::from_secs(30);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("hub.toml");
    fs::write(&config, "[limits]\npeers = 1\n").expect("written");
    let hub = hub(&config);
    // Their Kademlias know the hub's, and would dial it again and again.
    let join =
        |name: &str| tincan(&format!("chat --ephemeral --room den --nick {name} {}", hub.address("tcp"))).start();
    let mut first = join("ann");
    first.err.containing("online");
    let mut second = join("bob");
    second.err.containing("this hub is full");
    let told = Instant::now();
    second.err.expect("the time of the next try", |line| {
        let seconds = line.strip_prefix("offline; trying again in ").and_then(|rest| rest.strip_suffix(" s"));
        seconds.and_then(|seconds| seconds.parse().ok()).is_some_and(|seconds: u64| (25..=30).contains(&seconds))
    });
    assert!(!second.err.seen.iter().any(|line| line == "online"), "{:?}", second.err.seen);
    let before = second.err.seen.len();
    drop(first);
    second.err.containing("online");
    assert!(told.elapsed() > STAY_AWAY - Duration::from_secs(1), "after {:?}", told.elapsed());
    let people = |line: &&String| line.starts_with("left: ") || line.starts_with("joined: ");
    let since: Vec<&String> = second.err.seen[before..].iter().filter(|line| !people(line)).collect();
    assert!(since.len() == 3 && since[0] == "connecting" && since[1].starts_with("connected: "), "{since:?}");
    assert_eq!(http::counter(&hub.http, "peers_refused"), 1);
}

#[test]
fn rules_that_cannot_work_leave_the_old_ones() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("hub.toml");
    fs::write(&config, "").expect("written");
    let mut hub = hub(&config);
    for (limits, name) in [
        ("refuse_for_secs = 9223372036854775807", "refuse_for_secs"),
        ("carried_rooms = 1025", "carried_rooms"),
        // It needs a new start, at which it would be refused.
        ("kept_bytes = 2_097_152", "kept_bytes"),
    ] {
        fs::write(&config, format!("deny = [\"127.0.0.0/8\"]\n[limits]\n{limits}\n")).expect("written");
        hub.running.signal("HUP");
        let told = hub.running.err.containing("the settings stay as they were");
        assert!(told.contains(name) && told.contains("; "), "{told}");
        tincan(&format!("ping --ephemeral {} -c 1", hub.address("tcp"))).run(b"").assert_status(0);
    }
}

#[tokio::test]
async fn a_raised_number_of_connections_holds_for_the_mesh_too() {
    const PEERS: usize = 16;
    const ROOM: &str = "den";
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("hub.toml");
    fs::write(&config, "[limits]\nconnections = 4\n").expect("written");
    let mut hub = hub(&config);
    fs::write(&config, format!("[limits]\nconnections = {}\n", 2 * PEERS)).expect("written");
    hub.running.signal("HUP");
    hub.running.err.containing("read anew");
    let address = hub.address("tcp").parse().expect("an address");
    let id: PeerId = hub.id.parse().expect("a peer id");
    let mut peers: Vec<Stock> = (0..PEERS).map(|_| Stock::new()).collect();
    for peer in &mut peers {
        peer.dial(&address);
        peer.subscribe(ROOM);
    }
    let in_mesh = |peer: &Stock| {
        let topic = IdentTopic::new(ROOM).hash();
        peer.swarm.behaviour().gossip.mesh_peers(&topic).any(|peer| *peer == id)
    };
    let mut events = 0;
    // From when all are in the hub's mesh on, for eight of its heartbeats, in which it would prune.
    let mut since = None;
    let end = tokio::time::Instant::now() + support::PATIENCE;
    while since.is_none_or(|since: tokio::time::Instant| since.elapsed() < 8 * HUB_HEARTBEAT) {
        assert!(tokio::time::Instant::now() < end, "not all are in the mesh for long; {events} events");
        let all = select_all(peers.iter_mut().map(|peer| peer.swarm.next()));
        events += usize::from(tokio::time::timeout(HUB_HEARTBEAT / 5, all).await.is_ok());
        match peers.iter().all(in_mesh) {
            true => drop(since.get_or_insert_with(tokio::time::Instant::now)),
            false => since = None,
        }
    }
}
