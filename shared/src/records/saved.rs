//! The store's entries as they are in the host's storage.

use std::time::Duration;

use libp2p::{
    Multiaddr, PeerId,
    kad::{ProviderRecord, Record},
};
use prost::Message as _;

use super::{
    Store,
    bounds::{PROVIDER_TTL, RECORD_TTL, accepts, accepts_provider},
    clock::Clock,
    held::Held,
    journal::Entry,
    own::{OwnKey, OwnRecord},
    places::Source,
    providers::HeldProvider,
};
use crate::platform::{Change, Saved};

/// Bytes of others' records that are written at once: strangers shall not keep the disk busy.
const MAX_WRITTEN_AT_ONCE: usize = 2 * 1024 * 1024;

impl Store {
    /// Takes what an earlier run stored, and answers with what is of no use any more.
    pub(crate) fn load(&mut self, saved: &Saved, clock: Clock) -> Vec<Change> {
        let mut useless = Vec::new();
        for (name, bytes) in saved.iter().filter(|(name, _)| Entry::is_ours(name)) {
            match Entry::parse(name) {
                Some(entry) if self.load_entry(&entry, bytes, clock) => self.journal.loaded(entry),
                _ => useless.push(Change { key: name.clone(), value: None }),
            }
        }
        // The newer value of somebody else may have expired while this node was off.
        for key in self.own.superseded().filter(|key| self.held.get(key).is_none()).collect::<Vec<_>>() {
            self.set_superseded(&key, false);
        }
        self.make_place();
        useless
    }

    fn load_entry(&mut self, entry: &Entry, bytes: &[u8], clock: Clock) -> bool {
        match entry {
            Entry::OwnRecord(key) => {
                let Some(own) = read_own_record(bytes, clock) else { return false };
                self.own.records.insert(key.clone(), own);
                true
            }
            Entry::OwnKey(key) => {
                let Some(own) = read_own_key(bytes) else { return false };
                self.own.keys.insert(key.clone(), own);
                true
            }
            Entry::Record(key) => {
                let Some(held) = read_record(key, bytes, clock) else { return false };
                let gone = accepts(&held.record).then(|| self.held.put(held.record, held.source, true)).flatten();
                gone.map(|gone| self.displace(&gone, &[])).is_some()
            }
            Entry::Provider(key, provider) => {
                let Some(held) = read_provider(key, *provider, bytes, clock) else { return false };
                let gone =
                    accepts_provider(&held.record).then(|| self.providers.add(held.record, held.source)).flatten();
                gone.map(|gone| self.displace(&[], &gone)).is_some()
            }
        }
    }

    /// Whether something has changed since [`Self::changes`] was called.
    pub(crate) fn has_changes(&self) -> bool {
        !self.journal.is_empty()
    }

    /// What has changed, one's own first; the rest when it is called again.
    pub(crate) fn changes(&mut self, clock: Clock) -> Vec<Change> {
        let mut journal = std::mem::take(&mut self.journal);
        let changes = journal.take(MAX_WRITTEN_AT_ONCE, |entry| match entry {
            Entry::OwnRecord(key) => self.own.records.get(key).map(|own| own_record(own, clock)),
            Entry::OwnKey(key) => self.own.keys.get(key).map(|own| own_key(*own)),
            Entry::Record(key) => self.held.get(&key.clone().into()).map(|held| record(held, clock)),
            Entry::Provider(key, provider) => {
                let all = self.providers.of(&key.clone().into());
                all.iter().find(|held| held.record.provider == *provider).map(|held| self::provider(held, clock))
            }
        });
        self.journal = journal;
        changes
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct OwnRecordEntry {
    #[prost(bytes = "vec", tag = "1")]
    value: Vec<u8>,
    /// When copies of it expire elsewhere, in unix time.
    #[prost(uint64, tag = "2")]
    expires_ms: u64,
    /// When it was last published, in unix time.
    #[prost(uint64, optional, tag = "3")]
    published_ms: Option<u64>,
    #[prost(bool, tag = "4")]
    superseded: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OwnKeyEntry {
    #[prost(uint64, optional, tag = "1")]
    published_ms: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RecordEntry {
    #[prost(bytes = "vec", tag = "1")]
    value: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    publisher: Vec<u8>,
    #[prost(uint64, tag = "3")]
    expires_ms: u64,
    #[prost(string, tag = "4")]
    source: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ProviderEntry {
    #[prost(bytes = "vec", repeated, tag = "1")]
    addresses: Vec<Vec<u8>>,
    #[prost(uint64, tag = "2")]
    expires_ms: u64,
    #[prost(string, tag = "3")]
    source: String,
}

fn own_record(own: &OwnRecord, clock: Clock) -> Vec<u8> {
    OwnRecordEntry {
        value: own.value.clone(),
        expires_ms: clock.unix_ms_of(own.expires),
        published_ms: own.published_ms,
        superseded: own.superseded,
    }
    .encode_to_vec()
}

fn read_own_record(bytes: &[u8], clock: Clock) -> Option<OwnRecord> {
    let OwnRecordEntry { value, expires_ms, published_ms, superseded } = OwnRecordEntry::decode(bytes).ok()?;
    let expires = clock.moment(expires_ms, RECORD_TTL);
    Some(OwnRecord { value, expires, published_ms, superseded, generation: 0 })
}

fn own_key(own: OwnKey) -> Vec<u8> {
    OwnKeyEntry { published_ms: own.published_ms }.encode_to_vec()
}

fn read_own_key(bytes: &[u8]) -> Option<OwnKey> {
    Some(OwnKey { published_ms: OwnKeyEntry::decode(bytes).ok()?.published_ms })
}

fn record(held: &Held, clock: Clock) -> Vec<u8> {
    let Held { record, source } = held;
    RecordEntry {
        value: record.value.clone(),
        publisher: record.publisher.map(|publisher| publisher.to_bytes()).unwrap_or_default(),
        expires_ms: record.expires.map_or(u64::MAX, |moment| clock.unix_ms_of(moment)),
        source: source.to_string(),
    }
    .encode_to_vec()
}

/// Nothing when it has expired.
fn read_record(key: &[u8], bytes: &[u8], clock: Clock) -> Option<Held> {
    let RecordEntry { value, publisher, expires_ms, source } = RecordEntry::decode(bytes).ok()?;
    let publisher = PeerId::from_bytes(&publisher).ok();
    let expires = expiry(expires_ms, RECORD_TTL, clock)?;
    let record = Record { key: key.to_vec().into(), value, publisher, expires: Some(expires) };
    Some(Held { record, source: Source::from(source) })
}

fn provider(held: &HeldProvider, clock: Clock) -> Vec<u8> {
    let HeldProvider { record, source } = held;
    ProviderEntry {
        addresses: record.addresses.iter().map(Multiaddr::to_vec).collect(),
        expires_ms: record.expires.map_or(u64::MAX, |moment| clock.unix_ms_of(moment)),
        source: source.to_string(),
    }
    .encode_to_vec()
}

/// Nothing when it has expired.
fn read_provider(key: &[u8], provider: PeerId, bytes: &[u8], clock: Clock) -> Option<HeldProvider> {
    let ProviderEntry { addresses, expires_ms, source } = ProviderEntry::decode(bytes).ok()?;
    let addresses = addresses.into_iter().map(Multiaddr::try_from).collect::<Result<_, _>>().ok()?;
    let expires = Some(expiry(expires_ms, PROVIDER_TTL, clock)?);
    let record = ProviderRecord { key: key.to_vec().into(), provider, expires, addresses };
    Some(HeldProvider { record, source: Source::from(source) })
}

fn expiry(unix_ms: u64, time_to_live: Duration, clock: Clock) -> Option<web_time::Instant> {
    (unix_ms > clock.unix_ms).then(|| clock.moment(unix_ms, time_to_live))
}
