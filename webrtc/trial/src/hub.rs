//! What a trial hub does: it listens and answers.

use std::time::Duration;

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, core::transport::ListenerId, gossipsub, identity::Keypair, multiaddr::Protocol,
    swarm::SwarmEvent,
};
use n0_future::time::timeout;

use crate::{
    Error, Node,
    behaviour::BehaviourEvent,
    node::{Role, Transport},
    protocol::{ANSWER, GREETING, PATIENCE},
};

/// What connections get to close.
const FAREWELL: Duration = Duration::from_secs(2);

/// A hub that listens.
#[derive(Debug)]
pub struct Hub {
    node: Node,
    peer: PeerId,
}

impl Hub {
    /// That listens nowhere yet.
    ///
    /// # Errors
    /// [`Error::SetUp`].
    pub fn new(keypair: &Keypair, transport: Transport) -> Result<Self, Error> {
        Ok(Self { node: Node::new(keypair, transport, Role::Hub)?, peer: keypair.public().to_peer_id() })
    }

    /// Listens there; returns the address that peers dial.
    ///
    /// # Errors
    /// [`Error::SetUp`].
    pub async fn listen(&mut self, address: Multiaddr) -> Result<Multiaddr, Error> {
        let failed = |error: String| Error::SetUp(format!("a listener on {address}: {error}"));
        let listener = self.node.swarm.listen_on(address.clone()).map_err(|error| failed(error.to_string()))?;
        let listening = timeout(PATIENCE, self.listening(listener)).await;
        let found = listening.map_err(|_| failed("it does not say where it listens".into()))?.map_err(failed)?;
        // Kademlia answers under addresses that are known to be right.
        self.node.swarm.add_external_address(found.clone());
        Ok(found.with(Protocol::P2p(self.peer)))
    }

    async fn listening(&mut self, wanted: ListenerId) -> Result<Multiaddr, String> {
        loop {
            match self.node.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, address } if listener_id == wanted => return Ok(address),
                SwarmEvent::ListenerClosed { listener_id, reason, .. } if listener_id == wanted => {
                    return Err(format!("{reason:?}"));
                }
                event => self.note(event),
            }
        }
    }

    /// Answers for ever.
    pub async fn serve(&mut self) {
        loop {
            let event = self.node.swarm.select_next_some().await;
            self.note(event);
        }
    }

    /// Closes every connection, and waits a while for that.
    pub async fn close(&mut self) {
        let peers: Vec<PeerId> = self.node.swarm.connected_peers().copied().collect();
        for peer in peers {
            // An error means that it has gone.
            let _ = self.node.swarm.disconnect_peer_id(peer);
        }
        let gone = async {
            while self.node.swarm.connected_peers().next().is_some() {
                let event = self.node.swarm.select_next_some().await;
                self.note(event);
            }
        };
        if timeout(FAREWELL, gone).await.is_err() {
            tracing::info!("not all connections are closed yet");
        }
    }

    fn note(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Streams(incoming)) => self.node.serve(incoming),
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message { message, .. })) => {
                self.hear(&message.data);
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                tracing::info!(%error, "a connection did not come about");
            }
            _ => {}
        }
    }

    fn hear(&mut self, line: &[u8]) {
        let Some(name) = line.strip_prefix(GREETING.as_bytes()) else { return };
        if let Err(error) = self.node.say(&[name, ANSWER.as_bytes()].concat()) {
            tracing::warn!(%error, "a line was not answered");
        }
    }
}
