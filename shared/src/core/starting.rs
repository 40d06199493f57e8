//! A core begins, with what an earlier run stored.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::identity::Keypair;
use rand::{SeedableRng, rngs::SmallRng};

use super::*;

impl Core {
    /// A node that is about to start, with what an earlier run stored.
    pub(crate) fn new(config: Config, keypair: Keypair, bridges: bool, saved: &Saved, seed: u64, now: Now) -> Self {
        let me = keypair.public().to_peer_id();
        let stored_nick = saved.get(NICK).and_then(|nick| String::from_utf8(nick.clone()).ok());
        let stored_nick = stored_nick.filter(|nick| crate::text::check_nick(nick).is_ok());
        let nick = config.nick.clone().or(stored_nick).unwrap_or_else(|| DEFAULT_NICK.to_owned());
        let access = Access::new(config.deny.iter().copied(), config.limits.offences, config.limits.refuse_for);
        let mut core = Self {
            me,
            nick,
            bridges,
            own_ips: Vec::new(),
            now,
            rng: SmallRng::seed_from_u64(seed),
            out: Vec::new(),
            peers: Peers::default(),
            subscriptions: Subscriptions::default(),
            links: Links::new(config.limits.known_hubs),
            dials: Dials::default(),
            doubles: Doubles::default(),
            direct: Direct::default(),
            arranges: false,
            rooms: BTreeMap::new(),
            stored: BTreeMap::new(),
            described: BTreeMap::new(),
            changed: BTreeSet::new(),
            touched: BTreeSet::new(),
            room_timers: Timers::default(),
            patience: Patience::default(),
            members: Members::default(),
            looks: Looks::default(),
            desk: Desk::new(me),
            watchers: Watchers::default(),
            carrier: Carrier::default(),
            recarry: false,
            bridge: Bridge::default(),
            attending: BTreeSet::new(),
            foreign: Budget::default(),
            hubs: BTreeMap::new(),
            serial: 0,
            reasons: Reasons::default(),
            syncs: Syncs::default(),
            access,
            budgets: Budgets::new(&config.trusted_proxies),
            refusals: Refusals::default(),
            clock: Clock::new(now, None),
            counters: Counters::default(),
            status: None,
            expire_due: now.instant + EXPIRE_EVERY,
            keypair,
            config,
        };
        core.begin(saved);
        core
    }

    fn begin(&mut self, saved: &Saved) {
        self.apply_denials();
        for address in self.config.bootstrap.clone() {
            self.links.add(vec![address], self.now.instant);
        }
        if self.config.nick.is_some() {
            self.store(vec![Change { key: NICK.to_owned(), value: Some(self.nick.clone().into_bytes()) }]);
        }
        let rooms = room::load(saved);
        let newest_ms = rooms.values().flat_map(|room| &room.frames).map(|frame| frame.time_ms).max();
        self.clock = Clock::new(self.now, newest_ms);
        self.restore_rooms(rooms);
        self.turn(true);
    }
}
