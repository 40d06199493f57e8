//! The record store: decides what is kept of what others put and provide, and keeps one's own.
//!
//! libp2p-kad acknowledges a PUT when [`RecordStore::put`] succeeds and else ends the stream without an answer, so what
//! is acknowledged is stored. Everything that a stranger's record has to pass is asked in that one call.

use std::{borrow::Cow, collections::HashMap};

use libp2p::{
    Multiaddr, PeerId,
    kad::{
        ProviderRecord, Record, RecordKey,
        store::{Error, RecordStore, Result},
    },
    multiaddr::Protocol,
};
use web_time::Instant;

use super::{
    accepts, accepts_provider, cut_addresses,
    held::{Held, HeldRecords},
    own::{Own, OwnRecord},
    places::Source,
    providers::{HeldProvider, HeldProviders},
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
    own: Own,
    held: HeldRecords,
    providers: HeldProviders,
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

    /// Stores one's own record. `expires` is when copies of it that are published now expire. False when there are too
    /// many of one's own.
    pub(crate) fn put_own(&mut self, key: &RecordKey, value: Vec<u8>, expires: Instant) -> bool {
        if !self.own.has(key) && self.own.count() >= self.max_records {
            return false;
        }
        self.own.put(key.clone(), value, expires);
        self.held.remove(key);
        self.make_place();
        true
    }

    /// The value of one's own record, unless somebody else has replaced it.
    pub(crate) fn own_value(&self, key: &RecordKey) -> Option<&[u8]> {
        self.own.current(key).map(|own| own.record.value.as_slice())
    }

    pub(crate) fn provides(&self, key: &RecordKey) -> bool {
        self.own.provision(key).is_some()
    }

    /// Records of this node and of others.
    pub(crate) fn count(&self) -> usize {
        self.own.count() + self.held.values().len()
    }

    /// Records and provider records of others that were not taken, and that lost their place to others.
    pub(crate) fn turned_away(&self) -> (u64, u64) {
        (self.refused, self.displaced)
    }

    /// Removes what has expired.
    pub(crate) fn reap(&mut self, now: Instant) {
        for key in self.held.reap(now) {
            self.own.set_superseded(&key, false);
        }
        self.providers.reap(now);
    }

    /// Strangers have the places that one's own and the kept ones leave.
    fn make_place(&mut self) {
        let left = |all: usize, kept: usize, own: usize| all.saturating_sub(own.max(kept.min(all / 2)));
        let records = left(self.max_records, OWN_RECORDS, self.own.count());
        let keys = left(self.max_keys, OWN_PROVIDED_KEYS, self.own.provided_count());
        let gone = self.held.set_max(records);
        let gone_providers = self.providers.set_max(keys * PROVIDERS_PER_KEY);
        self.displaced += (gone.len() + gone_providers.len()) as u64;
        self.lost(&gone);
    }

    /// Nobody else's value stands before ours any longer.
    fn lost(&mut self, keys: &[RecordKey]) {
        for key in keys {
            self.own.set_superseded(key, false);
        }
    }

    fn source(&self) -> Option<(PeerId, Source)> {
        let peer = self.asking?;
        Some((peer, self.admitted.get(&peer)?.clone()))
    }

    fn take(&mut self, record: Record) -> Result<()> {
        if !accepts(&record) {
            return Err(Error::ValueTooLarge);
        }
        let (peer, source) = self.source().ok_or(Error::MaxRecords)?;
        let from_publisher = record.publisher == Some(peer);
        let key = record.key.clone();
        if let Some(own) = self.own.current(&key) {
            if own.record.value == record.value {
                return Ok(());
            }
            if !from_publisher && record.expires < Some(own.expires) {
                return Err(Error::MaxRecords);
            }
        }
        let gone = self.held.put(record, source, from_publisher).ok_or(Error::MaxRecords)?;
        self.displaced += gone.len() as u64;
        self.lost(&gone);
        self.own.set_superseded(&key, true);
        Ok(())
    }

    fn take_provider(&mut self, mut record: ProviderRecord) -> Result<()> {
        let (_, source) = self.source().ok_or(Error::MaxProvidedKeys)?;
        if !accepts_provider(&record) {
            return Err(Error::MaxProvidedKeys);
        }
        cut_addresses(&mut record);
        if record.addresses.is_empty() {
            // Kademlia never tells of a provider without an address, as a page is: it is found through us.
            record.addresses.push(Multiaddr::empty().with(Protocol::P2p(self.me)).with(Protocol::P2pCircuit));
        }
        let gone = self.providers.add(record, source).ok_or(Error::MaxProvidedKeys)?;
        self.displaced += gone.len() as u64;
        Ok(())
    }

    fn provide(&mut self, key: &RecordKey) -> Result<()> {
        if !self.provides(key) && self.own.provided_count() >= self.max_keys {
            return Err(Error::MaxProvidedKeys);
        }
        self.own.provide(key);
        self.make_place();
        Ok(())
    }
}

impl RecordStore for Store {
    type RecordsIter<'a> = Box<dyn Iterator<Item = Cow<'a, Record>> + 'a>;
    type ProvidedIter<'a> = Box<dyn Iterator<Item = Cow<'a, ProviderRecord>> + 'a>;

    fn get(&self, key: &RecordKey) -> Option<Cow<'_, Record>> {
        let own = self.own.current(key).map(|own| &own.record);
        own.or_else(|| self.held.get(key).map(|held| &held.record)).map(Cow::Borrowed)
    }

    /// A stranger's: one's own go through [`Store::put_own`].
    fn put(&mut self, record: Record) -> Result<()> {
        let taken = self.take(record);
        self.refused += u64::from(taken.is_err());
        taken
    }

    /// A stranger's: one's own stay.
    fn remove(&mut self, key: &RecordKey) {
        self.held.remove(key);
        self.own.set_superseded(key, false);
    }

    fn records(&self) -> Self::RecordsIter<'_> {
        let own = self.own.records().filter(|own| !own.superseded).map(|OwnRecord { record, .. }| record);
        let held = self.held.values().map(|Held { record, .. }| record);
        Box::new(own.chain(held).map(Cow::Borrowed))
    }

    fn add_provider(&mut self, record: ProviderRecord) -> Result<()> {
        if record.provider == self.me {
            return self.provide(&record.key);
        }
        let taken = self.take_provider(record);
        self.refused += u64::from(taken.is_err());
        taken
    }

    fn providers(&self, key: &RecordKey) -> Vec<ProviderRecord> {
        let held = self.providers.of(key).iter().map(|HeldProvider { record, .. }| record);
        self.own.provision(key).into_iter().chain(held).cloned().collect()
    }

    fn provided(&self) -> Self::ProvidedIter<'_> {
        Box::new(self.own.provided().map(Cow::Borrowed))
    }

    fn remove_provider(&mut self, key: &RecordKey, provider: &PeerId) {
        if *provider == self.me {
            self.own.stop_providing(key);
        } else {
            self.providers.remove(key, provider);
        }
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
