//! From settings and platform to an actor that is about to run.

use std::{collections::HashMap, time::Duration};

use libp2p::{
    Multiaddr, Transport,
    core::{
        muxing::StreamMuxerBox,
        transport::{OptionalTransport, timeout::TransportTimeout},
        upgrade::Version,
    },
    multiaddr::Protocol,
    noise, relay,
    swarm::{self, Swarm},
    yamux,
};
use n0_future::time::Instant;
use tokio::sync::{broadcast, mpsc};

use super::{Actor, REAP_EVERY};
use crate::{
    Config, Direct, Error, Event, HostBehaviour, Platform, Role, Saved, behaviour::Behaviour, command::Command,
    core::Core, heard::Heard, listeners::Listeners, pending::Pending, records::Publisher, room::Now, streams::Streams,
};

/// How long one address of a dial may take, with the look-up of its name and its wait for other addresses. Hosts give up
/// sooner what does not answer; this ends what they forgot.
const DIAL_TIMEOUT: Duration = Duration::from_secs(20);
/// Until an incoming connection is authenticated; who is slower is given up.
const INCOMING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection lives that nothing uses: only gossip's mesh would keep one otherwise.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3600);

impl<B: HostBehaviour> Actor<B> {
    pub(crate) fn new(
        config: Config,
        platform: Platform<B>,
        inbox: mpsc::Receiver<Command>,
        events: broadcast::Sender<Event>,
    ) -> Result<Self, Error> {
        let Platform { keypair, transport, direct, behaviour: mut host, saved, storage, now_ms } = platform;
        let me = keypair.public().to_peer_id();
        let arranges = direct.is_some() && config.role == Role::Peer;
        let (relay_transport, relay_client) = relay::client::new(me);
        let noise =
            noise::Config::new(&keypair).map_err(|error| Error::Setting { name: "key", reason: error.to_string() })?;
        let relayed = relay_transport
            .upgrade(Version::V1Lazy)
            .authenticate(noise)
            .multiplex(yamux::Config::default())
            .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
        // The relay takes whatever has a circuit in it; everything else is the host's.
        let transport = relayed.or_transport(transport).map(|either, _| either.into_inner());
        let transport = TransportTimeout::with_outgoing_timeout(transport, DIAL_TIMEOUT);
        let transport = TransportTimeout::with_ingoing_timeout(transport, INCOMING_TIMEOUT);
        // It goes first: the relay would take a circuit's address and leave out the `/webrtc` behind it. It has a time-out
        // of its own.
        let (direct, signalling) = direct.map(|Direct { transport, behaviour }| (transport, behaviour)).unzip();
        let transport = direct
            .map_or_else(OptionalTransport::none, OptionalTransport::some)
            .or_transport(transport)
            .map(|either, _| either.into_inner());
        let heard = Heard::default();
        host.hears(heard.clone());
        let listens = heard.clone();
        let transport = transport.map(move |(peer, muxer), point| {
            let address = point.get_remote_address();
            (peer, listens.listen(peer, address, muxer))
        });
        let behaviour = Behaviour::new(&config, &keypair, relay_client, signalling, host, &heard)?;
        let control = behaviour.stream.new_control();
        let swarm_config = swarm::Config::with_executor(|task| {
            n0_future::task::spawn(task);
        })
        .with_idle_connection_timeout(IDLE_TIMEOUT);
        let swarm = Swarm::new(transport.boxed(), behaviour, me, swarm_config);
        let (streams, stream_events) = Streams::new(control, config.role == Role::Hub);
        #[allow(clippy::disallowed_methods, reason = "before the actor that reads the clocks exists")]
        let now = Now { instant: Instant::now(), unix_ms: now_ms() };
        let pending = Pending::new(config.limits.queries);
        let mut core = Core::new(config, keypair, swarm.behaviour().host.bridges(), &saved, rand::random(), now);
        if arranges {
            core.arrange_directly();
        }
        let mut actor = Self {
            core,
            now_ms,
            swarm,
            inbox,
            events,
            storage,
            streams,
            stream_events,
            watchers: HashMap::new(),
            hubs: HashMap::new(),
            dials: HashMap::new(),
            listening: Vec::new(),
            listeners: Listeners::default(),
            reservations: HashMap::new(),
            pending,
            publisher: Publisher::default(),
            reap_due: now.instant + REAP_EVERY,
            save_due: None,
            push_due: None,
            stopping: None,
        };
        actor.begin(&saved, arranges)?;
        Ok(actor)
    }

    fn begin(&mut self, saved: &Saved, arranges: bool) -> Result<(), Error> {
        for address in self.core.config().external.clone() {
            self.swarm.add_external_address(address);
        }
        if arranges {
            let address = Multiaddr::from(Protocol::WebRTC);
            self.swarm.listen_on(address.clone()).map_err(|error| Error::Listen {
                address: address.to_string(),
                reason: super::wording::root_cause(&error),
            })?;
        }
        for address in self.core.config().listen.clone() {
            self.listen_on(address.clone()).map_err(|error| Error::Listen {
                address: address.to_string(),
                reason: super::wording::root_cause(&error),
            })?;
        }
        self.load_records(saved);
        let outputs = self.core.take_outputs();
        self.perform(outputs);
        Ok(())
    }
}
