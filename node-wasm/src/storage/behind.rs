//! Writing behind: changes are taken at once and written in order, one transaction at a time.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use n0_future::time::{Instant, timeout};
use tincan_shared::{Change, Storage};
use tokio::sync::{Notify, watch};
use wasm_bindgen_futures::spawn_local;

use super::{Batch, Database};
use crate::host::Teller;

/// Entries that may be unwritten before the page stops storing: the browser has stopped answering.
pub const MAX_UNWRITTEN: usize = 16_384;
/// Pause before a failed batch is written again; doubles up to [`MAX_REWRITE_PAUSE`].
const REWRITE_PAUSE: Duration = Duration::from_millis(500);
/// How long the browser may take to write before the page says that it does not store.
const COMMIT_PATIENCE: Duration = Duration::from_secs(20);
/// Longest pause before a failed batch is written again.
const MAX_REWRITE_PAUSE: Duration = Duration::from_secs(30);

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

    /// Adds what is unwritten to a batch, and tells how many calls that makes; nothing when no more will be written.
    fn take_into(&self, batch: &mut Batch) -> Option<u64> {
        self.change(|state| {
            batch.append(&mut state.batch);
            if batch.len() > MAX_UNWRITTEN && !state.given_up {
                state.give_up();
            }
            let over = state.given_up || (state.ended && batch.is_empty());
            (!over).then_some(state.calls)
        })
    }
}

impl WriteBehind {
    pub(super) fn new(database: Database, slot: u32, teller: Teller) -> Self {
        let unwritten = Arc::new(Unwritten::default());
        let (written, progress) = watch::channel(0);
        spawn_local(drain(database, slot, unwritten.clone(), written, teller));
        Self { unwritten, progress }
    }

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
        tracing::warn!("the browser's storage takes nothing more; what is said from now on does not survive a reload");
    }
}

impl Drop for WriteBehind {
    fn drop(&mut self) {
        self.unwritten.change(|state| state.ended = true);
        self.unwritten.wake.notify_one();
    }
}

/// Writes what is unwritten, one transaction at a time, until its [`WriteBehind`] is gone.
async fn drain(
    mut database: Database,
    slot: u32,
    unwritten: Arc<Unwritten>,
    written: watch::Sender<u64>,
    teller: Teller,
) {
    let mut batch = Batch::new();
    let mut pause = REWRITE_PAUSE;
    loop {
        let Some(calls) = unwritten.take_into(&mut batch) else {
            // Ended for good, or given up: only the latter is news, and told for as long as the page lives.
            teller.stores(!unwritten.change(|state| state.given_up));
            return;
        };
        if batch.is_empty() {
            written.send_replace(calls);
            unwritten.wake.notified().await;
            continue;
        }
        match commit(&database, slot, &batch, &teller).await {
            Ok(()) => {
                batch.clear();
                pause = REWRITE_PAUSE;
                teller.stores(true);
                written.send_replace(calls);
            }
            Err(error) => {
                tracing::debug!("the browser's storage refused a write ({error:?}); trying again");
                teller.stores(false);
                if let Ok(reopened) = Database::open(&database.name).await {
                    database = reopened;
                }
                forget_until(Instant::now() + pause, &database, slot, &unwritten, &mut batch).await;
                pause = (pause * 2).min(MAX_REWRITE_PAUSE);
            }
        }
    }
}

/// Waits for the browser however long it takes, but does not let the page claim meanwhile that it stores.
async fn commit(database: &Database, slot: u32, batch: &Batch, teller: &Teller) -> Result<(), rexie::Error> {
    let mut commit = pin!(database.commit(slot, batch));
    if let Ok(committed) = timeout(COMMIT_PATIENCE, &mut commit).await {
        return committed;
    }
    tracing::debug!("the browser's storage does not answer");
    teller.stores(false);
    commit.await
}

/// Where nothing more fits, entries can still be dropped, and are at once: a waiting line that was sent must not
/// be said again after a reload.
async fn forget_until(until: Instant, database: &Database, slot: u32, unwritten: &Unwritten, batch: &mut Batch) {
    loop {
        let dropped = batch.iter().filter(|(_, value)| value.is_none());
        let dropped: Batch = dropped.map(|(key, _)| (key.clone(), None)).collect();
        if !dropped.is_empty() && database.commit(slot, &dropped).await.is_ok() {
            batch.retain(|_, value| value.is_some());
        }
        let left = until.saturating_duration_since(Instant::now());
        if timeout(left, unwritten.wake.notified()).await.is_err() || unwritten.take_into(batch).is_none() {
            return;
        }
    }
}
