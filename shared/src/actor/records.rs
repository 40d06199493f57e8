//! Records and providers: walks through Kademlia and their ends.

use libp2p::{
    Multiaddr, PeerId,
    kad::{self, GetProvidersOk, GetRecordOk, PutRecordError, QueryId, QueryResult, Quorum},
};

use super::Actor;
use crate::{
    Error, HostBehaviour, ProvideOutcome, PutOutcome,
    command::Reply,
    pending::Query,
    records::{self, Item, Source, Store},
};

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn put(&mut self, key: String, value: Vec<u8>, reply: Reply<Result<PutOutcome, Error>>) {
        let checked = records::key(&key).and_then(|record_key| Ok((record_key, records::value(value)?)));
        let (record_key, value) = match checked {
            Ok(checked) => checked,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let clock = self.record_clock();
        if !self.pending.has_room() || !self.kad().store_mut().put_own(&record_key, value, clock) {
            return drop(reply.send(Err(Error::StoreFull)));
        }
        let now = self.now().instant;
        self.publisher.caller_publishes(Item::Record(record_key.to_vec()), now);
        self.put_everywhere(&record_key, Some((key, reply)));
        self.save_records(now);
    }

    pub(super) fn get(&mut self, key: &str, reply: Reply<Result<Option<Vec<u8>>, Error>>) {
        match records::key(key) {
            Ok(_) if !self.pending.has_room() => drop(reply.send(Err(Error::TimedOut))),
            Ok(key) => {
                if let Some(value) = self.kad().store_mut().own_value(&key).map(<[u8]>::to_vec) {
                    return drop(reply.send(Ok(Some(value))));
                }
                let query = self.kad().get_record(key);
                self.pending.insert(query, Query::Get { reply });
            }
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    pub(super) fn provide(&mut self, key: String, reply: Reply<Result<ProvideOutcome, Error>>) {
        match records::key(&key) {
            Ok(_) if !self.pending.has_room() => drop(reply.send(Err(Error::TimedOut))),
            Ok(record_key) => {
                if self.kad().store_mut().provide(&record_key).is_err() {
                    return drop(reply.send(Err(Error::StoreFull)));
                }
                let now = self.now().instant;
                self.publisher.caller_publishes(Item::Key(record_key.to_vec()), now);
                self.tell_everywhere(record_key, Some((key, reply)));
                self.save_records(now);
            }
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    pub(super) fn providers(&mut self, key: &str, reply: Reply<Result<Vec<PeerId>, Error>>) {
        match records::key(key) {
            Ok(_) if !self.pending.has_room() => drop(reply.send(Err(Error::TimedOut))),
            Ok(key) => {
                let ours = self.kad().store_mut().provides(&key);
                let found = if ours { vec![self.me()] } else { Vec::new() };
                let query = self.kad().get_providers(key);
                self.pending.insert(query, Query::Providers { found, reply });
            }
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    pub(super) fn kad_event(&mut self, event: kad::Event) {
        match event {
            kad::Event::OutboundQueryProgressed { id, result, step, .. } => self.progress(id, result, step.last),
            other => tracing::trace!(?other, "kademlia"),
        }
    }

    /// Lets a connected peer store records and providers here.
    pub(super) fn admit_to_store(&mut self, peer: PeerId, address: &Multiaddr) {
        let source = Source::of(&peer, address, &self.core.config().trusted_proxies);
        self.kad().store_mut().admit(peer, source);
    }

    fn progress(&mut self, id: QueryId, result: QueryResult, last: bool) {
        match result {
            // What breaks a bound is no answer; the next one may be.
            QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(found))) if !records::accepts(&found.record) => {}
            QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(found))) => {
                if self.saw_own(id, &found) {
                    return;
                }
                // The first answer will do; the others need not be waited for.
                if let Some(mut query) = self.kad().query_mut(&id) {
                    query.finish();
                }
                if let Some(Query::Get { reply }) = self.pending.take(&id) {
                    drop(reply.send(Ok(Some(found.record.value))));
                }
            }
            QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })) => {
                if let Some(Query::Providers { found, .. }) = self.pending.query(&id) {
                    found.extend(providers);
                }
                if last {
                    self.end(
                        id,
                        &QueryResult::GetProviders(Ok(GetProvidersOk::FinishedWithNoAdditionalRecord {
                            closest_peers: Vec::new(),
                        })),
                    );
                }
            }
            result if last => self.end(id, &result),
            _ => {}
        }
    }

    fn end(&mut self, id: QueryId, result: &QueryResult) {
        let Some(query) = self.pending.take(&id) else { return };
        match query {
            Query::PutWalk { record, generation, caller } => {
                let peers = self.walked_to(result);
                let record_key = record.key.clone();
                match std::num::NonZeroUsize::try_from(peers.len()) {
                    Ok(quorum) => {
                        let put = self.kad().put_record_to(record, peers.into_iter(), Quorum::N(quorum));
                        let asked = quorum.get();
                        self.pending.insert(put, Query::Put { record_key, generation, asked, caller });
                    }
                    Err(_) => self.put_ended(&record_key, generation, 0, 0, caller),
                }
            }
            Query::Put { record_key, generation, asked, caller } => {
                let stored_on = match result {
                    QueryResult::PutRecord(Err(
                        PutRecordError::QuorumFailed { success, .. } | PutRecordError::Timeout { success, .. },
                    )) => success.len(),
                    // All of them: the quorum was their number.
                    QueryResult::PutRecord(Ok(_)) => asked,
                    _ => 0,
                };
                self.put_ended(&record_key, generation, stored_on, asked, caller);
            }
            Query::Look { record_key, generation, seen } => self.looked(record_key, generation, seen, result),
            Query::Get { reply } => {
                let nothing = !matches!(result, QueryResult::GetRecord(Err(kad::GetRecordError::Timeout { .. })));
                drop(reply.send(if nothing { Ok(None) } else { Err(Error::TimedOut) }));
            }
            Query::ProvideWalk { record_key, caller } => {
                let told = u32::try_from(self.walked_to(result).len()).unwrap_or(u32::MAX);
                match self.kad().start_providing(record_key.clone()) {
                    Ok(query) => self.pending.insert(query, Query::Provide { record_key, told, caller }),
                    Err(_) => self.told(record_key, Err(Error::StoreFull), caller),
                }
            }
            Query::Provide { record_key, told, caller } => self.told(record_key, Ok(told), caller),
            Query::Providers { mut found, reply } => {
                found.sort();
                found.dedup();
                drop(reply.send(Ok(found)));
            }
        }
    }

    /// The peers a walk ended at, as far as it came.
    fn walked_to(&self, result: &QueryResult) -> Vec<PeerId> {
        let peers = match result {
            QueryResult::GetClosestPeers(Ok(found)) => found.peers.as_slice(),
            QueryResult::GetClosestPeers(Err(kad::GetClosestPeersError::Timeout { peers, .. })) => peers.as_slice(),
            _ => &[],
        };
        let me = self.me();
        peers.iter().map(|peer| peer.peer_id).filter(|peer| *peer != me).collect()
    }

    pub(super) fn kad(&mut self) -> &mut kad::Behaviour<Store> {
        &mut self.swarm.behaviour_mut().kad.inner
    }
}
