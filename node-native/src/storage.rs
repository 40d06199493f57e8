//! The node's entries on disk, written behind its back in one redb file.

mod disk;

use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tincan_shared::{Change, Saved, Storage};

use self::disk::{Disk, Entries, Failure};
use crate::Error;

/// Its name in the data directory.
pub const NAME: &str = "tincan.redb";
/// Entries that may wait for a slow disk. Beyond it new ones are lost, and the log says so; removals are taken up to
/// twice as many.
const MAX_WAITING: usize = 65_536;

/// Until a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Hands changes to the writer. Never waits for the disk: changes that arrive while it writes are merged,
/// the last one of a key counts, and go in one transaction, so each call is on disk as a whole or not at all. Only
/// where the disk refuses do removals go before the rest.
#[derive(Debug)]
pub struct Redb(Arc<Queue>);

/// Knows when everything is written.
#[derive(Debug)]
pub struct Writer(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Entries,
    writing: bool,
    closed: bool,
    /// Some were dropped since writing began to fail.
    lost: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it is held leaves a map that is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to write next; nothing when there will be no more.
    fn take(&self) -> Option<Entries> {
        let mut state = self.lock();
        state.writing = false;
        self.changed.notify_all();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.writing = true;
        Some(std::mem::take(&mut state.waiting))
    }
}

impl Queue {
    /// What could not be written waits again, below what came since. False when the node has ended: then there
    /// is nobody to wait for.
    fn put_back(&self, entries: Entries) -> bool {
        let mut state = self.lock();
        for (key, value) in entries {
            state.waiting.entry(key).or_insert(value);
        }
        !state.closed
    }

    /// Removals that came since, waited for until then; none when the time is up or the node ends.
    fn removals(&self, until: Instant) -> Entries {
        let mut state = self.lock();
        loop {
            let removals: Entries = state.waiting.extract_if(.., |_, value| value.is_none()).collect();
            let left = until.saturating_duration_since(Instant::now());
            if !removals.is_empty() || state.closed || left.is_zero() {
                return removals;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Storage for Redb {
    fn write(&mut self, mut changes: Vec<Change>) {
        let mut state = self.0.lock();
        let waiting = state.waiting.len();
        if waiting + changes.len() > MAX_WAITING {
            let all = changes.len();
            changes.retain(|change| change.value.is_none() && waiting + all <= 2 * MAX_WAITING);
            tracing::error!(lost = all - changes.len(), "the disk is too slow or refuses: changes are not stored");
            state.lost = true;
        }
        state.waiting.extend(changes.into_iter().map(|change| (change.key, change.value)));
        self.0.changed.notify_all();
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Writer {
    /// Waits until everything handed over is on disk, at most so long. False when it is not.
    #[must_use]
    pub fn finish(&self, at_most: Duration) -> bool {
        let busy = |state: &mut State| state.writing || !state.waiting.is_empty();
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), at_most, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

/// Opens the file, or makes it, and reads what earlier runs stored.
///
/// # Errors
/// [`Error::File`], [`Error::NoLocks`], [`Error::Database`]; a file that cannot be read is left as it is.
pub fn open(path: &Path) -> Result<(Redb, Writer, Saved), Error> {
    let broken = |reason: String| Error::Database { path: path.to_owned(), reason };
    let (disk, saved) = Disk::open(path).map_err(|failure| match failure {
        failure if failure.no_locks() => {
            let dir = path.parent().unwrap_or(path).to_owned();
            Error::NoLocks { dir, reason: failure.to_string() }
        }
        Failure::System(source) => Error::File { what: "open the database", path: path.to_owned(), source },
        Failure::File(reason) => broken(reason),
    })?;
    let queue = Arc::new(Queue::default());
    let writers = Arc::clone(&queue);
    thread::Builder::new()
        .name("storage".into())
        .spawn(move || write_behind(&writers, disk))
        .map_err(|error| broken(error.to_string()))?;
    Ok((Redb(Arc::clone(&queue)), Writer(queue), saved))
}

/// Writes what is handed over, until there will be no more. Says once that the disk refuses, and once that it
/// takes again.
fn write_behind(queue: &Queue, mut disk: Disk) {
    let mut failing = false;
    while let Some(mut entries) = queue.take() {
        if failing {
            disk.remove(&mut entries);
        }
        if entries.is_empty() {
            continue;
        }
        match disk.commit(&entries) {
            Ok(()) => {
                disk.fill_reserve();
                if std::mem::take(&mut failing) {
                    let lost = std::mem::take(&mut queue.lock().lost);
                    let what = if lost { "some were lost" } else { "nothing was lost" };
                    tracing::warn!("the database takes changes again; {what}");
                }
            }
            Err(error) => {
                disk.remove(&mut entries);
                if !std::mem::replace(&mut failing, true) {
                    let retry = RETRY_PAUSE.as_secs();
                    tracing::error!(%error, "cannot write to the database; keeping it in memory, trying every {retry} s");
                }
                if !queue.put_back(entries) {
                    break;
                }
                remove_until(Instant::now() + RETRY_PAUSE, queue, &mut disk);
            }
        }
    }
}

/// Waits to write again; what is to be removed meanwhile is removed at once.
fn remove_until(until: Instant, queue: &Queue, disk: &mut Disk) {
    loop {
        let mut removals = queue.removals(until);
        if removals.is_empty() {
            return;
        }
        disk.remove(&mut removals);
        if !removals.is_empty() {
            queue.put_back(removals);
            thread::sleep(until.saturating_duration_since(Instant::now()));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn change(key: &str, value: Option<&str>) -> Change {
        Change { key: key.into(), value: value.map(Into::into) }
    }

    #[test]
    fn what_was_written_is_there_the_next_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        let (mut storage, writer, saved) = open(&path).unwrap();
        assert!(saved.is_empty());
        storage.write(vec![change("a", Some("1")), change("b", Some("2"))]);
        storage.write(vec![change("a", None), change("b", Some("3"))]);
        drop(storage);
        assert!(writer.finish(PATIENCE));
        // The file is free again once the writer's thread has ended.
        let ended = std::time::Instant::now() + PATIENCE;
        let saved = loop {
            match open(&path) {
                Ok((_, _, saved)) => break saved,
                Err(error) => assert!(std::time::Instant::now() < ended, "{error}"),
            }
            thread::yield_now();
        };
        assert_eq!(saved, Saved::from([("b".to_owned(), b"3".to_vec())]));
    }

    #[test]
    fn a_file_that_is_no_database_is_named_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        for content in [b"nonsense".to_vec(), vec![7; 100_000]] {
            fs::write(&path, &content).unwrap();
            assert!(matches!(open(&path), Err(Error::Database { .. })));
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}
