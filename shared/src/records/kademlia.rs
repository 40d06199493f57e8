//! The store as libp2p-kad sees it: what it puts and removes here is a stranger's.

use std::{borrow::Cow, collections::hash_map, iter, vec};

use libp2p::{
    PeerId,
    kad::{
        ProviderRecord, Record, RecordKey,
        store::{RecordStore, Result},
    },
};

use super::{held::Held, providers::HeldProvider, store::Store};

impl RecordStore for Store {
    type RecordsIter<'a> = iter::Map<hash_map::Values<'a, RecordKey, Held>, fn(&'a Held) -> Cow<'a, Record>>;
    type ProvidedIter<'a> = vec::IntoIter<Cow<'a, ProviderRecord>>;

    fn get(&self, key: &RecordKey) -> Option<Cow<'_, Record>> {
        let own = self.own.record(key).map(Cow::Owned);
        own.or_else(|| self.held.get(key).map(|held| Cow::Borrowed(&held.record)))
    }

    /// A stranger's: one's own go through [`Store::put_own`].
    fn put(&mut self, record: Record) -> Result<()> {
        let taken = self.take(record);
        self.count_refused(taken)
    }

    /// A stranger's: one's own stay.
    fn remove(&mut self, key: &RecordKey) {
        self.forget(key);
    }

    /// Those of others, for libp2p-kad to hand on: one's own are published by the node itself.
    fn records(&self) -> Self::RecordsIter<'_> {
        self.held.values().map(|held| Cow::Borrowed(&held.record))
    }

    fn add_provider(&mut self, record: ProviderRecord) -> Result<()> {
        if self.is_own(&record) {
            return self.provide(&record.key);
        }
        let taken = self.take_provider(record);
        self.count_refused(taken)
    }

    fn providers(&self, key: &RecordKey) -> Vec<ProviderRecord> {
        let held = self.providers.of(key).iter().map(|HeldProvider { record, .. }| record.clone());
        self.own.provision(key).into_iter().chain(held).collect()
    }

    fn provided(&self) -> Self::ProvidedIter<'_> {
        self.own.provided().map(Cow::Owned).collect::<Vec<_>>().into_iter()
    }

    /// A stranger's: one's own stay.
    fn remove_provider(&mut self, key: &RecordKey, provider: &PeerId) {
        if self.providers.remove(key, provider) {
            self.gone(&[], &[(key.clone(), *provider)]);
        }
    }
}
