//! The WebRTC certificate on disk: its hash is in the addresses people keep.

use std::{fs, io, path::Path};

use tincan_webrtc::native::{Certificate, CertificateError};

use crate::{Error, datadir};

/// Its name in the data directory.
pub const NAME: &str = "webrtc.pem";

/// Makes one that is kept nowhere.
///
/// # Errors
/// [`Error::SetUp`].
pub fn generate() -> Result<Certificate, Error> {
    Certificate::generate().map_err(|error| Error::SetUp { what: "a WebRTC certificate", reason: error.to_string() })
}

/// Reads the certificate, or makes one where there is none.
///
/// # Errors
/// [`Error::File`], [`Error::CertificateFile`].
pub fn load_or_create(path: &Path) -> Result<Certificate, Error> {
    if let Ok(file) = fs::File::open(path) {
        datadir::restrict_to_owner(&file, path);
    }
    match fs::read_to_string(path) {
        Ok(text) => read(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = generate()?;
            datadir::write_once(path, made.to_pem().as_bytes()).map_err(|source| Error::File {
                what: "write certificate file",
                path: path.to_owned(),
                source,
            })?;
            Ok(made)
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(damaged(path, "it is no text")),
        Err(source) => Err(Error::File { what: "read certificate file", path: path.to_owned(), source }),
    }
}

fn read(path: &Path, text: &str) -> Result<Certificate, Error> {
    Certificate::from_pem(text).map_err(|error: CertificateError| damaged(path, &error.to_string()))
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::CertificateFile { path: path.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_stays_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        let first = load_or_create(&path).unwrap();
        assert_eq!(load_or_create(&path).unwrap().fingerprint(), first.fingerprint());
    }

    #[test]
    fn no_damage_panics() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        load_or_create(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() - 1 {
            fs::write(&path, &whole[..cut]).unwrap();
            let got = load_or_create(&path);
            assert!(got.is_err() || cut + 2 >= whole.len(), "cut at {cut}");
        }
        fs::write(&path, "-----BEGIN EXPIRES-----\nAAAA\n-----END EXPIRES-----\n").unwrap();
        assert!(matches!(load_or_create(&path), Err(Error::CertificateFile { .. })));
    }
}
