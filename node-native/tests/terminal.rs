//! `tincan` at a terminal: what is typed, commands, and a terminal that is gone.
#![cfg(target_os = "linux")]

mod support;

use std::{
    fs,
    process::{Command, Stdio},
};

use support::{HUB_FLAGS, Hub, PATIENCE, Running, pty::Pty, tincan};

/// Somebody else in the room, on pipes.
fn other(hub: &Hub, flags: &str) -> Running {
    let mut other = tincan(&format!("chat --ephemeral --nick ben {flags} {}", hub.address("tcp"))).start();
    other.err.containing("online");
    other
}

#[test]
fn what_comes_in_does_not_tear_what_is_typed() {
    let hub = Hub::start();
    let mut ben = other(&hub, "");
    let mut ann = tincan(&format!("chat --ephemeral --nick ann {}", hub.address("tcp"))).on_terminal();
    ann.shows_line("joined: ben");
    ann.keys("half a th");
    ann.is_typing("lobby> half a th");
    ben.line("something else");
    ann.shows_line("): something else");
    ann.is_typing("lobby> half a th");
    ann.keys("ought\r");
    assert!(ben.out.next().ends_with("): half a thought"));
    // Of many lines at once none is torn, and the next one is typed below them.
    for n in 0..20 {
        ben.line(&format!("number {n}"));
    }
    ann.keys("and one more");
    ann.shows_line("): number 19");
    ann.is_typing("lobby> and one more");
    let whole =
        ann.lines().iter().filter(|line| line.starts_with("[lobby] ben (") && line.contains("): number ")).count();
    assert_eq!(whole, 20, "{:#?}", ann.lines());
    ann.keys("\r");
    assert!(ben.out.next().ends_with("): and one more"));
    ann.is_typing("lobby>");
    ann.keys("\x04");
    assert!(ann.wait().success());
    assert!(ann.is_as_before());
}

#[test]
fn commands_go_between_rooms() {
    let hub = Hub::start();
    let (mut ben, mut cleo) = (other(&hub, "--room den"), other(&hub, "--room lobby"));
    let mut ann = tincan(&format!("chat --ephemeral --nick ann {}", hub.address("tcp"))).on_terminal();
    ann.shows_line("joined: ben");
    ann.keys("/jo\tden\r");
    ann.is_typing("den>");
    ben.err.containing("joined: ann");
    ann.shows("ben in den", |lines| lines.iter().filter(|line| line.starts_with("joined: ben")).count() == 2);
    ann.keys("to the den\r");
    assert!(ben.out.next().ends_with("): to the den"));
    // Both rooms are on the screen.
    cleo.line("hello lobby");
    ann.shows_line("[lobby] ben");
    ann.keys("/rooms\r");
    ann.shows_line("* den: 1 other");
    ann.shows_line("  lobby: 1 other");
    ann.keys("/who\r");
    ann.shows_line("in den: ben (");
    ann.keys("/nick anna\r");
    ann.shows_line("you are anna now");
    ann.keys("//etc/hosts\r");
    let line = ben.out.next();
    assert!(line.starts_with("[den] anna (") && line.ends_with("): /etc/hosts"), "{line}");
    ann.keys("\x1b[A\x1b[A\x1b[A");
    ann.is_typing("den> /who");
    ann.keys("\x15/bye\r");
    ann.shows_line("error: /bye is no command; /help lists them");
    ann.keys("/help\r");
    ann.shows_line("/join [--plain] ROOM");
    ann.keys("/leave\r");
    ann.is_typing("lobby>");
    ben.err.containing("left: anna");
    ann.keys("/leave\r");
    ann.shows_line("you are in no room; /join one");
    ann.keys("lost\r");
    ann.shows_line("error: you are in no room; /join one");
    // Between two lines the terminal would take the key for itself.
    ann.is_typing(">");
    ann.keys("\x03");
    assert!(ann.wait().success(), "nothing was left unsent");
}

#[test]
fn a_plain_room_has_commands_too() {
    let hub = Hub::start();
    let mut ben = other(&hub, "--plain --room theirs");
    let mut ann = tincan(&format!("chat --ephemeral --nick ann {}", hub.address("tcp"))).on_terminal();
    ann.keys("/join --plain theirs\r");
    ann.is_typing("theirs>");
    ann.shows_line("joined: guest");
    ann.keys("raw text\r");
    assert!(ben.out.next().ends_with("): raw text"));
    ann.keys("/join lobby\r");
    ann.is_typing("lobby>");
    ann.keys("/join theirs\r");
    ann.is_typing("theirs>");
    ann.keys("still raw\r");
    let line = ben.out.next();
    assert!(line.starts_with("[theirs] guest (") && line.ends_with("): still raw"), "{line}");
}

#[test]
fn a_pipe_has_no_commands() {
    let hub = Hub::start();
    let mut ben = other(&hub, "");
    let ended = tincan(&format!("chat --ephemeral {}", hub.address("tcp"))).run(b"/rooms\n//x\n/join den\n");
    ended.assert_status(0);
    for line in ["/rooms", "//x", "/join den"] {
        assert!(ben.out.next().ends_with(&format!("): {line}")));
    }
}

#[test]
fn told_to_end_it_leaves_the_terminal_as_it_was() {
    let mut ann = tincan("chat --ephemeral").on_terminal();
    ann.keys("half a th");
    ann.is_typing("lobby> half a th");
    assert!(!ann.is_as_before(), "lines are edited here");
    ann.signal("TERM");
    assert!(ann.wait().success());
    assert!(ann.is_as_before());
}

#[test]
fn a_hub_ends_with_its_terminal_and_not_on_sighup() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let log = fs::File::create(dir.path().join("log")).expect("a file");
    let logged = || fs::read_to_string(dir.path().join("log")).expect("the log");
    let pty = Pty::open();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tincan"));
    command.args(HUB_FLAGS.split_whitespace()).args(["--ephemeral", "--no-mdns"]);
    pty.attach(&mut command);
    let mut hub = command.stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
    drop(command);
    let until = std::time::Instant::now() + PATIENCE;
    let wait = |what: &str, done: &mut dyn FnMut() -> bool| {
        while !done() {
            assert!(std::time::Instant::now() < until, "no {what}: {}", logged());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    wait("start", &mut || logged().contains("open files"));
    let hangup = || Command::new("kill").args(["-s", "HUP", &hub.id().to_string()]).status().expect("kill runs");
    assert!(hangup().success());
    wait("reload", &mut || logged().contains("the settings were read anew"));
    drop(pty.into_master());
    wait("end", &mut || hub.try_wait().expect("ours").is_some());
    assert!(hub.wait().expect("ours").success(), "{}", logged());
}
