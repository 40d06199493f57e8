//! The record store: decides what is kept of what others put and provide, and keeps one's own.
//!
//! libp2p-kad acknowledges a PUT when `RecordStore::put` succeeds and else ends the stream without an answer, so what
//! is acknowledged is stored. Everything that a stranger's record has to pass is asked in that one call.

use std::collections::HashMap;

use libp2p::{
    Multiaddr, PeerId,
    kad::{
        ProviderRecord, Record, RecordKey,
        store::{Error, Result},
    },
    multiaddr::Protocol,
};
use web_time::Instant;

use super::{
    bounds::{RECORD_TTL, accepts, accepts_provider, cut_addresses},
    clock::Clock,
    held::HeldRecords,
    journal::{Entry, Journal},
    own::{Own, OwnKey, OwnRecord},
    places::Source,
    providers::{HeldProviders, ProviderId},
    publisher::Item,
};
use crate::Limits;

/// Places in the record store that strangers cannot fill; at most half of all.
pub(crate) const OWN_RECORDS: usize = 256;
/// The same for the keys that this node provides.
pub(crate) const OWN_PROVIDED_KEYS: usize = 256;
/// Provider records kept for each of `provided_keys`, on average.
const PROVIDERS_PER_KEY: usize = 4;

/// Records and provider records, of this node and of others.
#[derive(Debug)]
pub(crate) struct Store {
    me: PeerId,
    max_records: usize,
    max_keys: usize,
    pub(super) own: Own,
    pub(super) held: HeldRecords,
    pub(super) providers: HeldProviders,
    pub(super) journal: Journal,
    /// Peers that may store, and whom their records are counted with.
    admitted: HashMap<PeerId, Source>,
    /// Whose request is being answered.
    asking: Option<PeerId>,
    refused: u64,
    displaced: u64,
}

impl Store {
    pub(crate) fn new(me: PeerId, limits: &Limits) -> Self {
        let (max_records, max_keys) = (limits.records, limits.provided_keys);
        let mut store = Self {
            me,
            max_records,
            max_keys,
            own: Own::new(me),
            held: HeldRecords::new(me, max_records),
            providers: HeldProviders::new(me, max_keys),
            journal: Journal::default(),
            admitted: HashMap::new(),
            asking: None,
            refused: 0,
            displaced: 0,
        };
        store.make_place();
        store
    }

    /// Lets a connected peer store from now on.
    pub(crate) fn admit(&mut self, peer: PeerId, source: Source) {
        self.admitted.entry(peer).or_insert(source);
    }

    /// The peer has gone, or may not stay.
    pub(crate) fn dismiss(&mut self, peer: &PeerId) {
        self.admitted.remove(peer);
    }

    pub(super) fn set_asking(&mut self, peer: Option<PeerId>) {
        self.asking = peer;
    }

    /// Stores one's own record. False when there are too many of one's own.
    pub(crate) fn put_own(&mut self, key: &RecordKey, value: Vec<u8>, clock: Clock) -> bool {
        let known = self.own.records.contains_key(key.as_ref());
        if !known && self.own.records.len() >= self.max_records {
            return false;
        }
        self.own.put(key.to_vec(), value, clock.instant + RECORD_TTL);
        self.journal.changed(Entry::OwnRecord(key.to_vec()));
        self.forget(key);
        self.make_place();
        true
    }

    /// One's own record, also when somebody else has replaced it.
    pub(crate) fn own_record(&self, key: &RecordKey) -> Option<&OwnRecord> {
        self.own.records.get(key.as_ref())
    }

    /// Others have one's own record now. False when another value was put here meanwhile.
    pub(crate) fn record_published(&mut self, key: &RecordKey, generation: u64, clock: Clock) -> bool {
        let own = self.own.records.get_mut(key.as_ref()).filter(|own| own.generation == generation);
        let Some(own) = own else { return false };
        (own.published_ms, own.expires) = (Some(clock.unix_ms), clock.instant + RECORD_TTL);
        self.journal.changed(Entry::OwnRecord(key.to_vec()));
        true
    }

    /// All that is to be published.
    pub(crate) fn own_items(&self) -> Vec<Item> {
        let records = self.own.records.keys().cloned().map(Item::Record);
        records.chain(self.own.keys.keys().cloned().map(Item::Key)).collect()
    }

    /// Others were told that this node provides a key.
    pub(crate) fn key_published(&mut self, key: &RecordKey, clock: Clock) {
        if let Some(own) = self.own.keys.get_mut(key.as_ref()) {
            own.published_ms = Some(clock.unix_ms);
            self.journal.changed(Entry::OwnKey(key.to_vec()));
        }
    }

    /// Whether somebody else's value stands before one's own.
    pub(crate) fn set_superseded(&mut self, key: &RecordKey, superseded: bool) {
        if self.own.set_superseded(key.as_ref(), superseded) {
            self.journal.changed(Entry::OwnRecord(key.to_vec()));
        }
    }

    /// The value of one's own record, unless somebody else has replaced it.
    pub(crate) fn own_value(&self, key: &RecordKey) -> Option<&[u8]> {
        self.own.current(key).map(|own| own.value.as_slice())
    }

    /// Whether a record of somebody else is held under this key. Beside one's own it is a newer one.
    pub(crate) fn holds(&self, key: &RecordKey) -> bool {
        self.held.get(key).is_some()
    }

    pub(crate) fn provides(&self, key: &RecordKey) -> bool {
        self.own.keys.contains_key(key.as_ref())
    }

    /// Records of this node and of others.
    pub(crate) fn count(&self) -> usize {
        self.own.records.len() + self.held.values().len()
    }

    /// Records and provider records of others that were not taken, and that lost their place to others.
    pub(crate) fn turned_away(&self) -> (u64, u64) {
        (self.refused, self.displaced)
    }

    /// Removes what has expired.
    pub(crate) fn reap(&mut self, now: Instant) {
        let (records, providers) = (self.held.reap(now), self.providers.reap(now));
        self.gone(&records, &providers);
    }

    /// Strangers have the places that one's own and the kept ones leave.
    pub(super) fn make_place(&mut self) {
        let left = |all: usize, kept: usize, own: usize| all.saturating_sub(own.max(kept.min(all / 2)));
        let records = left(self.max_records, OWN_RECORDS, self.own.records.len());
        let keys = left(self.max_keys, OWN_PROVIDED_KEYS, self.own.keys.len());
        let records = self.held.set_max(records);
        let providers = self.providers.set_max(keys * PROVIDERS_PER_KEY);
        self.displace(&records, &providers);
    }

    pub(super) fn displace(&mut self, records: &[RecordKey], providers: &[ProviderId]) {
        self.displaced += (records.len() + providers.len()) as u64;
        self.gone(records, providers);
    }

    pub(super) fn gone(&mut self, records: &[RecordKey], providers: &[ProviderId]) {
        for key in records {
            // Nobody else's value stands before ours any longer.
            self.set_superseded(key, false);
            self.journal.gone(Entry::Record(key.to_vec()));
        }
        for (key, provider) in providers {
            self.journal.gone(Entry::Provider(key.to_vec(), *provider));
        }
    }

    /// Drops what others put.
    pub(super) fn forget(&mut self, key: &RecordKey) {
        if self.held.remove(key).is_some() {
            self.gone(std::slice::from_ref(key), &[]);
        }
    }

    fn source(&self) -> Option<(PeerId, Source)> {
        let peer = self.asking?;
        Some((peer, self.admitted.get(&peer)?.clone()))
    }

    /// Whether this node is the provider.
    pub(super) fn is_own(&self, record: &ProviderRecord) -> bool {
        record.provider == self.me
    }

    pub(super) fn count_refused(&mut self, taken: Result<()>) -> Result<()> {
        self.refused += u64::from(taken.is_err());
        taken
    }

    pub(super) fn take(&mut self, record: Record) -> Result<()> {
        if !accepts(&record) {
            return Err(Error::ValueTooLarge);
        }
        let (peer, source) = self.source().ok_or(Error::MaxRecords)?;
        let from_publisher = record.publisher == Some(peer);
        let key = record.key.clone();
        if let Some(own) = self.own.current(&key) {
            if own.value == record.value {
                return Ok(());
            }
            if !from_publisher && record.expires < Some(own.expires) {
                return Err(Error::MaxRecords);
            }
        }
        let gone = self.held.put(record, source, from_publisher).ok_or(Error::MaxRecords)?;
        self.displace(&gone, &[]);
        self.journal.changed(Entry::Record(key.to_vec()));
        self.set_superseded(&key, true);
        Ok(())
    }

    pub(super) fn take_provider(&mut self, mut record: ProviderRecord) -> Result<()> {
        let (_, source) = self.source().ok_or(Error::MaxProvidedKeys)?;
        if !accepts_provider(&record) {
            return Err(Error::MaxProvidedKeys);
        }
        cut_addresses(&mut record);
        if record.addresses.is_empty() {
            // Kademlia never tells of a provider without an address, as a page is: it is found through us.
            record.addresses.push(Multiaddr::empty().with(Protocol::P2p(self.me)).with(Protocol::P2pCircuit));
        }
        let entry = Entry::Provider(record.key.to_vec(), record.provider);
        let gone = self.providers.add(record, source).ok_or(Error::MaxProvidedKeys)?;
        self.displace(&[], &gone);
        self.journal.changed(entry);
        Ok(())
    }

    /// Keeps that this node provides a key.
    pub(crate) fn provide(&mut self, key: &RecordKey) -> Result<()> {
        if self.provides(key) {
            return Ok(());
        }
        if self.own.keys.len() >= self.max_keys {
            return Err(Error::MaxProvidedKeys);
        }
        self.own.keys.insert(key.to_vec(), OwnKey::default());
        self.journal.changed(Entry::OwnKey(key.to_vec()));
        self.make_place();
        Ok(())
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
