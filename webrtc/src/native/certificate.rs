//! The certificate of a listener. Its hash is part of the addresses that people keep, so it is stored and reused.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use pem::Pem;
use sha2::{Digest, Sha256};
use str0m::{config::DtlsCert, crypto::from_feature_flags};

use crate::direct::address::Fingerprint;

/// The tags of the PEM blocks, in their order.
const EXPIRES: &str = "EXPIRES";
const KEY: &str = "PRIVATE_KEY";
const CERTIFICATE: &str = "CERTIFICATE";
/// The expiry written into the file, from now on. Nobody checks it: peers trust the fingerprint.
const LIFE: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A DTLS certificate and its private key.
#[derive(Clone)]
pub struct Certificate {
    dtls: Arc<DtlsCert>,
    fingerprint: Fingerprint,
}

/// Why a certificate could not be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The cryptographic library failed.
    #[error("cannot make a certificate: {0}")]
    Generate(String),
    /// The text is damaged, or is no certificate.
    #[error("no certificate with its key: {0}")]
    Pem(String),
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Certificate").field(&self.fingerprint).finish()
    }
}

impl Certificate {
    /// Generates a certificate with a new key.
    ///
    /// # Errors
    /// [`CertificateError::Generate`].
    pub fn generate() -> Result<Self, CertificateError> {
        let made = from_feature_flags().dtls_provider.generate_certificate();
        made.map(Self::new).ok_or_else(|| CertificateError::Generate("the library makes none".into()))
    }

    /// Reads what [`Self::to_pem`] wrote, or libp2p-webrtc's `Certificate::serialize_pem`.
    ///
    /// # Errors
    /// [`CertificateError::Pem`].
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let blocks = pem::parse_many(text).map_err(|error| CertificateError::Pem(error.to_string()))?;
        let block = |tag: &str| {
            let found = blocks.iter().find(|block| block.tag() == tag && !block.contents().is_empty());
            found
                .map(|block| block.contents().to_vec())
                .ok_or_else(|| CertificateError::Pem(format!("{tag} is missing")))
        };
        block(EXPIRES)?;
        let made = Self::new(DtlsCert { certificate: block(CERTIFICATE)?, private_key: block(KEY)? });
        made.check()?;
        Ok(made)
    }

    /// As text, in the format of libp2p-webrtc: either can read what the other wrote.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let expires = now().saturating_add(LIFE).as_secs().to_le_bytes();
        let blocks =
            [Pem::new(KEY, self.dtls.private_key.clone()), Pem::new(CERTIFICATE, self.dtls.certificate.clone())];
        format!("{}\n{}", pem::encode(&Pem::new(EXPIRES, expires)), pem::encode_many(&blocks))
    }

    /// What an address names as `/certhash`.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(super) fn dtls(&self) -> DtlsCert {
        DtlsCert::clone(&self.dtls)
    }

    fn new(dtls: DtlsCert) -> Self {
        let fingerprint = Fingerprint::new(Sha256::digest(&dtls.certificate).into());
        Self { dtls: Arc::new(dtls), fingerprint }
    }

    /// Checks that the key is intact and is the certificate's. Otherwise the first connection would be the first to fail.
    fn check(&self) -> Result<(), CertificateError> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.dtls.private_key)
            .map_err(|error| CertificateError::Pem(format!("the key cannot be used: {error}")))?;
        let public = key.public_key().as_ref();
        if !self.dtls.certificate.windows(public.len()).any(|window| window == public) {
            return Err(CertificateError::Pem("the certificate is of another key".into()));
        }
        Ok(())
    }
}

#[allow(clippy::disallowed_methods, reason = "a date in a file")]
fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let made = Certificate::generate().unwrap();
        let read = Certificate::from_pem(&made.to_pem()).unwrap();
        assert_eq!(read.fingerprint(), made.fingerprint());
    }

    #[test]
    fn damage_is_said() {
        let whole = Certificate::generate().unwrap().to_pem();
        for cut in 0..whole.len() - 2 {
            assert!(Certificate::from_pem(&whole[..cut]).is_err(), "cut at {cut}");
        }
        let (before, after) = whole.split_once("PRIVATE_KEY-----").unwrap();
        let damaged = Certificate::from_pem(&format!("{before}PRIVATE_KEY-----{}", after.replacen('M', "A", 1)));
        assert!(matches!(damaged, Err(CertificateError::Pem(_))), "{damaged:?}");
        let other = Certificate::generate().unwrap().to_pem();
        let (keyed, _) = whole.split_once("-----BEGIN CERTIFICATE").unwrap();
        let (_, certified) = other.split_once("-----BEGIN CERTIFICATE").unwrap();
        let error = Certificate::from_pem(&format!("{keyed}-----BEGIN CERTIFICATE{certified}")).unwrap_err();
        assert!(error.to_string().ends_with("the certificate is of another key"), "{error}");
    }
}
