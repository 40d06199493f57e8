//! The protocols a node speaks, composed. Decides nothing.

use std::{num::NonZeroUsize, time::Duration};

use libp2p::{
    Multiaddr, PeerId, StreamProtocol, allow_block_list, connection_limits, gossipsub, identify,
    identity::Keypair,
    kad, relay,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};
use tincan_webrtc::signalling;
use web_time::Instant;

use crate::{
    Config, Error, Role,
    announce::Announce,
    arrivals::Arrivals,
    circuits::{RESERVATION_DURATION, Rates},
    config::PROTOCOL_VERSION,
    gate::Gate,
    gossip::{RoomNames, no_scores},
    heard::Heard,
    ping, probe,
    records::{Kademlia, PROVIDER_TTL, RECORD_TTL, Store},
    stay_away::StayAway,
};

/// How long a Kademlia query may take.
pub(crate) const QUERY_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a ping may take until its connection is given up.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// A peer's gossip heartbeat.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// The same on a hub: who comes back to a room is grafted by one of the next two.
const HUB_HEARTBEAT: Duration = Duration::from_millis(250);
/// How long a pruned peer is not grafted: the least the protocol can say above zero.
const PRUNE_BACKOFF: Duration = Duration::from_secs(1);
/// No back-off, where zero is refused: the protocol counts whole seconds. For those who leave a room, and on
/// hubs, which prune nobody.
const NO_BACKOFF: Duration = Duration::from_millis(1);
/// Bytes of one gossip RPC.
pub(crate) const MAX_GOSSIP_BYTES: usize = 65_536;
/// gossipsub reads so many bytes at a time, and its bound is on all that it has read: a long RPC together with the
/// beginning of the next one, else its stream is closed and what others said on it is lost.
pub(crate) const GOSSIP_READ_BYTES: usize = 8 * 1024;
/// Bytes of subscriptions and control messages in one RPC: a hub's hello names 512 rooms of up to 64 bytes.
pub(crate) const MAX_CONTROL_BYTES: usize = MAX_GOSSIP_BYTES;
/// Topics one peer may be subscribed to; hubs are subscribed to what they carry.
pub(crate) const MAX_TOPICS_PER_PEER: usize = 1024;
/// Peers in a hub's mesh of a room: `connections` bounds them, also after it was raised on a running hub.
const EVERYBODY: usize = usize::MAX;

pub(crate) type Gossip =
    gossipsub::Behaviour<gossipsub::IdentityTransform, gossipsub::MaxCountSubscriptionFilter<RoomNames>>;

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour<B: NetworkBehaviour> {
    pub(crate) gate: Gate,
    pub(crate) blocked: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
    pub(crate) stay_away: StayAway,
    pub(crate) arrivals: Arrivals,
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) identify: Announce<identify::Behaviour>,
    pub(crate) ping: ping::Behaviour,
    pub(crate) probe: probe::Behaviour,
    pub(crate) kad: Announce<Kademlia>,
    pub(crate) gossip: Gossip,
    pub(crate) relay_client: relay::client::Behaviour,
    pub(crate) signalling: Toggle<signalling::Behaviour>,
    pub(crate) relay: Toggle<Announce<relay::Behaviour>>,
    pub(crate) stream: libp2p_stream::Behaviour,
    pub(crate) host: B,
}

impl<B: NetworkBehaviour> Behaviour<B> {
    pub(crate) fn new(
        config: &Config,
        keypair: &Keypair,
        relay_client: relay::client::Behaviour,
        signalling: Option<signalling::Behaviour>,
        host: B,
        heard: &Heard,
    ) -> Result<Self, Error> {
        let me = keypair.public().to_peer_id();
        // It would push once for each address that a host begins to listen on, and then has no stream left for the answer to
        // what the peer asks: the actor pushes once for all of them.
        let identify = identify::Config::new(PROTOCOL_VERSION.into(), keypair.public())
            .with_agent_version(config.agent.clone())
            .with_push_listen_addr_updates(false);
        let hub = config.role == Role::Hub;
        Ok(Self {
            gate: Gate::default(),
            blocked: allow_block_list::Behaviour::default(),
            stay_away: StayAway::default(),
            arrivals: Arrivals::new(config),
            limits: connection_limits::Behaviour::new(connection_limits(config)),
            identify: Announce::new(identify::Behaviour::new(identify), config),
            ping: ping::Behaviour::new(
                ping::Config::new().with_interval(config.ping_interval).with_timeout(PING_TIMEOUT),
                heard.clone(),
            ),
            probe: probe::Behaviour::new(heard.clone()),
            kad: Announce::new(kademlia(config, me)?, config),
            gossip: gossip(config, keypair)?,
            relay_client,
            signalling: signalling.into(),
            relay: hub.then(|| Announce::new(relay::Behaviour::new(me, relay_config(config)), config)).into(),
            stream: libp2p_stream::Behaviour::new(),
            host,
        })
    }
}

pub(crate) fn connection_limits(config: &Config) -> connection_limits::ConnectionLimits {
    let limits = &config.limits;
    connection_limits::ConnectionLimits::default()
        .with_max_established(Some(limits.connections))
        .with_max_established_per_peer(Some(limits.connections_per_peer))
        .with_max_pending_incoming(Some(limits.pending_incoming))
}

fn kademlia(config: &Config, me: PeerId) -> Result<Kademlia, Error> {
    let name = StreamProtocol::try_from_owned(config.kad_protocol.clone())
        .map_err(|error| Error::Setting { name: "kad_protocol", reason: error.to_string() })?;
    let mut kad_config = kad::Config::new(name);
    // Unfiltered: our store decides before a PUT is acknowledged. One's own are published by our publisher.
    kad_config
        .set_query_timeout(QUERY_TIMEOUT)
        .set_record_filtering(kad::StoreInserts::Unfiltered)
        .set_record_ttl(Some(RECORD_TTL))
        .set_publication_interval(None)
        .set_provider_record_ttl(Some(PROVIDER_TTL))
        .set_provider_publication_interval(None);
    let mut kad = kad::Behaviour::with_config(me, Store::new(me, &config.limits), kad_config);
    kad.set_mode(Some(if config.kad_server { kad::Mode::Server } else { kad::Mode::Client }));
    Ok(Kademlia::new(kad))
}

fn gossip(config: &Config, keypair: &Keypair) -> Result<Gossip, Error> {
    let wrong = |reason: String| Error::Setting { name: "gossip", reason };
    let mut builder = gossipsub::ConfigBuilder::default();
    builder
        .validation_mode(gossipsub::ValidationMode::Strict)
        .validate_messages()
        .heartbeat_interval(heartbeat(config.role))
        .prune_backoff(PRUNE_BACKOFF)
        .unsubscribe_backoff(NO_BACKOFF)
        .backoff_slack(0)
        .flood_publish(true)
        .max_transmit_size(MAX_GOSSIP_BYTES + GOSSIP_READ_BYTES)
        .max_control_message_size(MAX_CONTROL_BYTES);
    if config.role == Role::Hub {
        // Peers that know the hub alone get a room's lines only from its mesh: it takes them all.
        builder.prune_backoff(NO_BACKOFF);
        builder.mesh_n_low(EVERYBODY).mesh_n(EVERYBODY).mesh_n_high(EVERYBODY).mesh_outbound_min(0);
    }
    let config = builder.build().map_err(|error| wrong(error.to_string()))?;
    let filter = gossipsub::MaxCountSubscriptionFilter {
        filter: RoomNames,
        max_subscribed_topics: MAX_TOPICS_PER_PEER,
        max_subscriptions_per_request: MAX_TOPICS_PER_PEER,
    };
    let authenticity = gossipsub::MessageAuthenticity::Signed(keypair.clone());
    let mut gossip =
        Gossip::new_with_subscription_filter(authenticity, config, filter).map_err(|error| wrong(error.to_owned()))?;
    let (params, thresholds) = no_scores();
    gossip.with_peer_score(params, thresholds).map_err(wrong)?;
    Ok(gossip)
}

fn relay_config(config: &Config) -> relay::Config {
    let limits = &config.limits;
    let (mut reservations, mut circuits) = (Rates::of_reservations(config), Rates::of_circuits(config));
    relay::Config {
        max_reservations: limits.reservations,
        reservation_duration: RESERVATION_DURATION,
        max_circuits: limits.circuits,
        // It refuses above this number and not at it.
        max_circuits_per_peer: limits.circuits_per_peer.saturating_sub(1),
        max_circuit_duration: limits.circuit_duration,
        max_circuit_bytes: limits.circuit_bytes,
        // The defaults let one address reserve 60 times an hour: too few for a school behind one.
        reservation_rate_limiters: vec![Box::new(move |peer: PeerId, address: &Multiaddr, now: Instant| {
            reservations.allow(peer, address, now)
        })],
        circuit_src_rate_limiters: vec![Box::new(move |peer: PeerId, address: &Multiaddr, now: Instant| {
            circuits.allow(peer, address, now)
        })],
        ..relay::Config::default()
    }
}

/// Time between gossipsub's heartbeats.
pub(crate) fn heartbeat(role: Role) -> Duration {
    match role {
        Role::Hub => HUB_HEARTBEAT,
        Role::Peer => HEARTBEAT,
    }
}

/// Peers a record is stored on.
pub(crate) fn replication() -> NonZeroUsize {
    kad::K_VALUE
}
