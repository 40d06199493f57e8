//! The database file, and a reserve beside it that is given back when the disk is full.
//!
//! redb never writes over what is there, so even a removal takes space. On a full disk that comes from the reserve, bit
//! by bit: a line that was sent must not be found waiting by the next run.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use tincan_shared::Saved;

/// Bytes that are kept free for removals.
const RESERVE_BYTES: u64 = 1024 * 1024;
/// Bytes of it that are given back at once.
const RESERVE_STEP: u64 = 128 * 1024;
/// Until it is tried again to fill a reserve that did not fit.
const RESERVE_PAUSE: Duration = Duration::from_secs(60);
/// How the reserve's file name ends.
const RESERVE: &str = "reserve";

/// "No locks available".
const ENOLCK: i32 = if cfg!(target_os = "linux") { 37 } else { 77 };

const ENTRIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("entries");

/// Changes by key.
pub(super) type Entries = BTreeMap<String, Option<Vec<u8>>>;

/// The open file; closed after it failed, as redb then refuses everything.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
    database: Option<Database>,
    /// When the reserve is looked at again; nothing while it is whole.
    reserve_due: Option<Instant>,
}

/// redb knows eight ways to fail: the system refuses something, or something is wrong with the file.
#[derive(Debug)]
pub(super) enum Failure {
    System(io::Error),
    File(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::File(reason) => f.write_str(reason),
        }
    }
}

impl Failure {
    /// Whether the file system has no locks; redb takes some besides that of the directory.
    pub(super) fn no_locks(&self) -> bool {
        matches!(self, Self::System(error) if error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(ENOLCK))
    }
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Self::File("it is no Tincan database".into())
            }
            redb::Error::Io(error) => Self::System(error),
            redb::Error::Corrupted(reason) => Self::File(format!("it is damaged ({reason})")),
            other => Self::File(other.to_string()),
        }
    }
}

impl Disk {
    /// Opens the file or makes it, and reads what is there.
    pub(super) fn open(path: &Path) -> Result<(Self, Saved), Failure> {
        let mut disk = Self { path: path.to_owned(), database: None, reserve_due: Some(Instant::now()) };
        let saved = loop {
            match disk.load() {
                Err(_) if disk.shrink_reserve() => {}
                loaded => break loaded?,
            }
        };
        disk.fill_reserve();
        Ok((disk, saved))
    }

    fn load(&mut self) -> Result<Saved, Failure> {
        // Made here first, so that nobody but its owner reads what was said.
        File::options().create(true).append(true).mode(0o600).open(&self.path)?;
        let database = Database::create(&self.path)?;
        let read = database.begin_read()?;
        let mut saved = Saved::new();
        match read.open_table(ENTRIES) {
            Ok(table) => {
                for entry in table.iter()? {
                    let (key, value) = entry?;
                    saved.insert(key.value().to_owned(), value.value().to_vec());
                }
            }
            // A new file. An old one is only read, as the disk may be full.
            Err(TableError::TableDoesNotExist(_)) => {
                let start = database.begin_write()?;
                start.open_table(ENTRIES)?;
                start.commit()?;
            }
            Err(error) => return Err(error.into()),
        }
        drop(read);
        self.database = Some(database);
        Ok(saved)
    }

    /// Writes all of it or nothing.
    pub(super) fn commit(&mut self, entries: &Entries) -> Result<(), Failure> {
        // Taken out, and put back only if it may be used again.
        let database = match self.database.take() {
            Some(database) => database,
            None => Database::open(&self.path)?,
        };
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
        self.database = Some(database);
        Ok(())
    }

    /// Takes removals out of a batch and commits them alone, with the reserve if need be. What could not be committed
    /// is in the batch again.
    pub(super) fn remove(&mut self, entries: &mut Entries) {
        let removals: Entries = entries.extract_if(.., |_, value| value.is_none()).collect();
        if removals.is_empty() {
            return;
        }
        while self.commit(&removals).is_err() {
            if !self.shrink_reserve() {
                entries.extend(removals);
                return;
            }
        }
    }

    /// Fills the reserve when it is not whole, now and then.
    pub(super) fn fill_reserve(&mut self) {
        if self.reserve_due.is_none_or(|due| Instant::now() < due) {
            return;
        }
        match self.grow_reserve() {
            Ok(()) => self.reserve_due = None,
            Err(error) => {
                tracing::debug!(%error, "the reserve beside the database is not whole");
                self.reserve_due = Some(Instant::now() + RESERVE_PAUSE);
            }
        }
    }

    /// Makes it whole, or leaves it as it was.
    fn grow_reserve(&self) -> io::Result<()> {
        let mut file = File::options().create(true).append(true).mode(0o600).open(self.reserve())?;
        let there = file.metadata()?.len();
        // Random, as some file systems store no zeros.
        let missing = RESERVE_BYTES.saturating_sub(there).div_ceil(8);
        let bytes: Vec<u8> = (0..missing).flat_map(|_| rand::random::<[u8; 8]>()).collect();
        let grown = file.write_all(&bytes).and_then(|()| file.sync_all());
        if grown.is_err() {
            file.set_len(there)?;
        }
        grown
    }

    /// Gives a step back. False when nothing was left.
    fn shrink_reserve(&mut self) -> bool {
        let shrunk = File::options().write(true).open(self.reserve()).and_then(|file| {
            let there = file.metadata()?.len();
            file.set_len(there.saturating_sub(RESERVE_STEP))?;
            file.sync_all()?;
            Ok(there > 0)
        });
        self.reserve_due = Some(Instant::now() + RESERVE_PAUSE);
        shrunk.unwrap_or(false)
    }

    fn reserve(&self) -> PathBuf {
        self.path.with_extension(RESERVE)
    }
}
