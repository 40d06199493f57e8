//! `tincan chat`: two terminals and a hub.

mod support;

use support::{Hub, Running, tincan, without_id};

fn start(hub: &Hub, flags: &str) -> Running {
    tincan(&format!("chat --ephemeral {flags} {}", hub.address("tcp"))).start()
}

/// Both know of each other, so that lines go out at once.
fn pair(hub: &Hub) -> (Running, Running) {
    let (mut ann, mut ben) = (start(hub, "--nick ann"), start(hub, "--nick ben"));
    ann.err.containing("joined: ");
    ben.err.containing("joined: ");
    (ann, ben)
}

#[test]
fn lines_arrive_once_and_in_order() {
    let hub = Hub::start();
    let (mut ann, mut ben) = pair(&hub);
    for n in 0..20 {
        ann.line(&format!("line {n}"));
    }
    ben.line("hello \x1b[31mann");
    for n in 0..20 {
        let line = ben.out.next();
        let (head, text) = line.split_once("): ").expect(&line);
        assert!(head.starts_with("[lobby] ann ("), "{line}");
        assert_eq!(text, format!("line {n}"));
    }
    let line = ann.out.next();
    assert!(line.starts_with("[lobby] ben (") && line.ends_with("): hello ␛[31mann"), "{line}");
    for mut chat in [ann, ben] {
        chat.end_input();
        let ended = chat.wait();
        ended.assert_status(0);
    }
}

#[test]
fn piped_lines_are_sent_before_it_ends() {
    let hub = Hub::start();
    let mut ben = start(&hub, "--room den --nick ben");
    ben.err.containing("online");
    let address = without_id(hub.address("quic-v1"));
    let ended = tincan(&format!("chat --ephemeral --room den --nick ann {address}")).run(b"one\ntwo\n");
    ended.assert_status(0);
    assert!(ended.out.is_empty(), "one's own lines are not printed: {ended:?}");
    assert!(ben.out.next().ends_with("): one"));
    assert!(ben.out.next().ends_with("): two"));
}

#[test]
fn what_nobody_took_is_named() {
    let ended = tincan("chat --ephemeral").run(b"into the void\nand again\n");
    assert!(ended.error(1).contains("2 lines were not sent"));
    assert!(ended.out.is_empty());
    for text in ["into the void", "and again"] {
        assert!(ended.err.iter().any(|line| line.starts_with("not sent") && line.contains(text)), "{ended:?}");
    }
}

#[test]
fn waiting_lines_survive_a_restart() {
    let hub = Hub::start();
    let dir = tempfile::tempdir().unwrap();
    let ended = tincan("chat --nick ann").path("--data-dir", dir.path()).run(b"later\n");
    ended.error(1);
    let mut ben = start(&hub, "--nick ben");
    ben.err.containing("online");
    let again = tincan(&format!("chat {}", hub.address("tcp"))).path("--data-dir", dir.path()).run(b"");
    again.assert_status(0);
    let line = ben.out.next();
    assert!(line.starts_with("[lobby] ann (") && line.ends_with("): later"), "{line}");
}

#[test]
fn history_is_printed_at_the_start() {
    let hub = Hub::start();
    let dir = tempfile::tempdir().unwrap();
    let mut ann = tincan(&format!("chat {}", hub.address("tcp"))).path("--data-dir", dir.path()).start();
    let mut ben = start(&hub, "--nick ben");
    ben.line("remember");
    let said = ann.out.next();
    ann.end_input();
    ann.wait().assert_status(0);
    drop((hub, ben));
    let again = tincan("chat").path("--data-dir", dir.path()).run(b"");
    again.assert_status(0);
    assert_eq!(again.out, [said]);
}

#[test]
fn a_line_too_long_is_refused_and_it_goes_on() {
    let hub = Hub::start();
    let (mut ann, mut ben) = pair(&hub);
    ann.line(&"x".repeat(5000));
    assert!(ann.err.containing("error: ").contains("4 KiB"));
    ann.line(&"x".repeat(70_000));
    ann.err.containing("error: ");
    ann.write(b"still \xff here\n");
    assert!(ben.out.next().ends_with("): still \u{fffd} here"));
}

#[test]
fn bad_names_are_usage_errors() {
    let long = "x".repeat(65);
    tincan(&format!("chat --ephemeral --room {long}")).run(b"").error(2);
    tincan(&format!("chat --ephemeral --nick {long}")).run(b"").error(2);
}

#[test]
fn interrupted_it_ends() {
    let mut chat = tincan("chat --ephemeral").start();
    chat.err.containing("in room lobby");
    chat.signal("INT");
    chat.wait().assert_status(0);
}
