//! Nodes inside the test, each with connections of its own to the real binary.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libp2p::{identity::Keypair, swarm::dummy};
use tincan_node::{certificate, transport};
use tincan_shared::{Config, Event, Events, Multiaddr, NoStorage, Node, Platform, Saved};

/// A peer that knows nobody but this hub.
pub fn peer(hub: &Multiaddr, nick: &str) -> (Node, Events) {
    node(Config { bootstrap: vec![hub.clone()], nick: Some(nick.into()), ..Config::page() }, now_ms)
}

/// A node whose clock is the caller's.
pub fn node(config: Config, now_ms: fn() -> u64) -> (Node, Events) {
    let keypair = Keypair::generate_ed25519();
    let certificate = certificate::generate().expect("a certificate");
    let platform = Platform {
        transport: transport::build(&keypair, &certificate).expect("transports"),
        keypair,
        direct: None,
        behaviour: dummy::Behaviour,
        saved: Saved::new(),
        storage: Box::new(NoStorage),
        now_ms,
    };
    Node::spawn(config, platform).expect("a node")
}

/// The right time.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(since.as_millis()).expect("a clock of this age")
}

/// Waits for the first event that `wanted` picks.
pub async fn until<T>(events: &mut Events, within: Duration, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    let found = tokio::time::timeout(within, async {
        loop {
            let event = events.next().await;
            assert!(!matches!(event, Event::Stopped), "the node stopped");
            assert!(!matches!(event, Event::Lagged { .. }), "the test reads too slowly");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    });
    found.await.expect("the event in time")
}

/// Waits until a room has so many members in all.
pub async fn total(events: &mut Events, room: &str, count: u32, within: Duration) {
    until(events, within, |event| match event {
        Event::Room(info) if info.room == room && info.total == count => Some(()),
        _ => None,
    })
    .await;
}
