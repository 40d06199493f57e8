//! Peers of another program, for comparison: stock gossipsub and identify over the same transport, nothing of ours.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures::StreamExt;
use libp2p::{
    Multiaddr, Swarm,
    gossipsub::{self, IdentTopic},
    identify,
    identity::Keypair,
    swarm::{self, NetworkBehaviour, SwarmEvent},
};
use tincan_node::{certificate, transport};
use tincan_webrtc::native::Certificate;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{ROOM, board::Board, crowd::Dialled};

/// What may wait for a peer to do it.
const ASKED: usize = 16;
/// Longer than any session.
const IDLE: Duration = Duration::from_secs(3600);

#[derive(NetworkBehaviour)]
struct Protocols {
    gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
}

/// What a peer is asked to do.
#[derive(Debug)]
enum Asked {
    Dial(Multiaddr),
    Say(String),
}

/// All of them: in the room, and not connected before [`Stock::join`]. A hub tells them no total: they count as knowing it
/// once they see that the hub is in the room.
#[derive(Debug)]
pub(crate) struct Stock {
    peers: Vec<(mpsc::Sender<Asked>, JoinHandle<()>)>,
}

impl Stock {
    pub(crate) fn gather(count: usize, board: &Arc<Board>) -> Result<Self> {
        let certificate = certificate::generate()?;
        let mut peers = Vec::new();
        for number in 0..count {
            let (asks, asked) = mpsc::channel(ASKED);
            let swarm = swarm_of(&certificate)?;
            peers.push((asks, tokio::spawn(run(number, swarm, asked, board.clone()))));
        }
        Ok(Self { peers })
    }

    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    pub(crate) async fn join(&self, hub: &Multiaddr, over: Duration) -> Result<Dialled> {
        let first = Instant::now();
        for (n, (asks, _)) in self.peers.iter().enumerate() {
            let due = first + over.mul_f64(n as f64 / self.peers.len() as f64);
            tokio::time::sleep_until(due.into()).await;
            asks.send(Asked::Dial(hub.clone())).await.context("a stock peer has ended")?;
        }
        Ok(Dialled { first, last: Instant::now() })
    }

    pub(crate) async fn say(&self, author: usize, text: String) -> Result<()> {
        self.peers[author].0.send(Asked::Say(text)).await.context("a stock peer has ended")
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        for (_, task) in &self.peers {
            task.abort();
        }
    }
}

fn swarm_of(certificate: &Certificate) -> Result<Swarm<Protocols>> {
    let key = Keypair::generate_ed25519();
    let signed = gossipsub::MessageAuthenticity::Signed(key.clone());
    let gossip = gossipsub::Behaviour::new(signed, gossipsub::Config::default());
    let protocols = Protocols {
        gossip: gossip.map_err(anyhow::Error::msg)?,
        identify: identify::Behaviour::new(identify::Config::new("/stock/1.0.0".into(), key.public())),
    };
    let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE);
    let mut swarm = Swarm::new(transport::build(&key, certificate)?, protocols, key.public().to_peer_id(), config);
    swarm.behaviour_mut().gossip.subscribe(&IdentTopic::new(ROOM))?;
    Ok(swarm)
}

async fn run(number: usize, mut swarm: Swarm<Protocols>, mut asked: mpsc::Receiver<Asked>, board: Arc<Board>) {
    loop {
        tokio::select! {
            ask = asked.recv() => match ask {
                // What fails here is missed on the board.
                Some(Asked::Dial(hub)) => drop(swarm.dial(hub)),
                Some(Asked::Say(text)) => drop(swarm.behaviour_mut().gossip.publish(IdentTopic::new(ROOM), text)),
                None => return,
            },
            event = swarm.select_next_some() => match event {
                SwarmEvent::Behaviour(ProtocolsEvent::Gossip(gossipsub::Event::Subscribed { .. })) => {
                    board.let_in(number, true);
                }
                SwarmEvent::Behaviour(ProtocolsEvent::Gossip(gossipsub::Event::Message { message, .. })) => {
                    if let Ok(text) = std::str::from_utf8(&message.data) {
                        board.heard(number, text);
                    }
                }
                SwarmEvent::ConnectionClosed { .. } => board.let_in(number, false),
                _ => {}
            },
        }
    }
}
