//! Records and providers: what is said to be stored is stored, and lasts.

mod support;

use std::fs;

use support::{HUB_FLAGS, Hub, tincan};

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
            answer if answer == format!("stored key{n} on 1 peers") => true,
            answer if answer == format!("stored key{n} here only: none of 1 peers took it") => false,
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
