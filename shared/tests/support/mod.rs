//! Nodes in one process over the memory transport, on tokio and in a browser alike.
#![allow(dead_code, reason = "each test file is a program of its own and uses its part")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use libp2p::{
    Transport,
    core::{muxing::StreamMuxerBox, transport::MemoryTransport, upgrade::Version},
    identity::Keypair,
    noise, swarm, yamux,
};
use tincan_shared::{Change, Config, Event, Events, Multiaddr, Node, PeerId, Platform, Saved, Storage};

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A key and what its node has stored: what outlives a run.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    keypair: Keypair,
    saved: Arc<Mutex<Saved>>,
}

impl Default for Home {
    fn default() -> Self {
        Self { keypair: Keypair::generate_ed25519(), saved: Arc::default() }
    }
}

impl Storage for Home {
    fn write(&mut self, changes: Vec<Change>) {
        let mut saved = self.saved.lock().expect("no panic while it is held");
        for Change { key, value } in changes {
            match value {
                Some(value) => drop(saved.insert(key, value)),
                None => drop(saved.remove(&key)),
            }
        }
    }
}

pub(crate) fn platform() -> Platform<swarm::dummy::Behaviour> {
    platform_in(&Home::default())
}

pub(crate) fn platform_in(home: &Home) -> Platform<swarm::dummy::Behaviour> {
    let keypair = home.keypair.clone();
    let transport = MemoryTransport::default()
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(&keypair).expect("a key that signs"))
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed();
    Platform {
        keypair,
        transport,
        direct: None,
        behaviour: swarm::dummy::Behaviour,
        saved: home.saved.lock().expect("no panic while it is held").clone(),
        storage: Box::new(home.clone()),
        now_ms,
    }
}

/// A platform whose first so many dials panic.
pub(crate) fn panicking_at_first(dials: usize) -> Platform<swarm::dummy::Behaviour> {
    let left = Arc::new(AtomicUsize::new(dials));
    let platform = platform();
    let transport = platform.transport.and_then(move |connected, point| {
        let left = left.clone();
        async move {
            let panics = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
            assert!(!(panics && point.is_dialer()), "as a faulty transport does");
            Ok::<_, std::io::Error>(connected)
        }
    });
    Platform { transport: transport.boxed(), ..platform }
}

#[allow(clippy::disallowed_methods, reason = "the host's clock")]
fn now_ms() -> u64 {
    let since = web_time::SystemTime::now().duration_since(web_time::UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(since.as_millis()).expect("a clock before the year 584,556,019")
}

pub(crate) fn address() -> Multiaddr {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("/memory/{}", 0x7_1ca0 + NEXT.fetch_add(1, Ordering::Relaxed)).parse().expect("a memory address")
}

/// A hub, and its address with its peer id.
pub(crate) async fn hub() -> (Node, Events, Multiaddr) {
    hub_joined_to(Vec::new()).await
}

pub(crate) async fn hub_joined_to(bootstrap: Vec<Multiaddr>) -> (Node, Events, Multiaddr) {
    hub_with(Config { bootstrap, ..Config::hub() }).await
}

pub(crate) async fn hub_with(config: Config) -> (Node, Events, Multiaddr) {
    hub_in(&Home::default(), config).await
}

pub(crate) async fn hub_in(home: &Home, config: Config) -> (Node, Events, Multiaddr) {
    let (node, mut events) =
        Node::spawn(Config { listen: vec![address()], ..config }, platform_in(home)).expect("a hub");
    let listening = until(&mut events, |event| match event {
        Event::Listening { address } => Some(address),
        _ => None,
    })
    .await;
    let address = listening.with_p2p(node.peer_id()).expect("no peer id yet");
    (node, events, address)
}

/// A peer that knows only this hub.
pub(crate) fn peer(hub: &Multiaddr, nick: &str) -> (Node, Events) {
    let config = Config { bootstrap: vec![hub.clone()], nick: Some(nick.into()), ..Config::page() };
    Node::spawn(config, platform()).expect("a peer")
}

/// Waits until a hub is connected and has said what it is.
pub(crate) async fn identified(events: &mut Events, hub: &PeerId) {
    until(events, |event| match event {
        Event::PeerChanged(peer) if peer.peer == *hub && peer.hub => Some(()),
        _ => None,
    })
    .await;
}

/// Waits for the first event that `wanted` picks.
pub(crate) async fn until<T>(events: &mut Events, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    let found = n0_future::time::timeout(DEADLINE, async {
        loop {
            let event = events.next().await;
            assert!(!matches!(event, Event::Stopped), "the node stopped");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    });
    found.await.expect("the event within the deadline")
}

/// Waits until a room has so many members with nicks.
pub(crate) async fn members(events: &mut Events, room: &str, count: usize) {
    until(events, |event| match event {
        Event::Room(info) if info.room == room => {
            (info.members.len() == count && info.members.iter().all(|member| member.nick.is_some())).then_some(())
        }
        _ => None,
    })
    .await;
}

/// Waits for the next line of somebody else.
pub(crate) async fn line(events: &mut Events) -> String {
    until(events, |event| match event {
        Event::Message(message) if message.state == tincan_shared::MessageState::Received => Some(message.text),
        _ => None,
    })
    .await
}
