//! What may be put here or is taken from others, and how long it lasts.

use std::time::Duration;

use libp2p::{
    Multiaddr,
    kad::{ProviderRecord, Record, RecordKey},
};

use crate::{
    Error,
    config::{MAX_KEY_BYTES, MAX_VALUE_BYTES},
};

/// How long others keep a record that nobody publishes again.
pub(crate) const RECORD_TTL: Duration = Duration::from_secs(48 * 3600);
/// The same for a provider record.
pub(crate) const PROVIDER_TTL: Duration = Duration::from_secs(48 * 3600);
/// Addresses kept of one provider of one key.
const MAX_PROVIDER_ADDRESSES: usize = 8;
/// Bytes of them in all.
const MAX_PROVIDER_ADDRESS_BYTES: usize = 512;

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

/// Whether a record may be kept, or believed when a peer answers with it.
#[must_use]
pub(crate) fn accepts(record: &Record) -> bool {
    (1..=MAX_KEY_BYTES).contains(&record.key.as_ref().len()) && record.value.len() <= MAX_VALUE_BYTES
}

/// What is kept of where a stranger says that a provider is.
pub(crate) fn cut_addresses(record: &mut ProviderRecord) {
    let mut left = MAX_PROVIDER_ADDRESS_BYTES;
    // Into memory of its own: cut in place, the rest of a thousand addresses would stay allocated around it.
    let mut kept = Vec::with_capacity(record.addresses.len().min(MAX_PROVIDER_ADDRESSES));
    for address in record.addresses.iter().take(MAX_PROVIDER_ADDRESSES) {
        if let Some(rest) = left.checked_sub(address.len()) {
            left = rest;
            kept.extend(Multiaddr::try_from(address.to_vec()));
        }
    }
    record.addresses = kept;
}

/// Whether a stranger's word that it provides something is kept.
#[must_use]
pub(crate) fn accepts_provider(record: &ProviderRecord) -> bool {
    (1..=MAX_KEY_BYTES).contains(&record.key.as_ref().len())
}

#[cfg(test)]
mod tests {
    use libp2p::PeerId;

    use super::*;

    #[test]
    fn a_provider_keeps_a_handful_of_addresses() {
        let address = |port: u16| -> Multiaddr { format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap() };
        let mut record = ProviderRecord::new(vec![1u8], PeerId::random(), (0..1000).map(address).collect());
        cut_addresses(&mut record);
        assert_eq!(record.addresses, (0..8).map(address).collect::<Vec<_>>());
        let long: Multiaddr = format!("/dns4/{}/tcp/1", "x".repeat(500)).parse().unwrap();
        record.addresses = vec![address(1), long, address(2)];
        cut_addresses(&mut record);
        assert_eq!(record.addresses, [address(1), address(2)]);
    }

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
