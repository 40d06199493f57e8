//! Records and providers: what is said to be stored is stored, and lasts.

mod support;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use support::{HUB_FLAGS, Hub, PATIENCE, Running, http, tincan};

/// Keys that one after the other want the one place of a full hub: more than a connection may have streams.
const WANTING: usize = 40;

/// Listens by TCP alone: who still dials it when it has gone learns so at once.
const KV: &str = "kv --listen /ip4/127.0.0.1/tcp/0";

/// Says lines to `tincan kv` at a hub, and returns its answers once it has gone.
#[track_caller]
fn say(hub: &Hub, lines: &[String]) -> Vec<String> {
    let kv = tincan(KV).arguments("--ephemeral").arguments(hub.address("tcp"));
    let ended = kv.run((lines.join("\n") + "\n").as_bytes());
    ended.assert_status(0);
    assert_eq!(ended.out.len(), lines.len(), "{:#?}", ended.out);
    ended.out
}

#[test]
fn a_full_hub_refuses_and_put_says_on_how_many_peers_a_record_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("tincan.toml");
    fs::write(&config, "[limits]\nrecords = 2\n").expect("written");
    let hub = Hub::of(tincan(HUB_FLAGS).arguments("--ephemeral").path("--config", &config));
    let puts: Vec<String> = (0..WANTING).map(|n| format!("PUT key{n} value")).collect();
    let answers = say(&hub, &puts);
    let stored: Vec<bool> = (0..WANTING)
        .map(|n| match answers[n].as_str() {
            answer if answer == format!("stored key{n} on 1 peer") => true,
            answer if answer == format!("stored key{n} here only: the 1 peer that was asked did not take it") => false,
            answer => panic!("{answer}"),
        })
        .collect();
    assert!(stored[0] && stored.contains(&false), "{answers:#?}");
    let gets: Vec<String> = (0..WANTING).map(|n| format!("GET key{n}")).collect();
    let found = say(&hub, &gets);
    // Whoever was stored after another took its place.
    let last = stored.iter().rposition(|stored| *stored).expect("one is");
    for (n, answer) in found.iter().enumerate() {
        let expected = if n == last { format!("key{n} = value") } else { format!("not found: key{n}") };
        assert_eq!(*answer, expected, "PUT said {}", answers[n]);
    }
}

/// What a hub that is killed may forget.
const LAST: Duration = Duration::from_secs(1);

#[test]
fn a_hub_that_is_killed_has_what_others_stored_in_its_next_run() {
    let dir = tempfile::tempdir().expect("a folder");
    let hub = Hub::start_in(dir.path());
    let answers = say(&hub, &["PUT motto live and let live", "PUT_PROVIDER tools"].map(str::to_owned));
    assert_eq!(answers, ["stored motto on 1 peers", "providing tools, told 1 peers"]);
    let asks = ["GET motto", "GET_PROVIDERS tools"].map(str::to_owned);
    let before = say(&hub, &asks);
    assert!(before[0] == "motto = live and let live" && before[1].starts_with("providers of tools: "), "{before:#?}");
    thread::sleep(LAST);
    kill(hub);
    let hub = Hub::start_in(dir.path());
    assert_eq!(say(&hub, &asks), before);
    // Overwritten, and written again.
    assert_eq!(say(&hub, &["PUT motto another".to_owned()]), ["stored motto on 1 peers"]);
    thread::sleep(LAST);
    kill(hub);
    let hub = Hub::start_in(dir.path());
    assert_eq!(say(&hub, &asks), ["motto = another", before[1].as_str()]);
}

#[test]
fn what_was_put_alone_is_published_by_a_later_run_and_stays_when_that_is_killed() {
    let [home, hub_home] = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let alone = tincan(KV).path("--data-dir", home.path()).run(b"PUT motto live\nPUT_PROVIDER tools\n");
    alone.assert_status(0);
    let only_here = ["stored motto here only: no peers yet", "providing tools here only: no peers yet"];
    assert_eq!(alone.out, only_here);
    let hub = Hub::start_in(hub_home.path());
    let again = tincan(KV).path("--data-dir", home.path()).arguments(hub.address("tcp")).start();
    let until = Instant::now() + PATIENCE;
    while http::counter(&hub.http, "records") == 0 {
        assert!(Instant::now() < until, "it is not published");
        thread::sleep(Duration::from_millis(50));
    }
    kill_running(again);
    let found = say(&hub, &["GET motto", "GET_PROVIDERS tools"].map(str::to_owned));
    assert!(found[0] == "motto = live" && found[1].starts_with("providers of tools: 12D3KooW"), "{found:#?}");
}

fn kill(hub: Hub) {
    kill_running(hub.running);
}

fn kill_running(mut running: Running) {
    running.signal("KILL");
    running.wait_at_most(PATIENCE);
}
