//! One's own records and keys: published when there is somebody to keep them, and stored for the next run.
//!
//! What others have of a record is asked before it is published again: somebody may have put a newer value, which must
//! not be replaced by an old one only because its publisher came back.

use std::time::Duration;

use libp2p::kad::{GetRecordError, GetRecordOk, PeerRecord, QueryId, QueryResult, Record, RecordKey};
use n0_future::time::Instant;

use super::Actor;
use crate::{
    Error, HostBehaviour, ProvideOutcome, PutOutcome, Saved,
    behaviour::replication,
    pending::{Caller, Query, Seen},
    records::{Clock, Item},
};

/// How old a published record may become until it is published again: others keep it for 48 h.
const REPUBLISH_RECORDS: Duration = Duration::from_secs(22 * 3600);
/// The same for keys that this node provides.
const REPUBLISH_KEYS: Duration = Duration::from_secs(12 * 3600);
/// Times to live are told in whole seconds: of values put that close together, that of somebody else stays.
const SAME_TIME: Duration = Duration::from_secs(2);
/// Changes of others' records are gathered for so long before they are written.
const SAVE_EVERY: Duration = Duration::from_millis(500);

impl<B: HostBehaviour> Actor<B> {
    /// Takes what earlier runs stored.
    pub(super) fn load_records(&mut self, saved: &Saved) {
        let (now, clock) = (self.now().instant, self.record_clock());
        let useless = self.kad().store_mut().load(saved, clock);
        if !useless.is_empty() {
            self.storage.write(useless);
        }
        for item in self.kad().store_mut().own_items() {
            self.publisher.add(item, now);
        }
    }

    /// Looks at what is due to be published.
    pub(super) fn publish_due(&mut self, now: Instant) {
        while let Some(item) = self.publisher.next(now) {
            match item {
                Item::Record(key) => self.publish_record(key.into(), now),
                Item::Key(key) => self.tell_everywhere(key.into(), None),
            }
        }
    }

    fn publish_record(&mut self, key: RecordKey, now: Instant) {
        let store = self.kad().store_mut();
        let newer = store.holds(&key);
        let Some(own) = store.own_record(&key) else {
            self.publisher.look_ended();
            return self.publisher.failed(Item::Record(key.to_vec()), now);
        };
        if own.published_ms.is_none() && !newer {
            // Put while nobody was there: nobody has it yet, and others' values are older.
            return self.put_everywhere(&key, None);
        }
        let generation = own.generation;
        let look = self.kad().get_record(key.clone());
        let seen = Seen { newer, ..Seen::default() };
        self.pending.insert(look, Query::Look { record_key: key, generation, seen });
    }

    /// Puts one's own record to the peers closest to its key.
    pub(super) fn put_everywhere(&mut self, key: &RecordKey, caller: Caller<PutOutcome>) {
        let me = self.me();
        let Some(own) = self.kad().store_mut().own_record(key) else { return };
        let record = Record { key: key.clone(), value: own.value.clone(), publisher: Some(me), expires: None };
        let generation = own.generation;
        let walk = self.kad().get_n_closest_peers(key.to_vec(), replication());
        self.pending.insert(walk, Query::PutWalk { record, generation, caller });
    }

    /// Tells the peers closest to a key that this node provides it.
    pub(super) fn tell_everywhere(&mut self, record_key: RecordKey, caller: Caller<ProvideOutcome>) {
        let walk = self.kad().get_n_closest_peers(record_key.to_vec(), replication());
        self.pending.insert(walk, Query::ProvideWalk { record_key, caller });
    }

    pub(super) fn put_ended(
        &mut self,
        key: &RecordKey,
        generation: u64,
        stored_on: usize,
        asked: usize,
        caller: Caller<PutOutcome>,
    ) {
        let (now, clock) = (self.now().instant, self.record_clock());
        if caller.is_none() {
            self.publisher.look_ended();
        }
        let item = Item::Record(key.to_vec());
        if stored_on > 0 && self.kad().store_mut().record_published(key, generation, clock) {
            self.publisher.succeeded(item, REPUBLISH_RECORDS, now);
        } else {
            self.publisher.failed(item, now);
        }
        self.save_records(now);
        if let Some((key, reply)) = caller {
            let [stored_on, asked] = [stored_on, asked].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
            drop(reply.send(Ok(PutOutcome { key, stored_on, asked, local: true })));
        }
    }

    pub(super) fn told(&mut self, key: RecordKey, told: Result<u32, Error>, caller: Caller<ProvideOutcome>) {
        let (now, clock) = (self.now().instant, self.record_clock());
        if caller.is_none() {
            self.publisher.look_ended();
        }
        let item = Item::Key(key.to_vec());
        if told.as_ref().is_ok_and(|told| *told > 0) {
            self.kad().store_mut().key_published(&key, clock);
            self.publisher.succeeded(item, REPUBLISH_KEYS, now);
        } else {
            self.publisher.failed(item, now);
        }
        self.save_records(now);
        if let Some((key, reply)) = caller {
            drop(reply.send(told.map(|told| ProvideOutcome { key, told })));
        }
    }

    /// Whether an answer was looked for by this node itself; then it is noted.
    pub(super) fn saw_own(&mut self, id: QueryId, found: &PeerRecord) -> bool {
        let me = self.me();
        let store = self.swarm.behaviour_mut().kad.inner.store_mut();
        let Some(Query::Look { record_key, generation, seen }) = self.pending.query(&id) else { return false };
        let own = store.own_record(record_key).filter(|own| own.generation == *generation);
        // From the network only, and of this key.
        if let Some(own) = own.filter(|_| found.peer.is_some() && found.record.key == *record_key) {
            let record = &found.record;
            // What says no time was put by another program: its value is left alone.
            let later = record.expires.is_none_or(|expires| expires + SAME_TIME > own.expires);
            let is_newer = record.publisher != Some(me) && later;
            match record.value == own.value {
                true => seen.same = true,
                false if is_newer => seen.newer = true,
                false => seen.older = true,
            }
        }
        true
    }

    /// Every peer close to the key has said what it has of one's own record.
    pub(super) fn looked(&mut self, key: RecordKey, generation: u64, seen: Seen, result: &QueryResult) {
        let (now, clock) = (self.now().instant, self.record_clock());
        let lacking = match result {
            QueryResult::GetRecord(Ok(GetRecordOk::FinishedWithNoAdditionalRecord { cache_candidates })) => {
                !cache_candidates.is_empty()
            }
            QueryResult::GetRecord(Err(GetRecordError::Timeout { .. })) => false,
            _ => true,
        };
        let own = self.kad().store_mut().own_record(&key).filter(|own| own.generation == generation);
        let age = own.map(|own| own.published_ms.map(|published_ms| clock.since(published_ms)));
        let item = Item::Record(key.to_vec());
        let Some(age) = age else {
            // Put anew meanwhile, by a caller who also publishes it.
            self.publisher.look_ended();
            return self.publisher.failed(item, now);
        };
        self.kad().store_mut().set_superseded(&key, seen.newer);
        let there = seen.same && !seen.older && !lacking;
        let again = match age.map(|age| REPUBLISH_RECORDS.saturating_sub(age)) {
            _ if seen.newer => REPUBLISH_RECORDS,
            Some(left) if there && !left.is_zero() => left,
            _ => return self.put_everywhere(&key, None),
        };
        self.publisher.look_ended();
        self.publisher.succeeded(item, again, now);
        self.save_records(now);
    }

    /// Writes what has changed in the record store.
    pub(super) fn save_records(&mut self, now: Instant) {
        let clock = self.record_clock();
        let changes = self.kad().store_mut().changes(clock);
        if !changes.is_empty() {
            self.storage.write(changes);
        }
        self.save_due = self.kad().store_mut().has_changes().then_some(now + SAVE_EVERY);
    }

    /// Sees to it that what has changed is written soon.
    pub(super) fn save_soon(&mut self, now: Instant) {
        if self.save_due.is_some_and(|due| due <= now) {
            self.save_records(now);
        } else if self.save_due.is_none() && self.kad().store_mut().has_changes() {
            self.save_due = Some(now + SAVE_EVERY);
        }
    }

    pub(super) fn reap_records(&mut self) {
        let now = self.record_clock().instant;
        self.kad().store_mut().reap(now);
    }

    #[allow(clippy::disallowed_methods, reason = "records expire by the clock of libp2p-kad")]
    pub(super) fn record_clock(&self) -> Clock {
        Clock { instant: web_time::Instant::now(), unix_ms: (self.now_ms)() }
    }
}
