//! What others say to provide.

use std::collections::HashMap;

use libp2p::{
    PeerId,
    kad::{KBucketDistance as Distance, KBucketKey, ProviderRecord, RecordKey},
};
use web_time::Instant;

use super::places::{Places, Source};

/// Providers remembered for one key.
pub(crate) const MAX_PROVIDERS_PER_KEY: usize = 20;

/// Names one provider record.
pub(crate) type ProviderId = (RecordKey, PeerId);

/// A provider record and whom it is counted with.
#[derive(Debug)]
pub(crate) struct HeldProvider {
    pub(crate) record: ProviderRecord,
    pub(crate) source: Source,
}

/// Within two bounds: of too many for one key the closest to the key stay, of too many in all those go that [`Places`]
/// names.
#[derive(Debug)]
pub(crate) struct HeldProviders {
    me: KBucketKey<PeerId>,
    held: HashMap<RecordKey, Vec<HeldProvider>>,
    places: Places<(Vec<u8>, PeerId)>,
    max: usize,
}

impl HeldProviders {
    pub(crate) fn new(me: PeerId, max: usize) -> Self {
        Self { me: me.into(), held: HashMap::new(), places: Places::default(), max }
    }

    /// Takes a provider record; answers with those that lost their places to it, or with nothing when it is not kept.
    pub(crate) fn add(&mut self, record: ProviderRecord, source: Source) -> Option<Vec<ProviderId>> {
        let id = (record.key.clone(), record.provider);
        let all = self.held.entry(record.key.clone()).or_default();
        if let Some(old) = all.iter_mut().find(|old| old.record.provider == record.provider) {
            // Counted with whom it was counted, so that the order of places stays true.
            old.record = record;
            return Some(Vec::new());
        }
        all.push(HeldProvider { record, source: source.clone() });
        let farthest = (all.len() > MAX_PROVIDERS_PER_KEY).then(|| farthest(&id.0, all)).flatten();
        self.places.insert(&source, self.distance(&id.0), (id.0.to_vec(), id.1));
        let mut gone = Vec::new();
        if let Some(provider) = farthest {
            self.remove(&id.0, &provider);
            gone.push((id.0.clone(), provider));
        }
        gone.extend(self.shrink());
        (!gone.contains(&id)).then_some(gone)
    }

    /// Changes the bound; answers with what lost its place.
    pub(crate) fn set_max(&mut self, max: usize) -> Vec<ProviderId> {
        self.max = max;
        self.shrink()
    }

    fn shrink(&mut self) -> Vec<ProviderId> {
        let mut gone = Vec::new();
        while self.places.taken() > self.max
            && let Some((key, provider)) = self.places.first_to_go()
        {
            let key = RecordKey::from(key);
            self.remove(&key, &provider);
            gone.push((key, provider));
        }
        gone
    }

    /// Says whether it was there.
    pub(crate) fn remove(&mut self, key: &RecordKey, provider: &PeerId) -> bool {
        let Some(all) = self.held.get_mut(key) else { return false };
        let Some(at) = all.iter().position(|held| held.record.provider == *provider) else { return false };
        let held = all.swap_remove(at);
        if all.is_empty() {
            self.held.remove(key);
        }
        self.places.remove(&held.source, self.distance(key), (key.to_vec(), *provider));
        true
    }

    /// Removes what has expired, and answers with its names.
    pub(crate) fn reap(&mut self, now: Instant) -> Vec<ProviderId> {
        let all = self.held.values().flatten().filter(|held| held.record.is_expired(now));
        let gone: Vec<_> = all.map(|held| (held.record.key.clone(), held.record.provider)).collect();
        for (key, provider) in &gone {
            self.remove(key, provider);
        }
        gone
    }

    pub(crate) fn of(&self, key: &RecordKey) -> &[HeldProvider] {
        self.held.get(key).map_or(&[], Vec::as_slice)
    }

    fn distance(&self, key: &RecordKey) -> Distance {
        KBucketKey::new(key.clone()).distance(&self.me)
    }
}

fn farthest(key: &RecordKey, all: &[HeldProvider]) -> Option<PeerId> {
    let key = KBucketKey::new(key.clone());
    let providers = all.iter().map(|held| held.record.provider);
    providers.max_by_key(|provider| KBucketKey::from(*provider).distance(&key))
}
