//! Peers that mean harm: they speak what Tincan speaks, by a swarm of their own.

mod deaf;
mod socket;
mod watcher;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::Result;
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, Swarm, Transport as _,
    core::upgrade::Version,
    gossipsub::{self, IdentTopic},
    identify,
    identity::Keypair,
    noise,
    swarm::{self, NetworkBehaviour, SwarmEvent},
    yamux,
};
use libp2p_stream::{Control, IncomingStreams};

pub(crate) use deaf::Deaf;
pub(crate) use watcher::Watcher;

use crate::{ROOM, wire::SYNC};

/// Longer than any session.
const IDLE: Duration = Duration::from_secs(3600);

#[derive(NetworkBehaviour)]
struct Protocols {
    gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
    stream: libp2p_stream::Behaviour,
}

/// A peer with streams of its own.
struct Raw {
    swarm: Swarm<Protocols>,
    control: Control,
    /// Once set, it reads nothing more from its socket.
    deaf: Arc<AtomicBool>,
    /// Never looked at; without it the protocol would not be listed, and the hub would not take it for one of ours.
    _syncs: IncomingStreams,
}

impl Raw {
    /// Not yet connected. One that `goes_deaf` is in the room, and its connection has small buffers.
    fn new(goes_deaf: bool) -> Result<Self> {
        let key = Keypair::generate_ed25519();
        let deaf = Arc::new(AtomicBool::new(false));
        let transport = socket::Sockets { small: goes_deaf, deaf: deaf.clone() }
            .upgrade(Version::V1Lazy)
            .authenticate(noise::Config::new(&key)?)
            .multiplex(yamux::Config::default())
            .boxed();
        let signed = gossipsub::MessageAuthenticity::Signed(key.clone());
        let gossip = gossipsub::Behaviour::new(signed, gossipsub::Config::default());
        let protocols = Protocols {
            gossip: gossip.map_err(anyhow::Error::msg)?,
            identify: identify::Behaviour::new(identify::Config::new("tincan/1.0.0".into(), key.public())),
            stream: libp2p_stream::Behaviour::new(),
        };
        let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE);
        let mut swarm = Swarm::new(transport, protocols, key.public().to_peer_id(), config);
        if goes_deaf {
            swarm.behaviour_mut().gossip.subscribe(&IdentTopic::new(ROOM))?;
        }
        let mut control = swarm.behaviour().stream.new_control();
        let syncs = control.accept(SYNC)?;
        Ok(Self { swarm, control, deaf, _syncs: syncs })
    }

    /// Connects; returns once both have identified each other.
    async fn connect(&mut self, hub: &Multiaddr) -> Result<()> {
        self.swarm.dial(hub.clone())?;
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::Behaviour(ProtocolsEvent::Identify(identify::Event::Sent { .. })) => return Ok(()),
                SwarmEvent::OutgoingConnectionError { error, .. } => return Err(error.into()),
                SwarmEvent::ConnectionClosed { cause, .. } => anyhow::bail!("the hub hung up: {cause:?}"),
                _ => {}
            }
        }
    }

    /// Opens a stream.
    async fn open(&mut self, hub: PeerId, protocol: StreamProtocol) -> Result<Stream> {
        let mut control = self.control.clone();
        let opening = control.open_stream(hub, protocol);
        tokio::pin!(opening);
        loop {
            tokio::select! {
                opened = &mut opening => return Ok(opened?),
                _ = self.swarm.select_next_some() => {}
            }
        }
    }

    /// Runs until the connection is over.
    async fn run(&mut self) {
        while !matches!(self.swarm.select_next_some().await, SwarmEvent::ConnectionClosed { .. }) {}
    }
}
