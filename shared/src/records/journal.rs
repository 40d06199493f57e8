//! What of the store has changed since it was last written to the host's storage.

use std::collections::{BTreeMap, HashMap, HashSet};

use libp2p::PeerId;

use crate::platform::Change;

const OWN_RECORD: &str = "own-record";
const OWN_KEY: &str = "own-key";
const RECORD: &str = "record";
const PROVIDER: &str = "provider";

/// Names one entry of the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    /// A record that was put here, by its key.
    OwnRecord(Vec<u8>),
    /// A key that this node provides.
    OwnKey(Vec<u8>),
    /// A record of others, by its key.
    Record(Vec<u8>),
    /// What somebody else provides.
    Provider(Vec<u8>, PeerId),
}

impl Entry {
    fn is_of_others(&self) -> bool {
        matches!(self, Self::Record(_) | Self::Provider(..))
    }

    /// Its key in the host's storage.
    pub(super) fn storage_key(&self) -> String {
        match self {
            Self::OwnRecord(key) => format!("{OWN_RECORD}/{}", hex::encode(key)),
            Self::OwnKey(key) => format!("{OWN_KEY}/{}", hex::encode(key)),
            Self::Record(key) => format!("{RECORD}/{}", hex::encode(key)),
            Self::Provider(key, provider) => format!("{PROVIDER}/{}/{provider}", hex::encode(key)),
        }
    }

    /// What a key of the host's storage names. Nothing when it is no entry of ours, or cannot be read.
    pub(super) fn parse(storage_key: &str) -> Option<Self> {
        let (kind, name) = storage_key.split_once('/')?;
        if kind == PROVIDER {
            let (key, provider) = name.split_once('/')?;
            return Some(Self::Provider(hex::decode(key).ok()?, provider.parse().ok()?));
        }
        let key = hex::decode(name).ok()?;
        match kind {
            OWN_RECORD => Some(Self::OwnRecord(key)),
            OWN_KEY => Some(Self::OwnKey(key)),
            RECORD => Some(Self::Record(key)),
            _ => None,
        }
    }

    /// Whether a key of the host's storage is kept for what was put or is provided here.
    pub(crate) fn is_own(storage_key: &str) -> bool {
        matches!(Self::parse(storage_key), Some(Self::OwnRecord(_) | Self::OwnKey(_)))
    }

    /// Whether a key of the host's storage is kept for entries of the store.
    pub(super) fn is_ours(storage_key: &str) -> bool {
        let kind = storage_key.split_once('/').map(|(kind, _)| kind);
        kind.is_some_and(|kind| [OWN_RECORD, OWN_KEY, RECORD, PROVIDER].contains(&kind))
    }
}

/// Changes that wait to be written. There are never more than entries in the store and in the storage together: what
/// came and went between two writes is forgotten.
///
/// One's own are written first, then the others by age: what changes again keeps its place, so nobody who writes all the
/// time keeps another's entry from being written.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    stored: HashSet<Entry>,
    /// Where each entry waits.
    changed: HashMap<Entry, Place>,
    waiting: BTreeMap<Place, Entry>,
    last: u64,
}

/// Whether it is of others, and its number in the order in which entries changed.
type Place = (bool, u64);

impl Journal {
    /// It was read from the storage.
    pub(super) fn loaded(&mut self, entry: Entry) {
        self.stored.insert(entry);
    }

    /// It is new or has changed.
    pub(super) fn changed(&mut self, entry: Entry) {
        if self.changed.contains_key(&entry) {
            return;
        }
        self.last += 1;
        let place = (entry.is_of_others(), self.last);
        self.changed.insert(entry.clone(), place);
        self.waiting.insert(place, entry);
    }

    /// It is gone.
    pub(super) fn gone(&mut self, entry: Entry) {
        if self.stored.contains(&entry) {
            self.changed(entry);
        } else if let Some(place) = self.changed.remove(&entry) {
            self.waiting.remove(&place);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// The next changes to write, up to so many bytes of values; `value` says what an entry is now.
    pub(super) fn take(&mut self, bytes: usize, value: impl Fn(&Entry) -> Option<Vec<u8>>) -> Vec<Change> {
        let mut left = bytes;
        let mut changes = Vec::new();
        while left > 0
            && let Some((_, entry)) = self.waiting.pop_first()
        {
            self.changed.remove(&entry);
            let (key, value) = (entry.storage_key(), value(&entry));
            left = left.saturating_sub(key.len() + value.as_ref().map_or(0, Vec::len));
            if value.is_some() {
                self.stored.insert(entry);
            } else {
                self.stored.remove(&entry);
            }
            changes.push(Change { key, value });
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_were_written() {
        let key = vec![0, 255, b'/'];
        let all = [
            Entry::OwnRecord(key.clone()),
            Entry::OwnKey(key.clone()),
            Entry::Record(key.clone()),
            Entry::Provider(key, PeerId::random()),
        ];
        for entry in all {
            assert!(Entry::is_ours(&entry.storage_key()));
            assert_eq!(Entry::parse(&entry.storage_key()), Some(entry));
        }
        for other in ["nick", "record/nonsense", "provider/00", "provider/00/nobody", "room/00"] {
            assert_eq!(Entry::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_came_and_went_is_not_written_and_ones_own_goes_first() {
        let mut journal = Journal::default();
        let [strangers, own] = [Entry::Record(vec![1]), Entry::OwnRecord(vec![2])];
        journal.changed(strangers.clone());
        journal.gone(strangers.clone());
        assert!(journal.is_empty());
        journal.changed(strangers.clone());
        journal.changed(own.clone());
        let written = journal.take(1, |_| Some(vec![0]));
        assert_eq!(written, [Change { key: own.storage_key(), value: Some(vec![0]) }]);
        assert_eq!(journal.take(100, |_| Some(vec![0])).len(), 1);
        journal.gone(strangers.clone());
        assert_eq!(journal.take(100, |_| None), [Change { key: strangers.storage_key(), value: None }]);
        assert!(journal.take(100, |_| None).is_empty());
    }

    #[test]
    fn who_writes_all_the_time_keeps_no_others_entry_from_being_written() {
        let mut journal = Journal::default();
        let restless: Vec<Entry> = (0..100).map(|n| Entry::Record(vec![n])).collect();
        let quiet = [Entry::Record(vec![200]), Entry::Provider(vec![0], PeerId::random())];
        restless.iter().chain(&quiet).for_each(|entry| journal.changed(entry.clone()));
        let mut written = Vec::new();
        for _ in 0..3 {
            // Half of what changes can be written.
            written.extend(journal.take(51 * 50, |_| Some(vec![0; 41])).into_iter().map(|change| change.key));
            restless.iter().for_each(|entry| journal.changed(entry.clone()));
        }
        assert!(quiet.iter().all(|entry| written.contains(&entry.storage_key())), "{written:?}");
        assert_eq!(journal.changed.len(), journal.waiting.len());
    }
}
