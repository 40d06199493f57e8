//! `tincan kv`: the contract's lines.

mod support;

use support::{Hub, Running, tincan};

/// One line in, one line out.
#[track_caller]
fn ask(kv: &mut Running, line: &str) -> String {
    kv.line(line);
    kv.out.next()
}

fn start(hub: &Hub) -> Running {
    tincan(&format!("kv --ephemeral {}", hub.address("tcp"))).start()
}

#[test]
fn two_find_each_others_records_through_a_hub() {
    let hub = Hub::start();
    let (mut one, mut two) = (start(&hub), start(&hub));
    assert_eq!(ask(&mut two, "GET motto"), "not found: motto");
    let stored = ask(&mut one, "put motto live and let live");
    assert!(stored.starts_with("stored motto on ") && stored.ends_with(" peers"), "{stored}");
    assert_eq!(ask(&mut two, "get motto"), "motto = live and let live");
    assert_eq!(ask(&mut two, "Get_Providers motto"), "no providers: motto");
    let providing = ask(&mut one, "PUT_PROVIDER motto");
    assert!(providing.starts_with("providing motto, told ") && providing.ends_with(" peers"), "{providing}");
    let providers = ask(&mut two, "GET_PROVIDERS motto");
    let ids: Vec<_> = providers.strip_prefix("providers of motto: ").expect(&providers).split(' ').collect();
    assert_eq!(ids.len(), 1, "{providers}");
    assert!(ask(&mut one, "HELP").contains("PUT"));
    for mut kv in [one, two] {
        kv.end_input();
        kv.wait().assert_status(0);
    }
}

#[test]
fn alone_it_keeps_records_here() {
    let input = b"PUT k v\nGET k\nPUT_PROVIDER k\nGET_PROVIDERS none\n\n   \nGET nothing\n";
    let ended = tincan("kv --ephemeral").run(input);
    ended.assert_status(0);
    let expected = [
        "stored k here only: no peers yet",
        "k = v",
        "providing k here only: no peers yet",
        "no providers: none",
        "not found: nothing",
    ];
    assert_eq!(ended.out, expected);
}

#[test]
fn wrong_lines_are_answered_in_order() {
    let mut input = b"FETCH k\nPUT\nPUT k\nGET\n\xff\xfe\x1b[2J\nPUT big ".to_vec();
    input.extend(vec![b'x'; 1024 * 1024]);
    input.extend(b"\nPUT huge ");
    input.extend(vec![b'x'; 3 * 1024 * 1024]);
    input.extend(b"\nPUT k v\n");
    let ended = tincan("kv --ephemeral").run(&input);
    assert!(ended.error(1).contains("7 lines"), "{:?}", ended.err);
    assert_eq!(ended.out.len(), 8, "{:#?}", ended.out);
    for line in &ended.out[..7] {
        assert!(line.starts_with("error: ") && line.contains("; ") && !line.contains('\x1b'), "{line}");
    }
    assert!(ended.out[5].contains("8 KiB"), "{}", ended.out[5]);
    assert_eq!(ended.out[7], "stored k here only: no peers yet");
}

#[test]
fn piped_input_waits_for_the_first_peer() {
    let hub = Hub::start();
    for transport in ["tcp", "quic-v1", "ws"] {
        let ended = tincan(&format!("kv --ephemeral {}", hub.address(transport))).run(b"PUT k v\n");
        ended.assert_status(0);
        assert_eq!(ended.out, ["stored k on 1 peer"], "{transport}");
    }
    let ended = tincan(&format!("kv --ephemeral {}", hub.address("tcp"))).run(b"GET k\nNONSENSE\n");
    ended.error(1);
    assert_eq!(ended.out[0], "k = v");
}

#[test]
fn with_nobody_to_reach_it_goes_on_alone_and_says_why() {
    let why = "/ip4/127.0.0.1/tcp/1: Connection refused; check the address";
    let dir = tempfile::tempdir().unwrap();
    let kept = tincan("kv /ip4/127.0.0.1/tcp/1").path("--data-dir", dir.path()).run(b"PUT k v\n");
    kept.assert_status(0);
    // What it stored ends with it.
    let ephemeral = tincan("kv --ephemeral /ip4/127.0.0.1/tcp/1").run(b"PUT k v\n");
    assert!(ephemeral.error(1).contains(why), "{ephemeral:?}");
    for ended in [kept, ephemeral] {
        assert_eq!(ended.out, ["stored k here only: no peers yet"]);
        let told = ended.err.iter().filter(|line| line.starts_with("cannot reach ") && line.contains(why));
        assert_eq!(told.count(), 1, "{:#?}", ended.err);
    }
}

#[test]
fn what_nobody_was_asked_about_is_an_error_and_so_is_a_line_without_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let kv = || tincan("kv /ip4/127.0.0.1/tcp/1").path("--data-dir", dir.path());
    let asked = kv().run(b"PUT mine v\nGET theirs\n");
    assert!(asked.error(1).contains("nobody was reached"), "{asked:?}");
    assert_eq!(asked.out, ["stored mine here only: no peers yet", "not found: theirs"]);
    kv().run(b"GET mine\n").assert_status(0);

    let hub = Hub::start();
    let mut kv = start(&hub);
    kv.err.containing("online");
    hub.running.signal("STOP");
    kv.write(b"NONSENSE\nGET nothing\nGET nothing else\n");
    assert!(kv.out.next().starts_with("error: "));
    kv.signal("TERM");
    assert!(kv.wait().error(1).contains("2 lines were not answered"));
    hub.running.signal("CONT");
}

/// A value that holds everything that could forge an answer or steer a terminal, and what people write besides.
const AWKWARD: &str = "\u{feff}\ta\u{1b}[2J\u{9b}31m\u{2028}k = forged\u{202e}\u{200f}🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}.";

#[test]
fn a_pipe_gets_a_value_as_it_is_but_for_what_could_forge_an_answer() {
    let ended = tincan("kv --ephemeral").run(format!("PUT k x{AWKWARD}\nGET k\n").as_bytes());
    ended.assert_status(0);
    let shown = AWKWARD.replace('\u{1b}', "␛").replace('\u{9b}', "\u{fffd}").replace('\u{2028}', "⏎");
    assert_eq!(ended.out, ["stored k here only: no peers yet", &format!("k = x{shown}")]);
}

#[test]
fn raw_writes_the_bytes_of_values_and_nothing_else() {
    let ended = tincan("kv --ephemeral --raw").run(format!("PUT k x{AWKWARD}\nGET k\n").as_bytes());
    ended.assert_status(0);
    assert_eq!(ended.out, [format!("x{AWKWARD}")]);
    assert!(ended.err.contains(&"stored k here only: no peers yet".to_owned()), "{:?}", ended.err);

    let ended = tincan("kv --ephemeral").env("TINCAN_RAW", "1").run(b"PUT k ab\nGET k\nGET none\nGET k\nFETCH\n");
    ended.assert_status(1);
    assert_eq!(ended.out, ["abab"], "nothing stands between values");
    for part in ["not found: none", "error: unknown word FETCH;", "error: 2 lines"] {
        assert!(ended.err.iter().any(|line| line.starts_with(part)), "{part}: {:?}", ended.err);
    }
}
