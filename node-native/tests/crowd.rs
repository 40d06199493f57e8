//! Sixty peers that know nobody but one hub, in a room it was never told of.

mod support;

use std::time::{Duration, Instant};

use support::{
    PATIENCE,
    node::{peer, total, until},
    tincan,
};
use tincan_shared::{Event, MessageState, Multiaddr};

const PEERS: usize = 60;
const LINES: usize = 20;
const ROOM: &str = "assembly";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_reaches_everybody_within_a_second() {
    let mut hub = tincan("serve --ephemeral --listen /ip4/127.0.0.1/tcp/0 --http 127.0.0.1:0").start();
    let listening = hub.out.containing("listening: ");
    let address: Multiaddr = listening.trim_start_matches("listening: ").parse().expect("an address");

    let mut crowd = Vec::new();
    for n in 0..PEERS {
        let (node, events) = peer(&address, &format!("peer {n}"));
        node.join(ROOM, false).await.expect("joined");
        crowd.push((node, events));
    }
    let others = u32::try_from(PEERS - 1).expect("few");
    for (_, events) in &mut crowd {
        total(events, ROOM, others, PATIENCE).await;
    }

    let start = Instant::now();
    let listeners: Vec<_> = crowd
        .iter()
        .skip(1)
        .map(|(node, _)| {
            let mut events = node.events();
            tokio::spawn(async move {
                let mut heard = Vec::new();
                for _ in 0..LINES {
                    let text = until(&mut events, PATIENCE, |event| match event {
                        Event::Message(message) if message.state == MessageState::Received => Some(message.text),
                        _ => None,
                    });
                    heard.push((text.await, start.elapsed()));
                }
                heard
            })
        })
        .collect();

    let mut said = Vec::new();
    let mut beat = tokio::time::interval(Duration::from_millis(250));
    for n in 0..LINES {
        beat.tick().await;
        said.push(start.elapsed());
        crowd[0].0.say(ROOM, format!("line {n}")).await.expect("said");
    }
    assert!(start.elapsed() <= Duration::from_secs(5), "twenty lines in five seconds");

    let mut delays = Vec::new();
    for listener in listeners {
        let heard = listener.await.expect("heard all");
        for (n, (text, at)) in heard.iter().enumerate() {
            assert_eq!(text, &format!("line {n}"), "each line once, in order");
            delays.push(at.saturating_sub(said[n]));
        }
    }
    delays.sort();
    let p99 = delays[delays.len() * 99 / 100];
    println!("{} deliveries, p50 {:?}, p99 {p99:?}", delays.len(), delays[delays.len() / 2]);
    assert_eq!(delays.len(), (PEERS - 1) * LINES);
    assert!(p99 <= Duration::from_secs(1), "p99 {p99:?}");
}
