//! What a node says of itself.

use libp2p::Multiaddr;

use super::Actor;
use crate::{Counters, HostBehaviour, NodeInfo, Role, hub::wire, room::sync};

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn counted(&mut self) -> Counters {
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

    pub(super) fn info(&self) -> NodeInfo {
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
