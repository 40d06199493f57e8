//! What only a machine has: discovery on the local network, and a bridge to floodsub.

use std::io;

use libp2p::{
    PeerId, StreamProtocol, mdns,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};
use tincan_shared::{HostBehaviour, HostEvent};

use crate::{discovery::Discovery, floodsub::Floodsub, settings::Settings};

/// Queries within one time to live: a lost packet or two does not make a peer vanish.
const QUERIES_PER_TTL: u32 = 3;

/// This host's own behaviour.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "Found")]
pub struct Host {
    mdns: Toggle<Discovery>,
    floodsub: Toggle<Floodsub>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("mdns", &self.mdns.is_enabled())
            .field("floodsub", &self.floodsub.is_enabled())
            .finish()
    }
}

impl Host {
    /// With discovery as the settings say. A host that has no multicast does without.
    #[must_use]
    pub fn new(settings: &Settings, peer: PeerId) -> Self {
        let mdns = settings.mdns.then(|| discovery(settings, peer)).and_then(|made| match made {
            Ok(mdns) => Some(mdns),
            Err(error) => {
                tracing::warn!(%error, "no discovery on the local network; name peers with --bootstrap");
                None
            }
        });
        Self { mdns: mdns.into(), floodsub: settings.floodsub.then(|| Floodsub::new(peer)).into() }
    }
}

impl HostBehaviour for Host {
    fn bridges(&self) -> bool {
        self.floodsub.is_enabled()
    }

    fn identified(&mut self, peer: PeerId, protocols: &[StreamProtocol]) {
        if let Some(floodsub) = self.floodsub.as_mut() {
            floodsub.identified(peer, protocols);
        }
    }

    fn enter(&mut self, room: &str) {
        if let Some(floodsub) = self.floodsub.as_mut() {
            floodsub.enter(room);
        }
    }

    fn leave(&mut self, room: &str) {
        if let Some(floodsub) = self.floodsub.as_mut() {
            floodsub.leave(room);
        }
    }

    fn say(&mut self, room: &str, text: &str) {
        if let Some(floodsub) = self.floodsub.as_mut() {
            floodsub.say(room, text);
        }
    }

    fn attending(&self) -> Vec<(PeerId, String)> {
        self.floodsub.as_ref().map(|floodsub| floodsub.attending().collect()).unwrap_or_default()
    }
}

fn discovery(settings: &Settings, peer: PeerId) -> io::Result<Discovery> {
    let config = mdns::Config {
        ttl: settings.mdns_ttl,
        query_interval: settings.mdns_ttl / QUERIES_PER_TTL,
        ..mdns::Config::default()
    };
    Discovery::new(&config, peer)
}

/// What discovery or floodsub say.
#[derive(Debug)]
pub struct Found(HostEvent);

impl From<HostEvent> for Found {
    fn from(event: HostEvent) -> Self {
        Self(event)
    }
}

impl From<Found> for HostEvent {
    fn from(Found(event): Found) -> Self {
        event
    }
}
