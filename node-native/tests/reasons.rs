//! Where the host is not as it should be, the reason told is the reason.
#![cfg(target_os = "linux")]

mod support;

use support::{
    forbid::{LOCKS, LOCKS_UNKNOWN, RANGE_LOCKS},
    network::Network,
    tincan, tincan_in,
};

#[test]
fn a_file_system_without_locks_is_named_as_that() {
    for (forbidden, reason) in
        [(LOCKS, "No locks available"), (LOCKS_UNKNOWN, "Operation not supported"), (RANGE_LOCKS, "No locks available")]
    {
        for command in ["serve --http 127.0.0.1:0 --listen /ip4/127.0.0.1/tcp/0", "chat", "kv"] {
            let data = tempfile::tempdir().expect("a folder");
            let mut running = tincan(command).path("--data-dir", data.path()).start_without(forbidden);
            running.end_input();
            let ended = running.wait();
            let error = ended.error(1);
            assert!(error.contains("no file can be locked in") && error.contains(reason), "{command}: {error}");
            assert!(error.contains("file system with locks") && !error.contains("permissions"), "{command}: {error}");
        }
    }
}

#[test]
fn what_stands_in_the_way_is_named_as_that() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("file");
    std::fs::write(&file, "").expect("written");
    let ended = tincan("chat").path("--data-dir", &file.join("data")).run(b"");
    let error = ended.error(1);
    assert!(error.contains("move away what stands in its place") && !error.contains("permissions"), "{error}");
}

#[test]
fn a_machine_without_a_network_says_how_to_name_an_address() {
    let Some(network) = Network::without_addresses("a machine without a network") else { return };
    let host = &network.hosts[0];
    for command in ["chat", "kv"] {
        let alone = tincan_in(host, &format!("{command} --ephemeral")).run(b"");
        let told =
            alone.err.iter().filter(|line| line.contains("give the address of a peer or hub, like /ip4/")).count();
        assert_eq!(told, 1, "{command}: {:#?}", alone.err);
        let quiet = tincan_in(host, &format!("{command} --ephemeral --quiet")).run(b"");
        assert!(quiet.err.is_empty(), "{quiet:#?}");
    }
    let Some(network) = Network::down("a machine without any interface") else { return };
    let ended = tincan_in(&network.hosts[0], "serve --ephemeral").run(b"");
    let error = ended.error(1);
    assert!(error.contains("no network address") && !error.contains("--listen"), "{error}");
}
