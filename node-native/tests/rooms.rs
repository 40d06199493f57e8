//! A terminal is in the rooms that it shows, and in no other.

mod support;

use std::{fs, path::Path};

use support::{Ended, Hub, Running, Tincan, tincan};

fn chat(data: &Path, flags: &str) -> Tincan {
    tincan(&format!("chat --nick ann {flags}")).path("--data-dir", data)
}

/// Runs to the end with this input.
fn ran(data: &Path, flags: &str, input: &str) -> Ended {
    chat(data, flags).run(input.as_bytes())
}

fn ben_in_den(hub: &Hub) -> Running {
    let mut ben = tincan(&format!("chat --ephemeral --room den --nick ben {}", hub.address("tcp"))).start();
    ben.err.containing("online");
    ben
}

#[test]
fn rooms_do_not_pile_up() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("tincan.toml");
    fs::write(&config, "[limits]\njoined_rooms = 2\n").expect("written");
    for n in 0..5 {
        let ended = chat(dir.path(), &format!("--room room{n}")).path("--config", &config).run(b"");
        ended.assert_status(0);
    }
    chat(dir.path(), "").path("--config", &config).run(b"").assert_status(0);
}

#[test]
fn who_starts_elsewhere_is_not_listed_where_it_was() {
    let hub = Hub::start();
    let data = tempfile::tempdir().expect("a temporary folder");
    ran(data.path(), &format!("--room den {}", hub.address("tcp")), "").assert_status(0);
    let mut kv = tincan(&format!("kv {}", hub.address("tcp"))).path("--data-dir", data.path()).start();
    kv.err.containing("online");
    let mut ben = ben_in_den(&hub);
    ben.line("is it you, kv?");
    ben.err.containing("waiting for somebody: is it you, kv?");
    kv.end_input();
    kv.wait().assert_status(0);

    let mut ann = chat(data.path(), hub.address("tcp")).start();
    ann.err.containing("online");
    ben.line("is it you, ann?");
    ben.err.containing("waiting for somebody: is it you, ann?");
    // Both reach whoever is in the room itself, with its state of before.
    ann.end_input();
    ann.wait().assert_status(0);
    let mut back = chat(data.path(), &format!("--room den {}", hub.address("tcp"))).start();
    assert!(back.out.next().ends_with("): is it you, kv?"));
    assert!(back.out.next().ends_with("): is it you, ann?"));
}

#[test]
fn lines_that_wait_elsewhere_are_named_and_kept() {
    let data = tempfile::tempdir().expect("a temporary folder");
    assert!(ran(data.path(), "--room den", "one\ntwo\n").error(1).contains("2 lines were not sent"));
    ran(data.path(), "--room attic", "three\n").error(1);
    let started = ran(data.path(), "", "");
    started.assert_status(0);
    assert!(started.err.iter().any(|line| line == "2 lines wait in den; open it with --room den"), "{started:#?}");
    assert!(started.err.iter().any(|line| line == "1 line waits in attic; open it with --room attic"), "{started:#?}");
    let hub = Hub::start();
    let mut ben = ben_in_den(&hub);
    let sent = ran(data.path(), &format!("--room den {}", hub.address("tcp")), "");
    sent.assert_status(0);
    for text in ["one", "two"] {
        assert!(ben.out.next().ends_with(&format!("): {text}")));
    }
}
