//! The protocols composed.

use std::time::Duration;

use libp2p::{
    gossipsub::{self, IdentTopic, MessageAuthenticity, ValidationMode},
    identify,
    identity::Keypair,
    kad::{
        self, Record,
        store::{MemoryStore, RecordStore},
    },
    ping,
    swarm::NetworkBehaviour,
};

use crate::{
    Error,
    protocol::{KADEMLIA, RECORD, TRIAL, VERSION},
    streams,
};

/// Between two pings of a connection: each trial pings at its beginning, and then of its own accord.
const PING_INTERVAL: Duration = Duration::from_secs(3600);

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Listens, and has the record.
    Hub,
    /// Dials.
    Peer,
}

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) kad: kad::Behaviour<MemoryStore>,
    pub(crate) gossip: gossipsub::Behaviour,
    pub(crate) streams: streams::Behaviour,
}

impl Behaviour {
    pub(crate) fn new(keypair: &Keypair, role: Role, streams: streams::Behaviour) -> Result<Self, Error> {
        let identify = identify::Config::new(VERSION.into(), keypair.public());
        Ok(Self {
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_INTERVAL)),
            kad: kademlia(keypair, role)?,
            gossip: gossip(keypair)?,
            streams,
        })
    }
}

fn kademlia(keypair: &Keypair, role: Role) -> Result<kad::Behaviour<MemoryStore>, Error> {
    let me = keypair.public().to_peer_id();
    let mut config = kad::Config::new(KADEMLIA);
    config.set_periodic_bootstrap_interval(None);
    let mut kad = kad::Behaviour::with_config(me, MemoryStore::new(me), config);
    kad.set_mode(Some(if role == Role::Hub { kad::Mode::Server } else { kad::Mode::Client }));
    if role == Role::Hub {
        let stored = kad.store_mut().put(Record::new(TRIAL.as_bytes().to_vec(), RECORD.to_vec()));
        stored.map_err(|error| Error::SetUp(format!("the record: {error}")))?;
    }
    Ok(kad)
}

fn gossip(keypair: &Keypair) -> Result<gossipsub::Behaviour, Error> {
    let wrong = |error: String| Error::SetUp(format!("gossip: {error}"));
    let config = gossipsub::ConfigBuilder::default().validation_mode(ValidationMode::Strict).build();
    let signed = MessageAuthenticity::Signed(keypair.clone());
    let mut gossip = gossipsub::Behaviour::new(signed, config.map_err(|error| wrong(error.to_string()))?)
        .map_err(|error| wrong(error.to_owned()))?;
    gossip.subscribe(&IdentTopic::new(TRIAL)).map_err(|error| wrong(error.to_string()))?;
    Ok(gossip)
}
