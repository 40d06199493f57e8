//! What the database does not have yet: shared by the node, which hands it over, the task that writes it, and whoever
//! asks whether it is written.

use std::sync::{Arc, Mutex, PoisonError};

use tincan_shared::Change;
use tokio::sync::{Notify, watch};

use super::{Batch, Journal};

/// Entries that may be unwritten before the page gives up writing: the browser has stopped answering. Removals are
/// taken even then, up to the same number.
pub const MAX_UNWRITTEN: usize = 16_384;

/// Changes on their way into the database. Clones are the same ones.
#[derive(Debug, Clone)]
pub struct Unwritten(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when there is something to write, or nothing will come any more.
    wake: Notify,
    progress: watch::Sender<Progress>,
    journal: Journal,
}

#[derive(Debug, Default)]
struct Progress {
    /// Calls of [`Unwritten::add`] that are in the database.
    written: u64,
    /// Nothing will be written any more.
    over: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Not taken to be written yet.
    batch: Batch,
    /// Taken to be written, and not known to be in the database.
    under_way: Batch,
    /// Calls of [`Unwritten::add`] so far.
    calls: u64,
    /// The journal holds something: at least all that is under way.
    kept: bool,
    /// No more calls will come.
    ended: bool,
    /// The page went away: nothing is written any more.
    left: bool,
    /// Too much was unwritten: only removals are taken from now on.
    given_up: bool,
}

impl Unwritten {
    /// Begins with what the journal holds.
    pub(super) fn new(journal: Journal) -> Self {
        let batch = journal.read();
        if batch.is_empty() {
            // Also what another key left: it must not come back with that key.
            journal.clear();
        }
        let state = Mutex::new(State { kept: !batch.is_empty(), batch, ..State::default() });
        let (wake, progress) = (Notify::new(), watch::Sender::default());
        Self(Arc::new(Shared { state, wake, progress, journal }))
    }

    /// Keeps what is unwritten outside the database: the browser may end this page soon.
    pub fn keep(&self) {
        self.change(|state| self.keep_now(state));
    }

    /// The page goes away for good: keeps what is unwritten for the next one, and writes no more.
    pub fn leave(&self) {
        self.change(|state| {
            if !state.left {
                self.keep_now(state);
            }
            state.left = true;
        });
        self.end_writing();
        self.0.wake.notify_one();
    }

    /// Waits until all that was handed over by now is in the database. False when it never will be.
    pub async fn written(&self) -> bool {
        let calls = self.change(|state| state.calls);
        let is_written = |progress: &Progress| progress.written >= calls;
        let mut progress = self.0.progress.subscribe();
        let told = progress.wait_for(|progress| progress.over || is_written(progress)).await;
        told.is_ok_and(|progress| is_written(&progress)) && !self.given_up()
    }

    pub(super) fn add(&self, changes: Vec<Change>) {
        self.change(|state| {
            state.calls += 1;
            let mut batch = std::mem::take(&mut state.batch);
            batch.extend(changes.into_iter().map(|change| (change.key, change.value)));
            state.bound(&mut batch);
            state.batch = batch;
        });
        self.0.wake.notify_one();
    }

    /// No more calls will come.
    pub(super) fn end(&self) {
        self.change(|state| state.ended = true);
        self.0.wake.notify_one();
    }

    /// Nothing will be written any more.
    pub(super) fn end_writing(&self) {
        self.0.progress.send_modify(|progress| progress.over = true);
    }

    /// Waits until there may be something to write.
    pub(super) async fn more(&self) {
        self.0.wake.notified().await;
    }

    /// Adds what is unwritten to a batch, and tells how many calls that makes; nothing when no more will be written.
    pub(super) fn take_into(&self, batch: &mut Batch) -> Option<u64> {
        self.change(|state| {
            batch.append(&mut state.batch);
            state.bound(batch);
            if state.left || state.ended && batch.is_empty() {
                return None;
            }
            state.under_way.clone_from(batch);
            if state.kept {
                // Never older than what the database is about to have.
                self.keep_now(state);
            }
            Some(state.calls)
        })
    }

    /// All that was taken is in the database, or was given up.
    pub(super) fn done(&self, calls: u64) {
        self.change(|state| {
            state.under_way.clear();
            if state.kept && !state.left {
                self.keep_now(state);
            }
        });
        self.0.progress.send_modify(|progress| progress.written = calls);
    }

    /// The page went away.
    pub(super) fn is_left(&self) -> bool {
        self.change(|state| state.left)
    }

    pub(super) fn given_up(&self) -> bool {
        self.change(|state| state.given_up)
    }

    fn keep_now(&self, state: &mut State) {
        let mut all = state.under_way.clone();
        all.extend(state.batch.iter().map(|(key, value)| (key.clone(), value.clone())));
        match all.is_empty() {
            true if state.kept => {
                self.0.journal.clear();
                state.kept = false;
            }
            true => {}
            false => state.kept = self.0.journal.keep(&all),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
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
