//! What callers ask that the swarm knows; the rest is the core's.

use libp2p::Multiaddr;

use super::Actor;
use crate::{Counters, HostBehaviour, NodeInfo, Role, command::Command, core::Input, hub::wire, room::sync};

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn command(&mut self, command: Command) {
        // A reply that cannot be delivered belongs to a caller that no longer waits.
        match command {
            Command::Info { reply } => drop(reply.send(self.info())),
            Command::Put { key, value, reply } => self.put(key, value, reply),
            Command::Get { key, reply } => self.get(&key, reply),
            Command::Provide { key, reply } => self.provide(key, reply),
            Command::Providers { key, reply } => self.providers(&key, reply),
            Command::Counters { reply } => drop(reply.send(self.counted())),
            Command::Shutdown { reply } => self.stopping = Some(reply),
            command => self.handle(Input::Command(command)),
        }
    }

    fn counted(&mut self) -> Counters {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (records_refused, records_displaced) = self.kad().store_mut().turned_away();
        let counted = self.core.counted();
        Counters {
            records: number(self.kad().store_mut().count()),
            records_refused,
            records_displaced,
            queries: number(self.pending.len()),
            queries_refused: self.pending.refused(),
            ..counted
        }
    }

    fn info(&self) -> NodeInfo {
        let (me, config) = (self.me(), self.core.config());
        let with_id = |address: &Multiaddr| address.clone().with_p2p(me).unwrap_or_else(|address| address);
        let external: Vec<Multiaddr> = config.external.iter().map(with_id).collect();
        let mut addresses: Vec<Multiaddr> =
            external.iter().cloned().chain(self.listening.iter().map(with_id)).collect();
        addresses.dedup();
        let own = [wire::PROTOCOL.to_string()].into_iter().filter(|_| config.role == Role::Hub);
        let common = [sync::PROTOCOL.to_string(), config.kad_protocol.clone(), "/meshsub/1.2.0".to_owned()];
        NodeInfo {
            peer_id: me,
            addresses,
            external,
            agent: config.agent.clone(),
            protocols: own.chain(common).collect(),
            nick: self.core.nick().to_owned(),
        }
    }
}
