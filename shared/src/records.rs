//! Bounds on the key-value store: what may be put here, and what is taken from others.

use libp2p::kad::{ProviderRecord, Record, RecordKey};

use crate::{
    Error,
    config::{MAX_KEY_BYTES, MAX_VALUE_BYTES},
};

/// A key within its bounds, as Kademlia has it.
///
/// # Errors
/// [`Error::Key`].
pub(crate) fn key(key: &str) -> Result<RecordKey, Error> {
    match key.len() {
        1..=MAX_KEY_BYTES => Ok(RecordKey::new(&key)),
        bytes => Err(Error::Key { bytes }),
    }
}

/// A value within its bounds.
///
/// # Errors
/// [`Error::ValueTooLarge`].
pub(crate) fn value(value: Vec<u8>) -> Result<Vec<u8>, Error> {
    if value.len() > MAX_VALUE_BYTES { Err(Error::ValueTooLarge { bytes: value.len() }) } else { Ok(value) }
}

/// Whether a record of a stranger is kept.
#[must_use]
pub(crate) fn accepts(record: &Record) -> bool {
    (1..=MAX_KEY_BYTES).contains(&record.key.as_ref().len()) && record.value.len() <= MAX_VALUE_BYTES
}

/// Whether a stranger's word that it provides something is kept.
#[must_use]
pub(crate) fn accepts_provider(record: &ProviderRecord) -> bool {
    (1..=MAX_KEY_BYTES).contains(&record.key.as_ref().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert!(key("k").is_ok());
        assert_eq!(key("").unwrap_err(), Error::Key { bytes: 0 });
        assert_eq!(key(&"k".repeat(257)).unwrap_err(), Error::Key { bytes: 257 });
        assert_eq!(value(vec![0; 8193]).unwrap_err(), Error::ValueTooLarge { bytes: 8193 });
        assert!(accepts(&Record::new(vec![1u8; 256], vec![0; 8192])));
        assert!(!accepts(&Record::new(vec![1u8; 257], vec![])));
    }
}
