//! The identity that a slot is to have at the next start of its page.

use futures::future::{join, join_all};
use js_sys::Uint8Array;
use rexie::TransactionMode;
use tincan_shared::Saved;
use wasm_bindgen::JsValue;

use super::{Database, ENTRIES, KEYS, Refused, answered, committed, prefix, range};

impl Database {
    /// Keeps a key and a nick for the next start.
    ///
    /// # Errors
    /// When the database fails, is full or does not answer.
    pub async fn put_next(&self, slot: u32, key: &[u8], nick: &str) -> Result<(), Refused> {
        let (rexie, key, nick) = (self.rexie(), Uint8Array::from(key), Uint8Array::from(nick.as_bytes()));
        answered(async move {
            let transaction = rexie.transaction(&[KEYS], TransactionMode::ReadWrite)?;
            let store = transaction.store(KEYS)?;
            let [at_key, at_nick] = names(slot);
            let puts = join(store.put(&key, Some(&at_key)), store.put(&nick, Some(&at_nick)));
            let ((put_key, put_nick), done) = join(puts, transaction.done()).await;
            put_key.and(put_nick)?;
            committed(done)
        })
        .await
    }

    /// The key and the nick that wait, when there are any.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn next(&self, slot: u32) -> Result<Option<(Vec<u8>, String)>, Refused> {
        let rexie = self.rexie();
        answered(async move {
            let transaction = rexie.transaction(&[KEYS], TransactionMode::ReadOnly)?;
            let store = transaction.store(KEYS)?;
            let [at_key, at_nick] = names(slot);
            let (key, nick) = join(store.get(at_key), store.get(at_nick)).await;
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
        let rexie = self.rexie();
        answered(async move {
            let transaction = rexie.transaction(&[KEYS], TransactionMode::ReadWrite)?;
            let store = transaction.store(KEYS)?;
            let (dropped, done) = join(join_all(names(slot).map(|name| store.delete(name))), transaction.done()).await;
            dropped.into_iter().collect::<rexie::Result<()>>()?;
            committed(done)
        })
        .await
    }

    /// Gives a slot this key and these entries alone, and forgets what waited: all of it, or nothing.
    ///
    /// # Errors
    /// When the database fails, is full or does not answer.
    pub async fn become_next(&self, slot: u32, key: &[u8], entries: &Saved) -> Result<(), Refused> {
        let (rexie, key) = (self.rexie(), Uint8Array::from(key));
        let prefix = prefix(slot);
        let entries: Vec<(JsValue, Uint8Array)> = entries
            .iter()
            .map(|(name, value)| (format!("{prefix}{name}").into(), Uint8Array::from(value.as_slice())))
            .collect();
        answered(async move {
            let transaction = rexie.transaction(&[KEYS, ENTRIES], TransactionMode::ReadWrite)?;
            let (keys, stored) = (transaction.store(KEYS)?, transaction.store(ENTRIES)?);
            let cleared = stored.delete(range(slot)?.into());
            let put = join_all(entries.iter().map(|(name, value)| stored.put(value, Some(name))));
            let named = join_all(names(slot).map(|name| keys.delete(name)));
            let slot = slot.into();
            let work = join(join(cleared, put), join(keys.put(&key, Some(&slot)), named));
            let (((cleared, put), (key, named)), done) = join(work, transaction.done()).await;
            cleared?;
            put.into_iter().collect::<rexie::Result<Vec<_>>>()?;
            key?;
            named.into_iter().collect::<rexie::Result<()>>()?;
            committed(done)
        })
        .await
    }
}

/// Where a slot's next key and nick wait, beside the keys of all slots, which have numbers.
fn names(slot: u32) -> [JsValue; 2] {
    ["key", "nick"].map(|what| format!("next-{what}-{slot}").into())
}
