//! The key of a slot: stored once, the same at every visit.

use tincan_shared::{Error, identity::Keypair};

use crate::storage::{Database, Refused};

/// A slot's key and what happened to it.
#[derive(Debug)]
pub struct Identity {
    /// The key.
    pub keypair: Keypair,
    /// Whether the same key comes back at the next visit, or why not.
    pub stored: Result<(), Refused>,
    /// Whether something was stored that is no key, and was replaced.
    pub replaced: bool,
}

impl Identity {
    /// A key that nobody keeps.
    #[must_use]
    pub fn fleeting(reason: Refused) -> Self {
        Self { keypair: Keypair::generate_ed25519(), stored: Err(reason), replaced: false }
    }

    /// The slot's key, made when there is none. Only for the tab that holds the slot.
    pub async fn load_or_make(database: &Database, slot: u32) -> Self {
        let bytes = match database.key(slot).await {
            Ok(bytes) => bytes,
            Err(reason) => return Self::fleeting(reason),
        };
        let found = bytes.as_deref().map(Keypair::from_protobuf_encoding);
        if let Some(Ok(keypair)) = found {
            return Self { keypair, stored: Ok(()), replaced: false };
        }
        let keypair = Keypair::generate_ed25519();
        let stored = match encode(&keypair) {
            Ok(bytes) => database.put_key(slot, &bytes).await,
            Err(error) => Err(error.to_string()),
        };
        Self { keypair, stored, replaced: found.is_some() }
    }
}

fn encode(keypair: &Keypair) -> Result<Vec<u8>, Error> {
    keypair
        .to_protobuf_encoding()
        .map_err(|error| Error::Setting { name: "keypair", reason: format!("{error}; use an ed25519 key") })
}
