//! IndexedDB behind the node's storage: one database, memory ahead of it, one transaction a batch.

mod behind;
mod next;
mod restore;
mod slot_copy;
mod watch;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    pin::pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use futures::{
    future::{join, join_all},
    poll,
};
use js_sys::Uint8Array;
use n0_future::time::timeout;
use rexie::{KeyRange, ObjectStore, Rexie, TransactionMode};
use tincan_shared::Saved;
use tokio::sync::oneshot;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

pub use behind::{MAX_UNWRITTEN, WriteBehind};
pub use slot_copy::SlotCopy;

use crate::host::Teller;

/// The database of a page.
pub const DATABASE: &str = "tincan";
/// How long one answer of the database may take while the page starts.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

const VERSION: u32 = 1;
const KEYS: &str = "keys";
const ENTRIES: &str = "entries";

/// Why nothing can be stored, in words.
pub type Refused = String;

/// Unwritten changes by key; a later change of a key replaces an earlier one.
type Batch = BTreeMap<String, Option<Vec<u8>>>;

/// An open database. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Database {
    name: Rc<str>,
    /// The connection: another one once the browser has closed the first.
    rexie: Rc<RefCell<Rc<Rexie>>>,
}

impl Database {
    /// Opens or makes it. Ends in bounded time even when the browser does not answer.
    ///
    /// # Errors
    /// When this page may not store, or another tab holds the database in a way that blocks it.
    pub async fn open(name: &str) -> Result<Self, Refused> {
        let rexie = Rc::new(RefCell::new(connect(name).await?));
        Ok(Self { name: name.into(), rexie })
    }

    /// Goes on with the connection of another one.
    fn adopt(&self, other: &Self) {
        self.rexie.replace(other.rexie());
    }

    fn rexie(&self) -> Rc<Rexie> {
        self.rexie.borrow().clone()
    }

    /// The stored key of a slot.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn key(&self, slot: u32) -> Result<Option<Vec<u8>>, Refused> {
        let rexie = self.rexie();
        answered(async move {
            let transaction = rexie.transaction(&[KEYS], TransactionMode::ReadOnly)?;
            let value = transaction.store(KEYS)?.get(slot.into()).await?;
            Ok(value.map(|value| Uint8Array::new(&value).to_vec()))
        })
        .await
    }

    /// Stores the key of a slot.
    ///
    /// # Errors
    /// When the database fails, is full or does not answer.
    pub async fn put_key(&self, slot: u32, key: &[u8]) -> Result<(), Refused> {
        let (rexie, value) = (self.rexie(), Uint8Array::from(key));
        answered(async move {
            let transaction = rexie.transaction(&[KEYS], TransactionMode::ReadWrite)?;
            let store = transaction.store(KEYS)?;
            let (put, done) = join(store.put(&value, Some(&slot.into())), transaction.done()).await;
            put?;
            committed(done)
        })
        .await
    }

    /// The stored keys of all slots.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn keys(&self) -> Result<Vec<(u32, Vec<u8>)>, Refused> {
        let rexie = self.rexie();
        answered(async move {
            let transaction = rexie.transaction(&[KEYS], TransactionMode::ReadOnly)?;
            let store = transaction.store(KEYS)?;
            let (slots, keys) = join(store.get_all_keys(None, None), store.get_all(None, None)).await;
            // Keys that wait to be installed have names, not numbers.
            let slots = slots?.into_iter().map(|slot| slot.as_f64().map(|slot| slot as u32));
            let keys = keys?.into_iter().map(|key| Uint8Array::new(&key).to_vec());
            Ok(slots.zip(keys).filter_map(|(slot, key)| Some((slot?, key))).collect())
        })
        .await
    }

    /// Everything a slot has stored.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn load(&self, slot: u32) -> Result<Saved, Refused> {
        let rexie = self.rexie();
        answered(async move {
            let transaction = rexie.transaction(&[ENTRIES], TransactionMode::ReadOnly)?;
            let store = transaction.store(ENTRIES)?;
            let (keys, values) =
                join(store.get_all_keys(Some(range(slot)?), None), store.get_all(Some(range(slot)?), None)).await;
            let prefix = prefix(slot);
            let name = |key: JsValue| Some(key.as_string()?.strip_prefix(&prefix)?.to_owned());
            let names = keys?.into_iter().map(name);
            let values = values?.into_iter().map(|value| Uint8Array::new(&value).to_vec());
            Ok(names.zip(values).filter_map(|(name, value)| Some((name?, value))).collect())
        })
        .await
    }

    /// Where a slot's node stores from now on.
    #[must_use]
    pub fn writer(&self, slot: u32, teller: Teller) -> WriteBehind {
        WriteBehind::new(self.clone(), slot, teller, None)
    }

    /// The same, with a copy of what the slot has: it is stored again when the browser has cleared the site's data.
    #[must_use]
    pub fn restoring_writer(&self, slot: u32, teller: Teller, copy: SlotCopy) -> WriteBehind {
        WriteBehind::new(self.clone(), slot, teller, Some(copy))
    }

    async fn commit(&self, slot: u32, batch: &Batch) -> rexie::Result<()> {
        let transaction = self.rexie().transaction(&[ENTRIES], TransactionMode::ReadWrite)?;
        let store = &transaction.store(ENTRIES)?;
        let prefix = prefix(slot);
        let failed = &Cell::new(false);
        let mut requests = pin!(join_all(batch.iter().map(|(key, value)| {
            let key = JsValue::from(format!("{prefix}{key}"));
            async move {
                let done = match value {
                    Some(value) => store.put(&Uint8Array::from(value.as_slice()), Some(&key)).await.map(drop),
                    None => store.delete(key).await,
                };
                failed.set(failed.get() || done.is_err());
                done
            }
        })));
        // The first look makes all requests; one refused on the spot must not let its neighbours through alone.
        let early = poll!(&mut requests);
        if failed.get() {
            if early.is_pending() {
                requests.await;
            }
            // Still within the last answer's turn, before the browser would commit by itself.
            transaction.abort().await?;
            return Err(rexie::Error::TransactioncommitFailed);
        }
        // Committed by name: a page that is being left may lose what would commit by itself a moment later.
        let committed = transaction.commit();
        let (requests, committed) = match early {
            Poll::Ready(requests) => (requests, committed.await),
            Poll::Pending => join(requests, committed).await,
        };
        requests.into_iter().collect::<rexie::Result<()>>()?;
        committed
    }
}

async fn connect(name: &str) -> Result<Rc<Rexie>, Refused> {
    let stores = Rexie::builder(name)
        .version(VERSION)
        .add_object_store(ObjectStore::new(KEYS))
        .add_object_store(ObjectStore::new(ENTRIES));
    answered(stores.build()).await.map(Rc::new)
}

/// Waits for the database, but not for ever. The work itself goes on in the background: IndexedDB
/// requests cannot be taken back, and their handlers must outlive them.
async fn answered<T: 'static>(work: impl Future<Output = rexie::Result<T>> + 'static) -> Result<T, Refused> {
    let (reply, answer) = oneshot::channel();
    spawn_local(async move {
        // An error means that nobody waits any more.
        let _ = reply.send(work.await);
    });
    match timeout(ANSWER_WAIT, answer).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(format!("IndexedDB refuses: {error:?}")),
        Ok(Err(_)) | Err(_) => Err("IndexedDB does not answer".into()),
    }
}

fn committed(done: rexie::Result<rexie::TransactionResult>) -> rexie::Result<()> {
    if done?.is_committed() { Ok(()) } else { Err(rexie::Error::TransactioncommitFailed) }
}

/// Slots share one object store: another one would need another version of the database.
fn prefix(slot: u32) -> String {
    format!("{slot}/")
}

/// All keys that begin with a slot's prefix: `0` follows `/`.
fn range(slot: u32) -> rexie::Result<KeyRange> {
    let (lower, upper) = (JsValue::from(prefix(slot)), JsValue::from(format!("{slot}0")));
    Ok(KeyRange::bound(&lower, &upper, None, Some(true))?)
}
