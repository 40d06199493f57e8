//! Writing behind: changes are taken at once and written in order, one transaction at a time.
//!
//! A full browser refuses a transaction that writes anything, but takes one that only removes. So once a write was
//! refused, removals go by themselves and first: otherwise a waiting line that was sent would wait again after a reload.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::{Either, select};
use n0_future::time::{Instant, sleep, timeout};
use tincan_shared::{Change, Storage};
use tokio::sync::{Notify, watch};
use wasm_bindgen_futures::spawn_local;

use super::{Batch, Database, SlotCopy, restore::Restore};
use crate::host::Teller;

/// Entries that may be unwritten before the page gives up writing: the browser has stopped answering. Removals are
/// taken even then, up to the same number.
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
    /// Too much was unwritten: only removals are taken from now on.
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
            state.bound(batch);
            let over = state.ended && batch.is_empty();
            (!over).then_some(state.calls)
        })
    }

    fn given_up(&self) -> bool {
        self.change(|state| state.given_up)
    }
}

impl WriteBehind {
    pub(super) fn new(database: Database, slot: u32, teller: Teller, copy: Option<SlotCopy>) -> Self {
        let unwritten = Arc::new(Unwritten::default());
        let (written, progress) = watch::channel(0);
        let restore = Restore::new(database, slot, teller.clone(), copy);
        spawn_local(drain(restore, unwritten.clone(), written, teller));
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
            state.calls += 1;
            let mut batch = std::mem::take(&mut state.batch);
            batch.extend(changes.into_iter().map(|change| (change.key, change.value)));
            state.bound(&mut batch);
            state.batch = batch;
        });
        self.unwritten.wake.notify_one();
    }
}

impl State {
    /// Gives up writing when too much is unwritten, and keeps what there is then within the bound.
    fn bound(&mut self, batch: &mut Batch) {
        if batch.len() > MAX_UNWRITTEN && !self.given_up {
            self.given_up = true;
            tracing::warn!(
                "the browser's storage takes nothing more; what is said from now on does not survive a reload"
            );
        }
        if self.given_up {
            batch.retain(|_, value| value.is_none());
            while batch.len() > MAX_UNWRITTEN {
                batch.pop_first();
            }
        }
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
    restore: impl Future<Output = Restore>,
    unwritten: Arc<Unwritten>,
    written: watch::Sender<u64>,
    teller: Teller,
) {
    let mut restore = restore.await;
    let mut batch = Batch::new();
    let mut pause = REWRITE_PAUSE;
    let mut refused = false;
    while let Some(calls) = unwritten.take_into(&mut batch) {
        if refused {
            remove(&mut restore, &mut batch).await;
        }
        if batch.is_empty() {
            if unwritten.given_up() {
                teller.stores(false);
            }
            written.send_replace(calls);
            let closed =
                matches!(select(pin!(unwritten.wake.notified()), pin!(restore.closed())).await, Either::Right(_));
            if closed {
                reopen(&mut restore, &teller).await;
                teller.stores(!unwritten.given_up());
            }
            continue;
        }
        match commit(&restore, &batch, &teller).await {
            Ok(()) => {
                restore.written(&batch);
                batch.clear();
                pause = REWRITE_PAUSE;
                refused = false;
                teller.stores(!unwritten.given_up());
                written.send_replace(calls);
            }
            Err(error) => {
                tracing::debug!("the browser's storage refused a write ({error:?}); trying again");
                refused = true;
                teller.stores(false);
                if !remove(&mut restore, &mut batch).await
                    && let Err(reason) = restore.reopen().await
                {
                    tracing::debug!("the database does not open again: {reason}");
                }
                remove_until(Instant::now() + pause, &mut restore, &unwritten, &mut batch).await;
                pause = (pause * 2).min(MAX_REWRITE_PAUSE);
            }
        }
    }
}

/// Opens the database again, however often it takes.
async fn reopen(restore: &mut Restore, teller: &Teller) {
    let mut pause = REWRITE_PAUSE;
    while let Err(reason) = restore.reopen().await {
        tracing::debug!("the database does not open again: {reason}");
        teller.stores(false);
        sleep(pause).await;
        pause = (pause * 2).min(MAX_REWRITE_PAUSE);
    }
}

/// Waits for the browser however long it takes, but does not let the page claim meanwhile that it stores.
async fn commit(restore: &Restore, batch: &Batch, teller: &Teller) -> Result<(), rexie::Error> {
    let mut commit = pin!(restore.database.commit(restore.slot, batch));
    if let Ok(committed) = timeout(COMMIT_PATIENCE, &mut commit).await {
        return committed;
    }
    tracing::debug!("the browser's storage does not answer");
    teller.stores(false);
    commit.await
}

/// Commits the removals of a batch, alone, and takes them out of it. True when the database took some.
async fn remove(restore: &mut Restore, batch: &mut Batch) -> bool {
    let removals: Batch =
        batch.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| (key.clone(), None)).collect();
    let removed = !removals.is_empty() && restore.database.commit(restore.slot, &removals).await.is_ok();
    if removed {
        restore.written(&removals);
        batch.retain(|_, value| value.is_some());
    }
    removed
}

/// Waits to write again; what is to be removed meanwhile is removed at once.
async fn remove_until(until: Instant, restore: &mut Restore, unwritten: &Unwritten, batch: &mut Batch) {
    loop {
        remove(restore, batch).await;
        let left = until.saturating_duration_since(Instant::now());
        if timeout(left, unwritten.wake.notified()).await.is_err() || unwritten.take_into(batch).is_none() {
            return;
        }
    }
}
