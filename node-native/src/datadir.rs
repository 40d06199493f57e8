//! Where data is kept, and that one node at a time keeps it.

use std::{
    env,
    fs::{DirBuilder, File, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{Error, settings::Settings};

/// The folder inside the user's data home.
const FOLDER: &str = "tincan";
const LOCK_FILE: &str = "lock";
/// Permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// The directory somebody named, else the user's own.
///
/// # Errors
/// [`Error::NoHome`].
pub fn path(settings: &Settings) -> Result<PathBuf, Error> {
    if let Some(named) = &settings.data_dir {
        return Ok(named.clone());
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    home.map(|home| home.join(FOLDER)).ok_or(Error::NoHome)
}

/// Makes the directory, for its owner only.
///
/// # Errors
/// [`Error::File`].
pub fn create(dir: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|source| Error::File {
        what: "make the data directory",
        path: dir.to_owned(),
        source,
    })
}

/// A data directory that this process has locked. The lock is released on drop, and by the system if the process dies.
#[derive(Debug)]
pub struct LockedDir {
    dir: PathBuf,
    _lock: File,
}

impl LockedDir {
    /// Locks the directory; none if another node has it.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::NoLocks`].
    pub fn lock(dir: &Path) -> Result<Option<Self>, Error> {
        create(dir)?;
        let path = dir.join(LOCK_FILE);
        let refused = |source| Error::File { what: "lock", path: path.clone(), source };
        let lock = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { dir: dir.to_owned(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::NoLocks { dir: dir.to_owned(), reason: error.to_string() }),
        }
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Warns if others can read or change a secret, and takes these permissions away if the file is ours. Somebody may have
/// read it already.
pub fn restrict_to_owner(file: &File, path: &Path) {
    let Ok(found) = file.metadata() else { return };
    if !found.is_file() || found.mode() & OTHERS == 0 {
        return;
    }
    let ours = rustix::process::geteuid().as_raw() == found.uid();
    let fate = match ours.then(|| file.set_permissions(Permissions::from_mode(found.mode() & 0o7700))) {
        Some(Ok(())) => "now only its owner can".to_owned(),
        Some(Err(error)) => format!("that cannot be changed: {error}"),
        None => "it belongs to somebody else".to_owned(),
    };
    let mode = found.mode() & 0o777;
    tracing::warn!(
        "others could read or change {} (mode {mode:04o}): {fate}; whoever read it can pass for this node, \
         so move it away to have a new one made if you do not trust them",
        path.display()
    );
}

/// Writes a secret for its owner only. Whoever looks, at any time, finds all of it or nothing;
/// one that is there already stays, and answers false.
///
/// # Errors
/// What the system says.
pub fn write_once(path: &Path, content: &[u8]) -> io::Result<bool> {
    let temporary = path.with_extension(format!("{:016x}.tmp", rand::random::<u64>()));
    let written = write_new(&temporary, content).and_then(|()| match std::fs::hard_link(&temporary, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // Some file systems have no links; a rename is whole too, but would replace.
        Err(_) if !path.exists() => std::fs::rename(&temporary, path).map(|()| true),
        Err(error) => Err(error),
    });
    let _ = std::fs::remove_file(&temporary);
    if let (Ok(true), Some(dir)) = (&written, path.parent()) {
        File::open(dir)?.sync_all()?;
    }
    written
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::options().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("a/b");
        let first = LockedDir::lock(&dir).unwrap();
        assert!(first.is_some());
        assert!(LockedDir::lock(&dir).unwrap().is_none());
        drop(first);
        assert!(LockedDir::lock(&dir).unwrap().is_some());
    }

    #[test]
    fn what_is_written_once_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        assert!(write_once(&path, b"one").unwrap());
        assert!(!write_once(&path, b"two").unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "no temporary file stays");
    }
}
