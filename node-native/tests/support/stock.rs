//! A peer of another program: stock gossipsub and identify over TCP, nothing of ours.

use std::time::Duration;

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport,
    core::upgrade::Version,
    gossipsub::{self, IdentTopic},
    identify,
    identity::Keypair,
    noise,
    swarm::{self, NetworkBehaviour, SwarmEvent},
    tcp, yamux,
};

/// What it speaks.
#[derive(NetworkBehaviour)]
pub struct Protocols {
    pub gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
}

/// The peer itself.
pub struct Stock {
    pub swarm: Swarm<Protocols>,
    pub id: PeerId,
}

impl Stock {
    pub fn new() -> Self {
        let key = Keypair::generate_ed25519();
        let id = key.public().to_peer_id();
        let transport = tcp::tokio::Transport::default()
            .upgrade(Version::V1Lazy)
            .authenticate(noise::Config::new(&key).expect("a key that signs"))
            .multiplex(yamux::Config::default())
            .boxed();
        let signed = gossipsub::MessageAuthenticity::Signed(key.clone());
        let protocols = Protocols {
            gossip: gossipsub::Behaviour::new(signed, gossipsub::Config::default()).expect("gossip"),
            identify: identify::Behaviour::new(identify::Config::new("/stock/1.0.0".into(), key.public())),
        };
        let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(600));
        Self { swarm: Swarm::new(transport, protocols, id, config), id }
    }

    pub fn dial(&mut self, address: &Multiaddr) {
        self.swarm.dial(address.clone()).expect("a dial");
    }

    /// Listens on loopback; returns where.
    pub async fn listen(&mut self) -> Multiaddr {
        self.swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().expect("an address")).expect("a listener");
        let address = self.until(|event| match event {
            SwarmEvent::NewListenAddr { address, .. } => Some(address.clone()),
            _ => None,
        });
        address.await
    }

    pub fn subscribe(&mut self, room: &str) {
        self.swarm.behaviour_mut().gossip.subscribe(&IdentTopic::new(room)).expect("subscribed");
    }

    pub fn publish(&mut self, room: &str, payload: &[u8]) {
        self.swarm.behaviour_mut().gossip.publish(IdentTopic::new(room), payload).expect("published");
    }

    /// Runs until `wanted` picks an event.
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(&SwarmEvent<ProtocolsEvent>) -> Option<T>) -> T {
        let found = tokio::time::timeout(super::PATIENCE, async {
            loop {
                let event = self.swarm.select_next_some().await;
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        });
        found.await.expect("the event in time")
    }

    /// Runs for ever: for the time that somebody else is waited for.
    pub async fn run(&mut self) {
        loop {
            self.swarm.select_next_some().await;
        }
    }

    /// Runs until a peer says that it is in a room, or carries it.
    pub async fn until_subscribed(&mut self, wanted: &str) {
        self.until(|event| match event {
            SwarmEvent::Behaviour(ProtocolsEvent::Gossip(gossipsub::Event::Subscribed { topic, .. })) => {
                (topic.as_str() == wanted).then_some(())
            }
            _ => None,
        })
        .await;
    }
}
