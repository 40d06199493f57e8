//! A hub's relay, used by stock libp2p peers: many behind one address get on, one that never stops is stopped.

mod support;

use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport,
    core::{transport::OrTransport, upgrade::Version},
    identity::Keypair,
    multiaddr::Protocol,
    noise, relay,
    swarm::{
        self, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
    tcp, yamux,
};
use support::{
    Hub, PATIENCE,
    http::counter,
    network::{self, ADDRESSES, Network},
    tincan_in,
};
use tokio::time::timeout;

/// People of one school.
const PUPILS: usize = 300;
/// Circuits that one peer opens at once, twice `circuits_per_peer`.
const BURST: usize = 32;

/// A stock relay client.
struct Client {
    swarm: Swarm<relay::client::Behaviour>,
    id: PeerId,
}

impl Client {
    fn new() -> Self {
        let key = Keypair::generate_ed25519();
        let id = key.public().to_peer_id();
        let (circuits, client) = relay::client::new(id);
        let transport = OrTransport::new(circuits, tcp::tokio::Transport::default())
            .upgrade(Version::V1Lazy)
            .authenticate(noise::Config::new(&key).expect("a key that signs"))
            .multiplex(yamux::Config::default())
            .boxed();
        let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(PATIENCE);
        Self { swarm: Swarm::new(transport, client, id, config), id }
    }

    async fn until<T>(&mut self, mut wanted: impl FnMut(SwarmEvent<relay::client::Event>) -> Option<T>) -> T {
        let found = timeout(PATIENCE, async {
            loop {
                if let Some(found) = wanted(self.swarm.select_next_some().await) {
                    return found;
                }
            }
        });
        found.await.expect("the event in time")
    }

    /// Asks for a reservation; whether it was granted.
    async fn reserve(&mut self, hub: &Multiaddr) -> bool {
        self.swarm.listen_on(hub.clone().with(Protocol::P2pCircuit)).expect("a listener");
        self.until(|event| match event {
            SwarmEvent::Behaviour(relay::client::Event::ReservationReqAccepted { .. }) => Some(true),
            SwarmEvent::ListenerClosed { .. } => Some(false),
            _ => None,
        })
        .await
    }

    /// Opens a circuit; whether it came about.
    async fn open(&mut self, hub: &Multiaddr, to: PeerId) -> bool {
        let address = hub.clone().with(Protocol::P2pCircuit).with(Protocol::P2p(to));
        let dial = DialOpts::peer_id(to).addresses(vec![address]).condition(PeerCondition::Always).build();
        let dialled = dial.connection_id();
        self.swarm.dial(dial).expect("a dial");
        self.until(|event| match event {
            SwarmEvent::ConnectionEstablished { connection_id, .. } if connection_id == dialled => Some(true),
            SwarmEvent::OutgoingConnectionError { connection_id, .. } if connection_id == dialled => Some(false),
            _ => None,
        })
        .await
    }

    /// Ends all circuits to a peer.
    async fn close(&mut self, to: PeerId) {
        let _ = self.swarm.disconnect_peer_id(to);
        self.until(|event| {
            matches!(event, SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } if peer_id == to)
                .then_some(())
        })
        .await;
    }

    /// Goes on in the background.
    fn run(mut self) -> PeerId {
        let id = self.id;
        tokio::spawn(async move { while self.swarm.next().await.is_some() {} });
        id
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_opens_circuits_in_a_loop_is_stopped_and_others_are_not() {
    let hub = Hub::start();
    let address: Multiaddr = hub.address("tcp").parse().expect("an address");
    let mut target = Client::new();
    assert!(target.reserve(&address).await);
    let target = target.run();
    let mut greedy = Client::new();
    let mut opened = 0;
    // Each is closed before the next, so no bound on what is held at a time stops it.
    while opened <= 10 * BURST && greedy.open(&address, target).await {
        opened += 1;
        greedy.close(target).await;
    }
    // While it opened, a few more came due.
    assert!((BURST..2 * BURST).contains(&opened), "{opened} circuits");
    // The hub counts a refusal when it has been told.
    let until = Instant::now() + PATIENCE;
    while counter(&hub.http, "circuits_refused") == 0 {
        assert!(Instant::now() < until, "a refusal is counted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(Client::new().open(&address, target).await, "somebody else opens one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_circuits_of_one_peer_at_a_time_than_the_setting_says() {
    let hub = Hub::start();
    let address: Multiaddr = hub.address("tcp").parse().expect("an address");
    let mut target = Client::new();
    assert!(target.reserve(&address).await);
    let target = target.run();
    let mut holder = Client::new();
    let mut held = 0;
    while held < BURST && holder.open(&address, target).await {
        held += 1;
    }
    assert_eq!(held, BURST / 2);
}

#[test]
fn three_hundred_behind_one_address_reserve_and_open_circuits() {
    const NAME: &str = "three_hundred_behind_one_address_reserve_and_open_circuits";
    if let Some(told) = network::told() {
        return school(&told.parse().expect("an address"));
    }
    let Some(network) = Network::new("a school behind one address") else { return };
    let listen = format!("serve --ephemeral --no-mdns --http 127.0.0.1:0 --listen /ip4/{}/tcp/0", ADDRESSES[0]);
    let hub = Hub::of(tincan_in(&network.hosts[0], &listen));
    network.run_inside(NAME, hub.address("tcp"));
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn school(hub: &Multiaddr) {
    let mut waiting = Vec::new();
    for _ in 0..PUPILS {
        let mut pupil = Client::new();
        assert!(pupil.reserve(hub).await, "each reserves");
        for neighbour in waiting.iter().rev().take(2) {
            assert!(pupil.open(hub, *neighbour).await, "each opens circuits");
        }
        waiting.push(pupil.run());
    }
    assert_eq!(waiting.len(), PUPILS);
}
