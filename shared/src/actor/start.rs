//! From settings and platform to an actor that is about to run.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use libp2p::{
    Transport,
    core::{muxing::StreamMuxerBox, transport::timeout::TransportTimeout, upgrade::Version},
    noise, relay,
    swarm::{self, Swarm},
    yamux,
};
use n0_future::time::Instant;
use tokio::sync::{broadcast, mpsc};

use super::{Actor, EXPIRE_EVERY};
use crate::{
    Change, Config, Counters, Error, Event, HostBehaviour, Platform, Role,
    access::Access,
    behaviour::Behaviour,
    bridge::Bridge,
    command::Command,
    config::DEFAULT_NICK,
    foreign::Budget,
    hub::{carrier::Carrier, desk::Desk, looks::Looks, members::Members, reasons::Reasons},
    links::Links,
    listeners::Listeners,
    pending::Pending,
    records::Publisher,
    room,
    streams::Streams,
};

/// How long one address of a dial may take, with the look-up of its name and its wait for other addresses. Hosts give up
/// sooner what does not answer; this ends what they forgot.
const DIAL_TIMEOUT: Duration = Duration::from_secs(20);
/// Until an incoming connection is authenticated; who is slower is given up.
const INCOMING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection lives that nothing uses: only gossip's mesh would keep one otherwise.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3600);
/// Where the nick is stored.
pub(super) const NICK: &str = "nick";

impl<B: HostBehaviour> Actor<B> {
    pub(crate) fn new(
        config: Config,
        platform: Platform<B>,
        inbox: mpsc::Receiver<Command>,
        events: broadcast::Sender<Event>,
    ) -> Result<Self, Error> {
        let Platform { keypair, transport, behaviour: host, saved, storage, now_ms } = platform;
        let me = keypair.public().to_peer_id();
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
        let transport = TransportTimeout::with_ingoing_timeout(transport, INCOMING_TIMEOUT).boxed();
        let behaviour = Behaviour::new(&config, &keypair, relay_client, host)?;
        let control = behaviour.stream.new_control();
        let swarm_config = swarm::Config::with_executor(|task| {
            n0_future::task::spawn(task);
        })
        .with_idle_connection_timeout(IDLE_TIMEOUT);
        let swarm = Swarm::new(transport, behaviour, me, swarm_config);
        let (streams, inputs) = Streams::new(control, config.role == Role::Hub);
        let stored_nick = saved.get(NICK).and_then(|nick| String::from_utf8(nick.clone()).ok());
        let stored_nick = stored_nick.filter(|nick| crate::text::check_nick(nick).is_ok());
        let nick = config.nick.clone().or(stored_nick).unwrap_or_else(|| DEFAULT_NICK.to_owned());
        let access = Access::new(config.deny.iter().copied(), config.limits.offences, config.limits.refuse_for);
        #[allow(clippy::disallowed_methods, reason = "before the actor that reads the clocks exists")]
        let expire_due = Instant::now() + EXPIRE_EVERY;
        let mut actor = Self {
            me,
            nick,
            now_ms,
            swarm,
            inbox,
            events,
            storage,
            streams,
            inputs,
            listening: Vec::new(),
            listeners: Listeners::default(),
            peers: BTreeMap::new(),
            rooms: BTreeMap::new(),
            stored: BTreeMap::new(),
            described: HashMap::new(),
            patience: super::patience::Patience::default(),
            changed: BTreeSet::new(),
            members: if config.role == Role::Hub { Members::of_hub() } else { Members::default() },
            looks: Looks::default(),
            desk: Desk::new(me),
            tell_due: None,
            watchers: HashMap::new(),
            carrier: Carrier::default(),
            bridge: Bridge::default(),
            foreign: Budget::default(),
            hubs: HashMap::new(),
            reasons: Reasons::default(),
            asking: HashMap::new(),
            unasked: BTreeSet::new(),
            resyncs: BTreeMap::new(),
            gaps: HashMap::new(),
            unmerged: VecDeque::new(),
            wanted: HashMap::new(),
            slow: HashMap::new(),
            access,
            refusals: Vec::new(),
            pardons: Vec::new(),
            counters: Counters::default(),
            links: Links::new(config.limits.known_hubs),
            finds: super::dials::Finds::default(),
            pending: Pending::new(config.limits.queries),
            publisher: Publisher::default(),
            save_due: None,
            status: None,
            expire_due,
            stopping: None,
            keypair,
            config,
        };
        actor.begin(&saved)?;
        Ok(actor)
    }

    fn begin(&mut self, saved: &crate::Saved) -> Result<(), Error> {
        self.apply_denials();
        for address in self.config.external.clone() {
            self.swarm.add_external_address(address);
        }
        for address in self.config.listen.clone() {
            self.listen_on(address.clone()).map_err(|error| Error::Listen {
                address: address.to_string(),
                reason: super::wording::root_cause(&error),
            })?;
        }
        let now = self.now();
        for address in self.config.bootstrap.clone() {
            self.links.add(vec![address], now.instant);
        }
        if self.config.nick.is_some() {
            self.store(vec![Change { key: NICK.to_owned(), value: Some(self.nick.clone().into_bytes()) }]);
        }
        self.load_records(saved);
        self.restore_rooms(room::load(saved));
        Ok(())
    }
}
