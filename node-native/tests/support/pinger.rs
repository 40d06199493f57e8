//! A peer of another program that only pings: stock ping over stock QUIC, nothing of ours.

use std::time::Duration;

use futures::StreamExt;
use libp2p::{
    Multiaddr, Swarm, Transport,
    core::muxing::StreamMuxerBox,
    identity::Keypair,
    ping, quic,
    swarm::{self, SwarmEvent},
};

pub struct Pinger(Swarm<ping::Behaviour>);

impl Pinger {
    /// Pings anew so long after each pong.
    pub fn new(interval: Duration) -> Self {
        let key = Keypair::generate_ed25519();
        let transport = quic::tokio::Transport::new(quic::Config::new(&key))
            .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
            .boxed();
        let pings = ping::Behaviour::new(ping::Config::new().with_interval(interval).with_timeout(super::PATIENCE));
        let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(600));
        Self(Swarm::new(transport, pings, key.public().to_peer_id(), config))
    }

    pub fn dial(&mut self, address: &str) {
        self.0.dial(address.parse::<Multiaddr>().expect("an address")).expect("a dial");
    }

    /// How long each of the next replies took.
    pub async fn pongs(&mut self, count: usize) -> Vec<Duration> {
        let mut pongs = Vec::new();
        while pongs.len() < count {
            let next = tokio::time::timeout(super::PATIENCE, self.0.select_next_some());
            if let SwarmEvent::Behaviour(event) = next.await.expect("a reply in time") {
                pongs.push(event.result.expect("a reply"));
            }
        }
        pongs
    }
}
