//! This node's own records and the keys that it provides: no stranger can take their places.

use std::collections::BTreeMap;

use libp2p::{
    PeerId,
    kad::{ProviderRecord, Record, RecordKey},
};
use web_time::Instant;

/// A record that was put here.
#[derive(Debug, Clone)]
pub(crate) struct OwnRecord {
    pub(crate) value: Vec<u8>,
    /// When copies of it expire elsewhere.
    pub(crate) expires: Instant,
    /// When it was last published, in unix time; nothing while no other peer has it.
    pub(crate) published_ms: Option<u64>,
    /// Somebody else has published a newer value of this key.
    pub(crate) superseded: bool,
    /// Differs for each PUT of this run.
    pub(crate) generation: u64,
}

/// A key that this node provides.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwnKey {
    /// When others were last told, in unix time.
    pub(crate) published_ms: Option<u64>,
}

/// What was put and is provided here, by key.
#[derive(Debug)]
pub(crate) struct Own {
    me: PeerId,
    pub(super) records: BTreeMap<Vec<u8>, OwnRecord>,
    pub(super) keys: BTreeMap<Vec<u8>, OwnKey>,
    generations: u64,
}

impl Own {
    pub(super) fn new(me: PeerId) -> Self {
        Self { me, records: BTreeMap::new(), keys: BTreeMap::new(), generations: 0 }
    }

    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>, expires: Instant) {
        self.generations += 1;
        let generation = self.generations;
        self.records.insert(key, OwnRecord { value, expires, published_ms: None, superseded: false, generation });
    }

    /// The record that counts here: none that somebody else has replaced.
    pub(super) fn current(&self, key: &RecordKey) -> Option<&OwnRecord> {
        self.records.get(key.as_ref()).filter(|own| !own.superseded)
    }

    /// The same as libp2p-kad has it.
    pub(super) fn record(&self, key: &RecordKey) -> Option<Record> {
        let own = self.current(key)?;
        let (publisher, expires) = (Some(self.me), Some(own.expires));
        Some(Record { key: key.clone(), value: own.value.clone(), publisher, expires })
    }

    /// Keys of records that somebody else has replaced.
    pub(super) fn superseded(&self) -> impl Iterator<Item = RecordKey> {
        self.records.iter().filter(|(_, own)| own.superseded).map(|(key, _)| key.clone().into())
    }

    /// Says whether that is news.
    pub(super) fn set_superseded(&mut self, key: &[u8], superseded: bool) -> bool {
        let own = self.records.get_mut(key).filter(|own| own.superseded != superseded);
        own.map(|own| own.superseded = superseded).is_some()
    }

    pub(super) fn provision(&self, key: &RecordKey) -> Option<ProviderRecord> {
        self.keys.contains_key(key.as_ref()).then(|| ProviderRecord::new(key.clone(), self.me, Vec::new()))
    }

    pub(super) fn provided(&self) -> impl Iterator<Item = ProviderRecord> {
        self.keys.keys().map(|key| ProviderRecord::new(key.clone(), self.me, Vec::new()))
    }
}
