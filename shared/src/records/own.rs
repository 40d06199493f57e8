//! This node's own records and the keys that it provides: no stranger can take their places.

use std::collections::HashMap;

use libp2p::{
    PeerId,
    kad::{ProviderRecord, Record, RecordKey},
};
use web_time::Instant;

/// A record that was put here.
#[derive(Debug)]
pub(crate) struct OwnRecord {
    pub(crate) record: Record,
    /// When copies of it expire elsewhere.
    pub(crate) expires: Instant,
    /// Somebody else has published a newer value of this key.
    pub(crate) superseded: bool,
}

/// What was put and is provided here.
#[derive(Debug)]
pub(crate) struct Own {
    me: PeerId,
    records: HashMap<RecordKey, OwnRecord>,
    keys: HashMap<RecordKey, ProviderRecord>,
}

impl Own {
    pub(crate) fn new(me: PeerId) -> Self {
        Self { me, records: HashMap::new(), keys: HashMap::new() }
    }

    pub(crate) fn put(&mut self, key: RecordKey, value: Vec<u8>, expires: Instant) {
        let record = Record { key: key.clone(), value, publisher: Some(self.me), expires: None };
        self.records.insert(key, OwnRecord { record, expires, superseded: false });
    }

    /// The record that counts here: none that somebody else has replaced.
    pub(crate) fn current(&self, key: &RecordKey) -> Option<&OwnRecord> {
        self.records.get(key).filter(|own| !own.superseded)
    }

    pub(crate) fn set_superseded(&mut self, key: &RecordKey, superseded: bool) {
        if let Some(own) = self.records.get_mut(key) {
            own.superseded = superseded;
        }
    }

    pub(crate) fn has(&self, key: &RecordKey) -> bool {
        self.records.contains_key(key)
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &OwnRecord> {
        self.records.values()
    }

    pub(crate) fn count(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn provide(&mut self, key: &RecordKey) {
        self.keys.insert(key.clone(), ProviderRecord::new(key.clone(), self.me, Vec::new()));
    }

    pub(crate) fn provided(&self) -> impl Iterator<Item = &ProviderRecord> {
        self.keys.values()
    }

    pub(crate) fn provision(&self, key: &RecordKey) -> Option<&ProviderRecord> {
        self.keys.get(key)
    }

    pub(crate) fn provided_count(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn stop_providing(&mut self, key: &RecordKey) {
        self.keys.remove(key);
    }
}
