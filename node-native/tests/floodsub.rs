//! Rooms with members that speak floodsub.

mod support;

use std::{collections::BTreeMap, time::Duration};

use support::{
    Hub, PATIENCE,
    flood::Flood,
    node::{peer, total, until},
    tincan,
};
use tincan_shared::{Event, Events, Message};

const ROOM: &str = "flood";
const LINES: usize = 20;
/// Longer than a second bridge waits for the first.
const SECOND_BRIDGE: Duration = Duration::from_millis(2000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_and_a_stock_floodsub_peer_talk_over_one_connection() {
    let mut flood = Flood::new(ROOM);
    let address = flood.listen().await;
    let arguments = format!("chat --ephemeral --floodsub --listen /ip4/127.0.0.1/tcp/0 --room {ROOM} {address}");
    let mut terminal = tincan(&arguments).start();
    flood.until_subscribed(1).await;
    for n in 0..LINES {
        terminal.line(&format!("from the terminal {n}"));
    }
    let mut heard = Vec::new();
    while heard.len() < LINES {
        heard.push(flood.line().await.0);
    }
    assert_all(heard, "from the terminal");
    for n in 0..LINES {
        flood.publish(ROOM, &format!("from floodsub {n}"));
    }
    let id = tincan_shared::short_id(&flood.id);
    let seen = async {
        tokio::task::spawn_blocking(move || {
            // Words of the floodsub peer, as the terminal that bridges says; the id behind them is the terminal's.
            let mark = format!("[{ROOM}] {id} via bridge (");
            let line = |_| {
                let line = terminal.out.next();
                let rest = line.strip_prefix(&mark).and_then(|rest| rest.split_once("): "));
                let (signer, text) = rest.unwrap_or_else(|| panic!("no line of floodsub's: {line}"));
                assert_ne!(signer, id);
                text.to_owned()
            };
            (0..LINES).map(line).collect::<Vec<_>>()
        })
        .await
        .expect("lines")
    };
    let seen = tokio::select! {
        seen = seen => seen,
        _ = flood.line() => panic!("what came from floodsub went back to it"),
    };
    assert_all(seen, "from floodsub");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bridges_bring_and_take_each_line_once() {
    let flags = format!("{} --ephemeral --floodsub", support::HUB_FLAGS);
    let first = Hub::of(tincan(&flags));
    let second = Hub::of(tincan(&flags).arguments(&format!("--bootstrap {}", first.address("tcp"))));
    let address = |hub: &Hub| hub.address("tcp").parse().expect("an address");
    let (ann, mut ann_hears) = peer(&address(&first), "ann");
    let (bob, mut bob_hears) = peer(&address(&second), "bob");
    ann.join(ROOM, false).await.expect("joined");
    bob.join(ROOM, false).await.expect("joined");
    let mut flood = Flood::new(ROOM);
    flood.dial(&address(&first));
    flood.dial(&address(&second));
    flood.until_subscribed(2).await;
    tokio::join!(
        async {
            tokio::select! {
                _ = flood.line() => panic!("nobody has spoken"),
                () = total(&mut ann_hears, ROOM, 2, PATIENCE) => {}
            }
        },
        total(&mut bob_hears, ROOM, 2, PATIENCE)
    );

    for n in 0..LINES {
        flood.publish(ROOM, &format!("in {n}"));
    }
    let both = async { tokio::join!(received(&mut ann_hears), received(&mut bob_hears)) };
    let (ann_got, bob_got) = tokio::select! {
        both = both => both,
        line = flood.line() => panic!("{line:?} came back"),
    };
    for got in [ann_got, bob_got] {
        let source = Some(flood.id.to_string());
        assert!(got.iter().all(|message| message.from != flood.id && message.claimed_source == source));
        assert_all(got.into_iter().map(|message| message.text).collect(), "in");
    }

    for n in 0..LINES {
        ann.say(ROOM, format!("out {n}")).await.expect("said");
    }
    let mut heard = Vec::new();
    while heard.len() < LINES {
        heard.push(flood.line().await.0);
    }
    assert_all(heard, "ann: out");
    if let Ok(line) = tokio::time::timeout(SECOND_BRIDGE, flood.line()).await {
        panic!("the second bridge said {line:?} too");
    }
}

/// [`LINES`] lines, and none more for a while.
async fn received(events: &mut Events) -> Vec<Message> {
    let line = |event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    };
    let mut lines = Vec::new();
    while lines.len() < LINES {
        lines.push(until(events, PATIENCE, line).await);
    }
    let quiet = tokio::time::timeout(SECOND_BRIDGE, until(events, PATIENCE, line)).await;
    assert!(quiet.is_err(), "one line too many: {quiet:?}");
    lines
}

/// Each of the numbered lines once; floodsub promises no order.
fn assert_all(lines: Vec<String>, prefix: &str) {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line).or_insert(0) += 1;
    }
    let expected: BTreeMap<String, i32> = (0..LINES).map(|n| (format!("{prefix} {n}"), 1)).collect();
    assert_eq!(counts, expected);
}
