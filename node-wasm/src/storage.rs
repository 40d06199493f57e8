//! IndexedDB behind the node's storage: one database, memory ahead of it, one transaction a batch.
//!
//! A browser ends the page's unfinished transactions with the page, and a page that goes away has no time to wait for
//! them. So what the database does not have yet goes into a [`Journal`] at that moment, in localStorage, which is written
//! before the page is gone; the next page of the slot takes it up.

mod behind;
mod commit;
mod journal;
mod next;
mod restore;
mod slot_copy;
mod unwritten;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use commit::Requests;
use futures::future::join;
use idb::{KeyRange, TransactionMode, builder::ObjectStoreBuilder};
use js_sys::Uint8Array;
use n0_future::time::timeout;
use restore::Restore;
use tincan_shared::{PeerId, Saved};
use tokio::sync::{oneshot, watch};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

pub use behind::WriteBehind;
pub use journal::Journal;
pub use slot_copy::SlotCopy;
pub use unwritten::{MAX_UNWRITTEN, Unwritten};

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
pub struct Database(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    connection: RefCell<Rc<idb::Database>>,
    /// Whether another tab wants the database in another version.
    outdated: watch::Sender<bool>,
    /// Whether the browser has closed it, as it does to clear a site's data.
    closed: watch::Sender<bool>,
}

impl Database {
    /// Opens or makes it. Ends in bounded time even when the browser does not answer.
    ///
    /// # Errors
    /// When this page may not store, or another tab holds the database in a way that blocks it.
    pub async fn open(name: &str) -> Result<Self, Refused> {
        Self::connect(name, watch::Sender::new(false), watch::Sender::new(false)).await
    }

    async fn connect(name: &str, outdated: watch::Sender<bool>, closed: watch::Sender<bool>) -> Result<Self, Refused> {
        let database = idb::Database::builder(name)
            .version(VERSION)
            .add_object_store(ObjectStoreBuilder::new(KEYS))
            .add_object_store(ObjectStoreBuilder::new(ENTRIES));
        let mut connection = answered(database.build()).await?;
        // By itself it would close at once, whatever is unwritten.
        connection.on_version_change({
            let outdated = outdated.clone();
            move |_| {
                outdated.send_replace(true);
            }
        });
        connection.on_close({
            let closed = closed.clone();
            move |_| {
                closed.send_replace(true);
            }
        });
        let connection = RefCell::new(Rc::new(connection));
        Ok(Self(Rc::new(Inner { name: name.to_owned(), connection, outdated, closed })))
    }

    /// Another connection, for [`Self::adopt`].
    async fn reconnect(&self) -> Result<Self, Refused> {
        self.0.closed.send_replace(false);
        Self::connect(&self.0.name, self.0.outdated.clone(), self.0.closed.clone()).await
    }

    /// Goes on with the connection of another one.
    fn adopt(&self, other: &Self) {
        self.0.connection.replace(other.connection());
    }

    /// Waits until the browser has closed the database.
    async fn closed(&self) {
        // It does not fail: the sender is ours.
        let _ = self.0.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Waits until another tab wants the database in another version, as a newer Tincan does. That tab waits until this
    /// one has called [`Self::close`].
    pub async fn outdated(&self) {
        // It does not fail: the sender is ours.
        let _ = self.0.outdated.subscribe().wait_for(|outdated| *outdated).await;
    }

    /// Closes it, for all clones: the transaction under way is the last one.
    pub fn close(&self) {
        self.connection().close();
    }

    fn connection(&self) -> Rc<idb::Database> {
        self.0.connection.borrow().clone()
    }

    /// The stored key of a slot.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn key(&self, slot: u32) -> Result<Option<Vec<u8>>, Refused> {
        let database = self.connection();
        answered(async move {
            let transaction = database.transaction(&[KEYS], TransactionMode::ReadOnly)?;
            let value = transaction.object_store(KEYS)?.get(JsValue::from(slot))?.await?;
            Ok(value.map(|value| Uint8Array::new(&value).to_vec()))
        })
        .await
    }

    /// Stores the key of a slot.
    ///
    /// # Errors
    /// When the database fails, is full or does not answer.
    pub async fn put_key(&self, slot: u32, key: &[u8]) -> Result<(), Refused> {
        let (database, value) = (self.connection(), Uint8Array::from(key));
        answered(async move {
            let transaction = database.transaction(&[KEYS], TransactionMode::ReadWrite)?;
            let store = transaction.object_store(KEYS)?;
            let mut requests = Requests::default();
            requests.add(store.put(&value, Some(&slot.into())));
            requests.commit(transaction).await
        })
        .await
    }

    /// The stored keys of all slots.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn keys(&self) -> Result<Vec<(u32, Vec<u8>)>, Refused> {
        let database = self.connection();
        answered(async move {
            let transaction = database.transaction(&[KEYS], TransactionMode::ReadOnly)?;
            let store = transaction.object_store(KEYS)?;
            let (slots, keys) =
                join(store.get_all_keys(None, None)?.into_future(), store.get_all(None, None)?.into_future()).await;
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
        let database = self.connection();
        answered(async move {
            let transaction = database.transaction(&[ENTRIES], TransactionMode::ReadOnly)?;
            let store = transaction.object_store(ENTRIES)?;
            let all = || range(slot).map(|range| Some(range.into()));
            let keys = store.get_all_keys(all()?, None)?.into_future();
            let (keys, values) = join(keys, store.get_all(all()?, None)?.into_future()).await;
            let prefix = prefix(slot);
            let name = |key: JsValue| Some(key.as_string()?.strip_prefix(&prefix)?.to_owned());
            let names = keys?.into_iter().map(name);
            let values = values?.into_iter().map(|value| Uint8Array::new(&value).to_vec());
            Ok(names.zip(values).filter_map(|(name, value)| Some((name?, value))).collect())
        })
        .await
    }

    /// What the last page of a slot left unwritten, if that had this owner.
    #[must_use]
    pub fn journal(&self, slot: u32, owner: &PeerId) -> Journal {
        Journal::of(&self.0.name, slot, owner)
    }

    /// Where a slot's node stores from now on. What the journal holds is the first that is written.
    #[must_use]
    pub fn writer(&self, slot: u32, journal: Journal, teller: Teller) -> WriteBehind {
        WriteBehind::new(Restore::new(self.clone(), slot, teller.clone(), None), journal, teller)
    }

    /// The same, with a copy of what the slot has: it is stored again when the browser has cleared the site's data.
    #[must_use]
    pub fn restoring_writer(&self, slot: u32, journal: Journal, teller: Teller, copy: SlotCopy) -> WriteBehind {
        WriteBehind::new(Restore::new(self.clone(), slot, teller.clone(), Some(copy)), journal, teller)
    }
}

/// Waits for the database, but not for ever. The work itself goes on in the background: IndexedDB
/// requests cannot be taken back, and their handlers must outlive them.
async fn answered<T: 'static>(work: impl Future<Output = Result<T, idb::Error>> + 'static) -> Result<T, Refused> {
    let (reply, answer) = oneshot::channel();
    spawn_local(async move {
        // An error means that nobody waits any more.
        let _ = reply.send(work.await);
    });
    match timeout(ANSWER_WAIT, answer).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(format!("IndexedDB refuses: {error}")),
        Ok(Err(_)) | Err(_) => Err("IndexedDB does not answer".into()),
    }
}

/// Slots share one object store: another one would need another version of the database.
fn prefix(slot: u32) -> String {
    format!("{slot}/")
}

/// All keys that begin with a slot's prefix: `0` follows `/`.
fn range(slot: u32) -> Result<KeyRange, idb::Error> {
    let (lower, upper) = (JsValue::from(prefix(slot)), JsValue::from(format!("{slot}0")));
    KeyRange::bound(&lower, &upper, None, Some(true))
}
