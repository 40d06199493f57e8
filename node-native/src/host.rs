//! What only a machine has: discovery on the local network.

use std::io;

use libp2p::{
    PeerId, mdns,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};
use tincan_shared::HostEvent;

use crate::settings::Settings;

/// Queries within one time to live: a lost packet or two does not make a peer vanish.
const QUERIES_PER_TTL: u32 = 3;

/// This host's own behaviour.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "Found")]
pub struct Host {
    mdns: Toggle<mdns::tokio::Behaviour>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("mdns", &self.mdns.is_enabled()).finish()
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
        Self { mdns: mdns.into() }
    }
}

fn discovery(settings: &Settings, peer: PeerId) -> io::Result<mdns::tokio::Behaviour> {
    let config = mdns::Config {
        ttl: settings.mdns_ttl,
        query_interval: settings.mdns_ttl / QUERIES_PER_TTL,
        ..mdns::Config::default()
    };
    mdns::tokio::Behaviour::new(config, peer)
}

/// What discovery says.
#[derive(Debug)]
pub struct Found(mdns::Event);

impl From<mdns::Event> for Found {
    fn from(event: mdns::Event) -> Self {
        Self(event)
    }
}

impl From<Found> for HostEvent {
    fn from(Found(event): Found) -> Self {
        match event {
            mdns::Event::Discovered(peers) => Self::Discovered(peers),
            mdns::Event::Expired(peers) => Self::Expired(peers),
        }
    }
}
