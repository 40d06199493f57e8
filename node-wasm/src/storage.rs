//! IndexedDB behind the node's storage: one database, memory ahead of it, one transaction a batch.

use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::{join, join_all};
use js_sys::Uint8Array;
use n0_future::time::{sleep, timeout};
use rexie::{KeyRange, ObjectStore, Rexie, TransactionMode};
use tincan_shared::{Change, Saved, Storage};
use tokio::sync::{Notify, oneshot, watch};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

/// The database of a page.
pub const DATABASE: &str = "tincan";
/// Entries that may be unwritten before the page stops storing: the browser has stopped answering.
pub const MAX_UNWRITTEN: usize = 16_384;
/// How long one answer of the database may take while the page starts.
const ANSWER_WAIT: Duration = Duration::from_secs(3);
/// Pause before a failed batch is written again; doubles up to [`MAX_REWRITE_PAUSE`].
const REWRITE_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause before a failed batch is written again.
const MAX_REWRITE_PAUSE: Duration = Duration::from_secs(30);

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
    rexie: Rc<Rexie>,
}

impl Database {
    /// Opens or makes it. Ends in bounded time even when the browser does not answer.
    ///
    /// # Errors
    /// When this page may not store, or another tab holds the database in a way that blocks it.
    pub async fn open(name: &str) -> Result<Self, Refused> {
        let stores = Rexie::builder(name)
            .version(VERSION)
            .add_object_store(ObjectStore::new(KEYS))
            .add_object_store(ObjectStore::new(ENTRIES));
        let rexie = answered(stores.build()).await?;
        Ok(Self { name: name.into(), rexie: Rc::new(rexie) })
    }

    /// The stored key of a slot.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn key(&self, slot: u32) -> Result<Option<Vec<u8>>, Refused> {
        let rexie = self.rexie.clone();
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
        let (rexie, value) = (self.rexie.clone(), Uint8Array::from(key));
        answered(async move {
            let transaction = rexie.transaction(&[KEYS], TransactionMode::ReadWrite)?;
            let store = transaction.store(KEYS)?;
            let (put, done) = join(store.put(&value, Some(&slot.into())), transaction.done()).await;
            put?;
            committed(done)
        })
        .await
    }

    /// Everything a slot has stored.
    ///
    /// # Errors
    /// When the database fails or does not answer.
    pub async fn load(&self, slot: u32) -> Result<Saved, Refused> {
        let rexie = self.rexie.clone();
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
    pub fn writer(&self, slot: u32) -> WriteBehind {
        let unwritten = Arc::new(Unwritten::default());
        let (written, progress) = watch::channel(0);
        spawn_local(drain(self.clone(), slot, unwritten.clone(), written));
        WriteBehind { unwritten, progress }
    }

    async fn commit(&self, slot: u32, batch: &Batch) -> rexie::Result<()> {
        let transaction = self.rexie.transaction(&[ENTRIES], TransactionMode::ReadWrite)?;
        let store = &transaction.store(ENTRIES)?;
        let prefix = prefix(slot);
        let requests = join_all(batch.iter().map(|(key, value)| {
            let key = JsValue::from(format!("{prefix}{key}"));
            async move {
                match value {
                    Some(value) => store.put(&Uint8Array::from(value.as_slice()), Some(&key)).await.map(drop),
                    None => store.delete(key).await,
                }
            }
        }));
        // Committed by name: a page that is being left may lose what would commit by itself a moment later.
        let (requests, committed) = join(requests, transaction.commit()).await;
        requests.into_iter().collect::<rexie::Result<()>>()?;
        committed
    }
}

/// The database as the node sees it: takes changes at once, writes them in order behind.
#[derive(Debug)]
pub struct WriteBehind {
    unwritten: Arc<Unwritten>,
    progress: watch::Receiver<u64>,
}

#[derive(Debug, Default)]
struct Unwritten {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    batch: Batch,
    /// Calls of `write` so far.
    calls: u64,
    /// No more calls will come.
    ended: bool,
    /// Too much was unwritten: nothing is taken any more.
    given_up: bool,
}

impl Unwritten {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl WriteBehind {
    /// Ends when all that was taken so far is in the database, or never will be.
    pub async fn flushed(&self) {
        let calls = self.unwritten.change(|state| state.calls);
        // An error means that the writer has ended: nothing to wait for.
        let _ = self.progress.clone().wait_for(|written| *written >= calls).await;
    }
}

impl Storage for WriteBehind {
    fn write(&mut self, changes: Vec<Change>) {
        self.unwritten.change(|state| {
            if state.given_up {
                return;
            }
            state.calls += 1;
            state.batch.extend(changes.into_iter().map(|change| (change.key, change.value)));
            if state.batch.len() > MAX_UNWRITTEN {
                state.give_up();
            }
        });
        self.unwritten.wake.notify_one();
    }
}

impl State {
    fn give_up(&mut self) {
        self.given_up = true;
        self.batch.clear();
        tracing::error!("the browser's storage takes nothing more; what is said from now on does not survive a reload");
    }
}

impl Drop for WriteBehind {
    fn drop(&mut self) {
        self.unwritten.change(|state| state.ended = true);
        self.unwritten.wake.notify_one();
    }
}

/// Writes what is unwritten, one transaction at a time, until its [`WriteBehind`] is gone.
async fn drain(mut database: Database, slot: u32, unwritten: Arc<Unwritten>, written: watch::Sender<u64>) {
    let mut batch = Batch::new();
    let mut pause = REWRITE_PAUSE;
    loop {
        let (calls, stop) = unwritten.change(|state| {
            batch.append(&mut state.batch);
            if batch.len() > MAX_UNWRITTEN && !state.given_up {
                state.give_up();
            }
            (state.calls, state.given_up || (state.ended && batch.is_empty()))
        });
        if stop {
            return;
        }
        if batch.is_empty() {
            written.send_replace(calls);
            unwritten.wake.notified().await;
            continue;
        }
        match database.commit(slot, &batch).await {
            Ok(()) => {
                batch.clear();
                pause = REWRITE_PAUSE;
                written.send_replace(calls);
            }
            Err(error) => {
                tracing::warn!("the browser's storage refused a write ({error:?}); trying again");
                sleep(pause).await;
                pause = (pause * 2).min(MAX_REWRITE_PAUSE);
                if let Ok(reopened) = Database::open(&database.name).await {
                    database = reopened;
                }
            }
        }
    }
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
