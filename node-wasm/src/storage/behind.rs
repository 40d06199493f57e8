//! Writing behind: changes are taken at once and written in order, one transaction at a time.
//!
//! A full browser refuses a transaction that writes anything, but takes one that only removes. So once a write was
//! refused, removals go by themselves and first: otherwise a waiting line that was sent would wait again after a reload.

use std::{pin::pin, time::Duration};

use futures::future::{Either, select};
use n0_future::time::{Instant, sleep, timeout};
use tincan_shared::{Change, Storage};
use wasm_bindgen_futures::spawn_local;

use super::{Batch, Journal, Unwritten, restore::Restore};
use crate::host::Teller;

/// Pause before a failed batch is written again; doubles up to [`MAX_REWRITE_PAUSE`].
const REWRITE_PAUSE: Duration = Duration::from_millis(500);
/// How long the browser may take to write before the page says that it does not store.
const COMMIT_PATIENCE: Duration = Duration::from_secs(20);
/// Longest pause before a failed batch is written again.
const MAX_REWRITE_PAUSE: Duration = Duration::from_secs(30);

/// The database as the node sees it: takes changes at once, writes them in order behind.
#[derive(Debug)]
pub struct WriteBehind(Unwritten);

impl WriteBehind {
    pub(super) fn new(restore: Restore, journal: Journal, teller: Teller) -> Self {
        let unwritten = Unwritten::new(journal);
        spawn_local(drain(restore, unwritten.clone(), teller));
        Self(unwritten)
    }

    /// What is not written yet.
    #[must_use]
    pub fn unwritten(&self) -> Unwritten {
        self.0.clone()
    }
}

impl Storage for WriteBehind {
    fn write(&mut self, changes: Vec<Change>) {
        self.0.add(changes);
    }
}

impl Drop for WriteBehind {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Writes what is unwritten, one transaction at a time, until its [`WriteBehind`] is gone or the page goes away.
async fn drain(mut restore: Restore, unwritten: Unwritten, teller: Teller) {
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
            unwritten.done(calls);
            let closed = matches!(select(pin!(unwritten.more()), pin!(restore.closed())).await, Either::Right(_));
            if closed {
                reopen(&restore, &teller).await;
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
                unwritten.done(calls);
            }
            // As when the database was closed on leaving.
            Err(_) if unwritten.is_left() => break,
            Err(error) => {
                tracing::debug!("the browser's storage refused a write ({error}); trying again");
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
    unwritten.end_writing();
}

/// Opens the database again, however often it takes.
async fn reopen(restore: &Restore, teller: &Teller) {
    let mut pause = REWRITE_PAUSE;
    while let Err(reason) = restore.reopen().await {
        tracing::debug!("the database does not open again: {reason}");
        teller.stores(false);
        sleep(pause).await;
        pause = (pause * 2).min(MAX_REWRITE_PAUSE);
    }
}

/// Waits for the browser however long it takes, but does not let the page claim meanwhile that it stores.
async fn commit(restore: &Restore, batch: &Batch, teller: &Teller) -> Result<(), idb::Error> {
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
        if timeout(left, unwritten.more()).await.is_err() || unwritten.take_into(batch).is_none() {
            return;
        }
    }
}
