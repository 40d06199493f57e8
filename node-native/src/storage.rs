//! The node's entries on disk, written behind its back in one redb file.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tincan_shared::{Change, Saved, Storage};

use crate::Error;

/// Its name in the data directory.
pub const NAME: &str = "tincan.redb";
/// Entries that may wait for a slow disk. Beyond it new ones are lost, and the log says so.
const MAX_WAITING: usize = 65_536;

/// Until a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

const ENTRIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("entries");

type Entries = BTreeMap<String, Option<Vec<u8>>>;

/// Hands changes to the writer. Never waits for the disk: changes that arrive while it writes are merged,
/// the last one of a key counts, and go in one transaction, so each call is on disk as a whole or not at all.
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
}

impl Storage for Redb {
    fn write(&mut self, changes: Vec<Change>) {
        let mut state = self.0.lock();
        if state.waiting.len() + changes.len() > MAX_WAITING {
            tracing::error!(lost = changes.len(), "the disk is too slow or refuses: changes are not stored");
            state.lost = true;
            return;
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
/// [`Error::Database`]; a file that cannot be read is left as it is.
pub fn open(path: &Path) -> Result<(Redb, Writer, Saved), Error> {
    let broken = |reason: String| Error::Database { path: path.to_owned(), reason };
    let (database, saved) = load(path).map_err(|error| broken(error.to_string()))?;
    let queue = Arc::new(Queue::default());
    let (writers, file) = (Arc::clone(&queue), path.to_owned());
    thread::Builder::new()
        .name("storage".into())
        .spawn(move || write_behind(&writers, &file, database))
        .map_err(|error| broken(error.to_string()))?;
    Ok((Redb(Arc::clone(&queue)), Writer(queue), saved))
}

/// Writes what is handed over, until there will be no more. Says once that the disk refuses, and once that it
/// takes again.
fn write_behind(queue: &Queue, path: &Path, database: Database) {
    let mut database = Some(database);
    let mut failing = false;
    while let Some(entries) = queue.take() {
        let opened = match database.take() {
            Some(database) => Ok(database),
            None => Database::open(path).map_err(Failure::from),
        };
        match opened.and_then(|opened| commit(&opened, &entries).map(|()| opened)) {
            Ok(opened) => {
                database = Some(opened);
                if std::mem::take(&mut failing) {
                    let lost = std::mem::take(&mut queue.lock().lost);
                    let what = if lost { "some were lost" } else { "nothing was lost" };
                    tracing::warn!("the database takes changes again; {what}");
                }
            }
            // After a failed write redb refuses everything: it has to be opened anew.
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    let retry = RETRY_PAUSE.as_secs();
                    tracing::error!(%error, "cannot write to the database; keeping it in memory, trying every {retry} s");
                }
                if !queue.put_back(entries) {
                    break;
                }
                thread::sleep(RETRY_PAUSE);
            }
        }
    }
}

/// redb knows eight ways to fail; here they end the same.
#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(match error.into() {
            redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => "it is no Tincan database".into(),
            redb::Error::Corrupted(reason) => format!("it is damaged ({reason})"),
            other => other.to_string(),
        })
    }
}

fn load(path: &Path) -> Result<(Database, Saved), Failure> {
    // Made here first, so that nobody but its owner reads what was said.
    File::options().create(true).append(true).mode(0o600).open(path)?;
    let database = Database::create(path)?;
    let start = database.begin_write()?;
    start.open_table(ENTRIES)?;
    start.commit()?;
    let read = database.begin_read()?;
    let mut saved = Saved::new();
    for entry in read.open_table(ENTRIES)?.iter()? {
        let (key, value) = entry?;
        saved.insert(key.value().to_owned(), value.value().to_vec());
    }
    drop(read);
    Ok((database, saved))
}

fn commit(database: &Database, entries: &Entries) -> Result<(), Failure> {
    let write = database.begin_write()?;
    {
        let mut table = write.open_table(ENTRIES)?;
        for (key, value) in entries {
            match value {
                Some(value) => drop(table.insert(key.as_str(), value.as_slice())?),
                None => drop(table.remove(key.as_str())?),
            }
        }
    }
    write.commit()?;
    Ok(())
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
