//! Records that others put here.

use std::collections::{HashMap, hash_map};

use libp2p::{
    PeerId,
    kad::{KBucketDistance as Distance, KBucketKey, Record, RecordKey},
};
use web_time::Instant;

use super::places::{Places, Source};

/// A record and whom it is counted with.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) record: Record,
    pub(crate) source: Source,
}

/// Within a bound: of too many those go that [`Places`] names.
#[derive(Debug)]
pub(crate) struct HeldRecords {
    me: KBucketKey<PeerId>,
    held: HashMap<RecordKey, Held>,
    places: Places<Vec<u8>>,
    max: usize,
}

impl HeldRecords {
    pub(crate) fn new(me: PeerId, max: usize) -> Self {
        Self { me: me.into(), held: HashMap::new(), places: Places::default(), max }
    }

    /// Takes a record; answers with those that lost their places to it, or with nothing when it is not kept.
    ///
    /// A copy that somebody hands on does not replace a newer value. What expires later was published later, since
    /// every publication gives a record its whole time to live and handing it on does not prolong that.
    pub(crate) fn put(&mut self, record: Record, source: Source, from_publisher: bool) -> Option<Vec<RecordKey>> {
        let key = record.key.clone();
        if let Some(old) = self.held.get_mut(&key) {
            if old.record.value == record.value {
                old.record.expires = old.record.expires.max(record.expires);
                old.record.publisher = record.publisher;
                return Some(Vec::new());
            }
            if !from_publisher && record.expires < old.record.expires {
                return None;
            }
        }
        // A newer value needs no further place.
        self.remove(&key);
        self.places.insert(&source, self.distance(&key), key.to_vec());
        self.held.insert(key.clone(), Held { record, source });
        let gone = self.shrink();
        (!gone.contains(&key)).then_some(gone)
    }

    /// Changes the bound; answers with what lost its place.
    pub(crate) fn set_max(&mut self, max: usize) -> Vec<RecordKey> {
        self.max = max;
        self.shrink()
    }

    fn shrink(&mut self) -> Vec<RecordKey> {
        let mut gone = Vec::new();
        while self.places.taken() > self.max
            && let Some(key) = self.places.first_to_go()
        {
            let key = RecordKey::from(key);
            self.remove(&key);
            gone.push(key);
        }
        gone
    }

    pub(crate) fn remove(&mut self, key: &RecordKey) -> Option<Held> {
        let held = self.held.remove(key)?;
        self.places.remove(&held.source, self.distance(key), key.to_vec());
        Some(held)
    }

    /// Removes what has expired, and answers with its keys.
    pub(crate) fn reap(&mut self, now: Instant) -> Vec<RecordKey> {
        let expired = |held: &&Held| held.record.is_expired(now);
        let gone: Vec<_> = self.held.values().filter(expired).map(|held| held.record.key.clone()).collect();
        for key in &gone {
            self.remove(key);
        }
        gone
    }

    pub(crate) fn get(&self, key: &RecordKey) -> Option<&Held> {
        self.held.get(key)
    }

    pub(crate) fn values(&self) -> hash_map::Values<'_, RecordKey, Held> {
        self.held.values()
    }

    fn distance(&self, key: &RecordKey) -> Distance {
        KBucketKey::new(key.clone()).distance(&self.me)
    }
}
