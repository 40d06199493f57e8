//! The node's key on disk: it is the identity, so it is never overwritten.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use libp2p::identity::{KeyType, Keypair};

use crate::{Error, datadir};

/// Its name in the data directory.
pub const NAME: &str = "identity.key";
/// An ed25519 key in libp2p's protobuf has 68 bytes; what is far longer is something else.
const MAX_BYTES: u64 = 4096;

/// Reads the key, or makes one where there is none.
///
/// # Errors
/// [`Error::File`], [`Error::KeyFile`].
pub fn load_or_create(path: &Path) -> Result<Keypair, Error> {
    if let Some(found) = load(path)? {
        return Ok(found);
    }
    let made = Keypair::generate_ed25519();
    let bytes = made
        .to_protobuf_encoding()
        .map_err(|error| Error::KeyFile { path: path.to_owned(), reason: error.to_string() })?;
    let written = datadir::write_once(path, &bytes).map_err(|source| refused("write key file", path, source))?;
    if written {
        return Ok(made);
    }
    // Another process was faster: its key counts.
    load(path)?.ok_or_else(|| refused("read key file", path, io::ErrorKind::NotFound.into()))
}

fn load(path: &Path) -> Result<Option<Keypair>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused("read key file", path, error)),
    };
    datadir::restrict_to_owner(&file, path);
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| refused("read key file", path, error))?;
    let damaged = |reason: String| Error::KeyFile { path: path.to_owned(), reason };
    let key = Keypair::from_protobuf_encoding(&bytes)
        .map_err(|_| damaged(format!("its {} bytes are no key", bytes.len())))?;
    match key.key_type() {
        KeyType::Ed25519 => Ok(Some(key)),
        other => Err(damaged(format!("it holds a key of type {other:?}, not ed25519"))),
    }
}

fn refused(what: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File { what, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        let first = load_or_create(&path).unwrap().public();
        assert_eq!(load_or_create(&path).unwrap().public(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_that_others_can_read_becomes_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        let made = load_or_create(&path).unwrap().public();
        for mode in [0o644, 0o660, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(load_or_create(&path).unwrap().public(), made);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400, "no more than before");
    }

    #[test]
    fn what_is_no_key_is_named_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        for content in [&b""[..], b"nonsense", &[0x08, 0x01, 0x12, 0x40]] {
            fs::write(&path, content).unwrap();
            let error = load_or_create(&path).unwrap_err();
            assert!(matches!(error, Error::KeyFile { .. }), "{error}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(load_or_create(&path), Err(Error::File { .. })));
    }
}
