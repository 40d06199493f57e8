//! What of the store has changed since it was last written to the host's storage.

use std::collections::{BTreeSet, HashSet};

use libp2p::PeerId;

use crate::platform::Change;

const OWN_RECORD: &str = "own-record";
const OWN_KEY: &str = "own-key";
const RECORD: &str = "record";
const PROVIDER: &str = "provider";

/// Names one entry of the store. One's own come first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

    /// Whether a key of the host's storage is kept for entries of the store.
    pub(super) fn is_ours(storage_key: &str) -> bool {
        let kind = storage_key.split_once('/').map(|(kind, _)| kind);
        kind.is_some_and(|kind| [OWN_RECORD, OWN_KEY, RECORD, PROVIDER].contains(&kind))
    }
}

/// Changes that wait to be written. There are never more than entries in the store and in the storage together: what
/// came and went between two writes is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    stored: HashSet<Entry>,
    changed: BTreeSet<Entry>,
}

impl Journal {
    /// It was read from the storage.
    pub(super) fn loaded(&mut self, entry: Entry) {
        self.stored.insert(entry);
    }

    /// It is new or has changed.
    pub(super) fn changed(&mut self, entry: Entry) {
        self.changed.insert(entry);
    }

    /// It is gone.
    pub(super) fn gone(&mut self, entry: Entry) {
        if self.stored.contains(&entry) {
            self.changed.insert(entry);
        } else {
            self.changed.remove(&entry);
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
            && let Some(entry) = self.changed.pop_first()
        {
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
}
