//! Two hubs joined to each other are one network, and neither keeps a dead room alive.

mod support;

use std::time::Duration;

use libp2p::{Multiaddr, gossipsub, swarm::SwarmEvent};
use support::{
    PATIENCE, Running,
    node::{peer, total, until},
    stock::{ProtocolsEvent, Stock},
    tincan,
};
use tincan_shared::{Event, Events, MessageState};

const ROOM: &str = "bridge";

fn hub(arguments: &str) -> (Running, Multiaddr) {
    let mut hub =
        tincan(&format!("serve --ephemeral --listen /ip4/127.0.0.1/tcp/0 --http 127.0.0.1:0 {arguments}")).start();
    let listening = hub.out.containing("listening: ");
    let address = listening.trim_start_matches("listening: ").parse().expect("an address");
    (hub, address)
}

async fn lines(events: &mut Events, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        let text = until(events, PATIENCE, |event| match event {
            Event::Message(message) if message.state == MessageState::Received => Some(message.text),
            _ => None,
        });
        texts.push(text.await);
    }
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_and_members_cross_once_and_dead_rooms_are_let_go() {
    let (_first, first) = hub("");
    let (_second, second) = hub(&format!("--bootstrap {first}"));
    let mut onlooker = Onlooker::new(&[first.clone(), second.clone()]);
    let (ann, mut ann_hears) = peer(&first, "ann");
    let (bob, mut bob_hears) = peer(&second, "bob");
    ann.join(ROOM, false).await.expect("joined");
    bob.join(ROOM, false).await.expect("joined");
    total(&mut ann_hears, ROOM, 1, PATIENCE).await;
    total(&mut bob_hears, ROOM, 1, PATIENCE).await;
    onlooker.until_carried_by(2).await;

    for n in 0..10 {
        ann.say(ROOM, format!("from ann {n}")).await.expect("said");
        bob.say(ROOM, format!("from bob {n}")).await.expect("said");
    }
    let expected = |who: &str| (0..10).map(|n| format!("from {who} {n}")).collect::<Vec<_>>();
    assert_eq!(lines(&mut bob_hears, 10).await, expected("ann"));
    assert_eq!(lines(&mut ann_hears, 10).await, expected("bob"));
    // A last line each: whatever crossed twice would come before it.
    ann.say(ROOM, "end").await.expect("said");
    bob.say(ROOM, "end").await.expect("said");
    assert_eq!(lines(&mut bob_hears, 1).await, ["end"]);
    assert_eq!(lines(&mut ann_hears, 1).await, ["end"]);

    ann.leave(ROOM).await.expect("left");
    bob.leave(ROOM).await.expect("left");
    tokio::time::timeout(Duration::from_secs(60), onlooker.until_carried_by(0)).await.expect("let go within 60 s");
}

/// A peer of another program that watches what the hubs are subscribed to.
struct Onlooker {
    stock: Stock,
    carried: usize,
}

impl Onlooker {
    fn new(hubs: &[Multiaddr]) -> Self {
        let mut stock = Stock::new();
        for hub in hubs {
            stock.dial(hub);
        }
        Self { stock, carried: 0 }
    }

    async fn until_carried_by(&mut self, hubs: usize) {
        let carried = &mut self.carried;
        while *carried != hubs {
            let change = self.stock.until(|event| match event {
                SwarmEvent::Behaviour(ProtocolsEvent::Gossip(gossipsub::Event::Subscribed { topic, .. })) => {
                    (topic.as_str() == ROOM).then_some(1)
                }
                SwarmEvent::Behaviour(ProtocolsEvent::Gossip(gossipsub::Event::Unsubscribed { topic, .. })) => {
                    (topic.as_str() == ROOM).then_some(-1)
                }
                _ => None,
            });
            *carried = carried.saturating_add_signed(change.await);
        }
    }
}
