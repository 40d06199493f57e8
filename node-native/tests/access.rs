//! Who may not stay: listed peers, listed addresses, one too many; and rules that change while the hub runs.

mod support;

use std::{fs, path::Path};

use support::{Hub, Running, http, tincan};

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
fn one_too_many_is_told_to_go_elsewhere() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("hub.toml");
    fs::write(&config, "[limits]\npeers = 2\n").expect("written");
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
