//! Discovery on the local network, in networks of our own: never on the one this machine is on.

mod support;

use std::fs;

use support::{Running, network::Network, tincan_in};

/// What is left out where networks cannot be made.
const SUBJECT: &str = "discovery";

fn converse(mut ann: Running, mut ben: Running) {
    ann.err.containing("discovered: ");
    ann.line("hello");
    let line = ben.out.next();
    assert!(line.starts_with("[lobby] ann (") && line.ends_with("): hello"), "{line}");
    ben.line("hello yourself");
    assert!(ann.out.next().ends_with("): hello yourself"));
    for mut chat in [ann, ben] {
        chat.end_input();
        chat.wait().assert_status(0);
    }
}

#[test]
fn two_hosts_chat_without_arguments() {
    let Some(network) = Network::new(SUBJECT) else { return };
    let [ann, ben] = ["ann", "ben"];
    let start = |host: &str, nick: &str| tincan_in(host, "chat").env("TINCAN_NICK", nick).start();
    converse(start(&network.hosts[0], ann), start(&network.hosts[1], ben));
}

#[test]
fn two_hosts_with_ipv6_alone_chat_without_arguments() {
    let Some(network) = Network::ipv6_only(SUBJECT) else { return };
    let start = |host: &str, nick: &str| tincan_in(host, "chat").env("TINCAN_NICK", nick).start();
    converse(start(&network.hosts[0], "ann"), start(&network.hosts[1], "ben"));
}

#[test]
fn two_terminals_on_one_host_chat_without_arguments() {
    let Some(network) = Network::new(SUBJECT) else { return };
    let home = tempfile::tempdir().unwrap();
    let start =
        |nick: &str| tincan_in(&network.hosts[0], "chat").env("HOME", home.path()).env("TINCAN_NICK", nick).start();
    let mut ann = start("ann");
    ann.err.containing("in room lobby");
    let mut ben = start("ben");
    ben.err.containing("another node runs here");
    converse(ann, ben);
}

/// QUIC's address may be the first to be found.
#[test]
fn two_hosts_between_which_udp_is_closed_but_for_mdns_meet_every_time() {
    let Some(network) = Network::new(SUBJECT) else { return };
    if !network.close_udp(SUBJECT) {
        return;
    }
    for _ in 0..6 {
        let start = |host: &str, nick: &str| tincan_in(host, "chat --ephemeral").env("TINCAN_NICK", nick).start();
        converse(start(&network.hosts[0], "ann"), start(&network.hosts[1], "ben"));
    }
}

/// As when one of them sleeps: mDNS tells of a peer once, and not again when the connection is lost.
#[test]
fn who_was_found_and_lost_is_found_again() {
    let Some(network) = Network::new(SUBJECT) else { return };
    let start = |host: &str, nick: &str| {
        tincan_in(host, "chat --ephemeral --listen /ip4/0.0.0.0/tcp/0").env("TINCAN_NICK", nick).start()
    };
    let (mut ann, mut ben) = (start(&network.hosts[0], "ann"), start(&network.hosts[1], "ben"));
    ann.err.containing("online");
    ben.err.containing("online");
    let Some(cut) = network.cut(SUBJECT) else { return };
    ann.line("said while the other is away");
    ann.err.containing("offline");
    ben.err.containing("offline");
    drop(cut);
    ann.err.containing("online");
    assert!(ben.out.next().ends_with("): said while the other is away"));
    for mut chat in [ann, ben] {
        chat.end_input();
        chat.wait().assert_status(0);
    }
}

#[test]
fn two_hosts_find_records_without_arguments() {
    let Some(network) = Network::new(SUBJECT) else { return };
    let [mut one, mut two] = [0, 1].map(|n| tincan_in(&network.hosts[n], "kv").start());
    one.err.containing("connected: ");
    two.err.containing("connected: ");
    one.line("PUT k v");
    let stored = one.out.next();
    assert!(stored.starts_with("stored k "), "{stored}");
    two.line("GET k");
    assert_eq!(two.out.next(), "k = v");
}

#[test]
fn who_falls_silent_expires_and_stays_connected_to_no_harm() {
    let Some(network) = Network::new(SUBJECT) else { return };
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("tincan.toml");
    fs::write(&config, "mdns_ttl_secs = 5\n").unwrap();
    let start = |n: usize| tincan_in(&network.hosts[n], "chat").path("--config", &config).start();
    let (mut ann, ben) = (start(0), start(1));
    ann.err.containing("discovered: ");
    drop(ben);
    ann.err.containing("expired: ");
    ann.end_input();
    ann.wait().assert_status(0);
}
