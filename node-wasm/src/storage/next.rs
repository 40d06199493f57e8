//! The identity that a slot is to have at the next start of its page.

use futures::future::join;
use idb::TransactionMode;
use js_sys::Uint8Array;
use tincan_shared::Saved;
use wasm_bindgen::JsValue;

use super::{Database, ENTRIES, KEYS, Refused, answered, commit::Requests, prefix, range};

impl Database {
    /// Keeps a key and a nick for the next start.
    ///
    /// # Errors
    /// When the database fails, is full or does not answer.
    pub async fn put_next(&self, slot: u32, key: &[u8], nick: &str) -> Result<(), Refused> {
        let (database, key, nick) = (self.connection(), Uint8Array::from(key), Uint8Array::from(nick.as_bytes()));
        answered(async move {
            let transaction = database.transaction(&[KEYS], TransactionMode::ReadWrite)?;
            let store = transaction.object_store(KEYS)?;
            let [at_key, at_nick] = names(slot);
            let mut requests = Requests::default();
            requests.add(store.put(&key, Some(&at_key)));
            requests.add(store.put(&nick, Some(&at_nick)));
            requests.commit(transaction).await
        })
        .await
    }

    /// The key and the nick that wait, when there are any.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn next(&self, slot: u32) -> Result<Option<(Vec<u8>, String)>, Refused> {
        let database = self.connection();
        answered(async move {
            let transaction = database.transaction(&[KEYS], TransactionMode::ReadOnly)?;
            let store = transaction.object_store(KEYS)?;
            let [at_key, at_nick] = names(slot);
            let (key, nick) = join(store.get(at_key)?.into_future(), store.get(at_nick)?.into_future()).await;
            let bytes = |value: JsValue| Uint8Array::new(&value).to_vec();
            let nick = nick?.map(bytes).and_then(|nick| String::from_utf8(nick).ok()).unwrap_or_default();
            Ok(key?.map(|key| (bytes(key), nick)))
        })
        .await
    }

    /// Forgets what waits.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn drop_next(&self, slot: u32) -> Result<(), Refused> {
        let database = self.connection();
        answered(async move {
            let transaction = database.transaction(&[KEYS], TransactionMode::ReadWrite)?;
            let store = transaction.object_store(KEYS)?;
            let mut requests = Requests::default();
            for name in names(slot) {
                requests.add(store.delete(name));
            }
            requests.commit(transaction).await
        })
        .await
    }

    /// Gives a slot this key and these entries alone, and forgets what waited: all of it, or nothing.
    ///
    /// # Errors
    /// When the database fails, is full or does not answer.
    pub async fn become_next(&self, slot: u32, key: &[u8], entries: &Saved) -> Result<(), Refused> {
        let (database, key) = (self.connection(), Uint8Array::from(key));
        let prefix = prefix(slot);
        let entries: Vec<(JsValue, Uint8Array)> = entries
            .iter()
            .map(|(name, value)| (format!("{prefix}{name}").into(), Uint8Array::from(value.as_slice())))
            .collect();
        answered(async move {
            let transaction = database.transaction(&[KEYS, ENTRIES], TransactionMode::ReadWrite)?;
            let (keys, stored) = (transaction.object_store(KEYS)?, transaction.object_store(ENTRIES)?);
            let mut requests = Requests::default();
            requests.add(stored.delete(range(slot)?));
            for (name, value) in &entries {
                requests.add(stored.put(value, Some(name)));
            }
            requests.add(keys.put(&key, Some(&slot.into())));
            for name in names(slot) {
                requests.add(keys.delete(name));
            }
            requests.commit(transaction).await
        })
        .await
    }
}

/// Where a slot's next key and nick wait, beside the keys of all slots, which have numbers.
fn names(slot: u32) -> [JsValue; 2] {
    ["key", "nick"].map(|what| format!("next-{what}-{slot}").into())
}
