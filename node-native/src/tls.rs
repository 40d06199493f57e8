//! TLS of `/wss` addresses: whose certificates are trusted, and what is wrong with one in words.

use std::{error::Error as StdError, ffi::OsString, io, path::PathBuf};

use libp2p::websocket;
use rustls::CertificateError;
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

/// A file of root certificates, in place of the system's.
const FILE: &str = "SSL_CERT_FILE";
/// A folder of them, in which they have the names that `openssl rehash` gives.
const FOLDER: &str = "SSL_CERT_DIR";

/// Trusts the roots that are compiled in, and this system's: those that [`FILE`] and [`FOLDER`] name, else those that
/// the system keeps. What cannot be read is logged.
pub(crate) fn config() -> websocket::tls::Config {
    let system = load();
    for error in &system.errors {
        match set(FILE).or_else(|| set(FOLDER)) {
            Some(_) => tracing::warn!("not all certificates that {FILE} or {FOLDER} names can be read: {error}"),
            None => tracing::debug!("a certificate of this system cannot be read: {error}"),
        }
    }
    let mut builder = websocket::tls::Config::builder();
    for certificate in system.certs {
        if let Err(error) = builder.add_trust(&websocket::tls::Certificate::new(certificate.to_vec())) {
            tracing::debug!("a root certificate is of no use: {error}");
        }
    }
    builder.finish()
}

/// An empty variable is as if unset.
fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn load() -> CertificateResult {
    match (set(FILE), set(FOLDER)) {
        // It would be taken for the name of a file.
        (None, None) if std::env::var_os(FILE).is_some() => {
            let found = openssl_probe::probe();
            load_certs_from_paths(found.cert_file.as_deref(), found.cert_dir.first().map(PathBuf::as_path))
        }
        (None, Some(folders)) => {
            std::env::split_paths(&folders).fold(CertificateResult::default(), |mut all, folder| {
                let found = load_certs_from_paths(None, Some(&folder));
                all.certs.extend(found.certs);
                all.errors.extend(found.errors);
                all
            })
        }
        _ => load_native_certs(),
    }
}

/// Why a WebSocket did not come about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error<E: StdError + 'static> {
    /// TLS failed, in words.
    #[error("{0}")]
    Tls(String),
    /// Anything else.
    #[error(transparent)]
    Other(websocket::error::Error<E>),
}

impl<E: StdError + 'static> From<websocket::error::Error<E>> for Error<E> {
    fn from(error: websocket::error::Error<E>) -> Self {
        let words = match &error {
            websocket::error::Error::Tls(websocket::tls::Error::Io(error)) => in_words(error),
            _ => None,
        };
        words.map_or(Self::Other(error), Self::Tls)
    }
}

fn in_words(error: &io::Error) -> Option<String> {
    let no_tls = "no TLS is spoken there; write /ws in place of /wss or /tls/ws, or check the port";
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Some(no_tls.to_owned());
    }
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(error) => Some(certificate(error)),
        rustls::Error::InvalidMessage(_) => Some(no_tls.to_owned()),
        error => Some(format!("TLS failed ({error}); check the address, and the server's TLS settings")),
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "its certificate is from an issuer that this machine does not trust; add the \
             issuer's certificate to the system's, or name its file in SSL_CERT_FILE"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name than the one dialled; check the name in the address".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired; have it renewed, or check this machine's clock".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check this machine's clock".to_owned()
        }
        error => format!("its certificate is refused ({error}); have another one made"),
    }
}
