//! Writing behind: changes are taken at once and written in order, one transaction at a time.
//!
//! A full browser refuses a transaction that writes anything, but takes one that only removes. So once a write was
//! refused, removals go by themselves and first: otherwise a waiting line that was sent would wait again after a reload.

use std::{pin::pin, time::Duration};

use n0_future::time::{Instant, timeout};
use tincan_shared::{Change, Storage};
use wasm_bindgen_futures::spawn_local;

use super::{Batch, Database, Journal, Unwritten};
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
    pub(super) fn new(database: Database, slot: u32, journal: Journal, teller: Teller) -> Self {
        let unwritten = Unwritten::new(journal);
        spawn_local(drain(database, slot, unwritten.clone(), teller));
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
async fn drain(database: Database, slot: u32, unwritten: Unwritten, teller: Teller) {
    let mut batch = Batch::new();
    let mut pause = REWRITE_PAUSE;
    let mut refused = false;
    while let Some(calls) = unwritten.take_into(&mut batch) {
        if refused {
            remove(&database, slot, &mut batch).await;
        }
        if batch.is_empty() {
            if unwritten.given_up() {
                teller.stores(false);
            }
            unwritten.done(calls);
            unwritten.more().await;
            continue;
        }
        match commit(&database, slot, &batch, &teller).await {
            Ok(()) => {
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
                if !remove(&database, slot, &mut batch).await {
                    database.reopen().await;
                }
                remove_until(Instant::now() + pause, &database, slot, &unwritten, &mut batch).await;
                pause = (pause * 2).min(MAX_REWRITE_PAUSE);
            }
        }
    }
    unwritten.end_writing();
}

/// Waits for the browser however long it takes, but does not let the page claim meanwhile that it stores.
async fn commit(database: &Database, slot: u32, batch: &Batch, teller: &Teller) -> Result<(), idb::Error> {
    let mut commit = pin!(database.commit(slot, batch));
    if let Ok(committed) = timeout(COMMIT_PATIENCE, &mut commit).await {
        return committed;
    }
    tracing::debug!("the browser's storage does not answer");
    teller.stores(false);
    commit.await
}

/// Commits the removals of a batch, alone, and takes them out of it. True when the database took some.
async fn remove(database: &Database, slot: u32, batch: &mut Batch) -> bool {
    let removals: Batch =
        batch.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| (key.clone(), None)).collect();
    let removed = !removals.is_empty() && database.commit(slot, &removals).await.is_ok();
    if removed {
        batch.retain(|_, value| value.is_some());
    }
    removed
}

/// Waits to write again; what is to be removed meanwhile is removed at once.
async fn remove_until(until: Instant, database: &Database, slot: u32, unwritten: &Unwritten, batch: &mut Batch) {
    loop {
        remove(database, slot, batch).await;
        let left = until.saturating_duration_since(Instant::now());
        if timeout(left, unwritten.more()).await.is_err() || unwritten.take_into(batch).is_none() {
            return;
        }
    }
}
