//! A peer of another program: stock floodsub over TCP, as the first chats of libp2p were; not even identify.

use std::time::Duration;

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport,
    core::upgrade::Version,
    floodsub::{self, Topic},
    identity::Keypair,
    noise,
    swarm::{self, SwarmEvent},
    tcp, yamux,
};

/// The peer.
pub struct Flood {
    pub swarm: Swarm<floodsub::Behaviour>,
    pub id: PeerId,
}

impl Flood {
    /// In a room already.
    pub fn new(room: &str) -> Self {
        let key = Keypair::generate_ed25519();
        let id = key.public().to_peer_id();
        let transport = tcp::tokio::Transport::default()
            .upgrade(Version::V1Lazy)
            .authenticate(noise::Config::new(&key).expect("a key that signs"))
            .multiplex(yamux::Config::default())
            .boxed();
        let mut floodsub = floodsub::Behaviour::new(id);
        floodsub.subscribe(Topic::new(room));
        let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(600));
        Self { swarm: Swarm::new(transport, floodsub, id, config), id }
    }

    /// Listens; where.
    pub async fn listen(&mut self) -> Multiaddr {
        self.swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().expect("an address")).expect("a listener");
        self.until(|event| match event {
            SwarmEvent::NewListenAddr { address, .. } => Some(address.clone()),
            _ => None,
        })
        .await
    }

    pub fn dial(&mut self, address: &Multiaddr) {
        self.swarm.dial(address.clone()).expect("a dial");
    }

    pub fn publish(&mut self, room: &str, text: &str) {
        self.swarm.behaviour_mut().publish(Topic::new(room), text.as_bytes().to_vec());
    }

    /// Waits until so many peers are in its room.
    pub async fn until_subscribed(&mut self, count: usize) {
        for _ in 0..count {
            self.until(|event| match event {
                SwarmEvent::Behaviour(floodsub::Event::Subscribed { .. }) => Some(()),
                _ => None,
            })
            .await;
        }
    }

    /// The next line, and who is named as its source.
    pub async fn line(&mut self) -> (String, PeerId) {
        self.until(|event| match event {
            SwarmEvent::Behaviour(floodsub::Event::Message(message)) => {
                Some((String::from_utf8(message.data.to_vec()).expect("text, no frame"), message.source))
            }
            _ => None,
        })
        .await
    }

    /// Runs until `wanted` picks an event; talks to whoever connects.
    async fn until<T>(&mut self, mut wanted: impl FnMut(&SwarmEvent<floodsub::Event>) -> Option<T>) -> T {
        let found = tokio::time::timeout(super::PATIENCE, async {
            loop {
                let event = self.swarm.select_next_some().await;
                if let SwarmEvent::ConnectionEstablished { peer_id, .. } = &event {
                    self.swarm.behaviour_mut().add_node_to_partial_view(*peer_id);
                }
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        });
        found.await.expect("the event in time")
    }
}
