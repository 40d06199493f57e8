//! DTLS as str0m's own, except that a listener goes on from a cookie: here nothing else proves that a stranger's address
//! is its own, since the STUN requests that come before can be made up by anybody.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use str0m::{
    config::{CryptoProvider, DtlsCert, DtlsVersion},
    crypto::{
        CryptoError,
        dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion},
        from_feature_flags,
    },
};

use super::returned::{self, Returned};

/// str0m's cryptography with this DTLS.
pub(super) fn crypto() -> CryptoProvider {
    CryptoProvider { dtls_provider: &Cookies, ..from_feature_flags() }
}

#[derive(Debug)]
struct Cookies;

struct Dtls(dimpl::Dtls, Returned);

/// The last configuration and the size of datagrams that it is for. Making one tries out all of the cryptography, which
/// takes longer than the handshake.
static CONFIG: Mutex<Option<(Option<usize>, Arc<dimpl::Config>)>> = Mutex::new(None);

fn config(mtu: Option<usize>) -> Result<Arc<dimpl::Config>, CryptoError> {
    let mut last = CONFIG.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, config)) = last.as_ref().filter(|(known, _)| *known == mtu) {
        return Ok(config.clone());
    }
    let mut config = dimpl::Config::builder().with_crypto_provider(returned::provider()).use_server_cookie(true);
    if let Some(mtu) = mtu {
        config = config.mtu(mtu);
    }
    let config = Arc::new(config.build().map_err(|error| CryptoError::Other(error.to_string()))?);
    *last = Some((mtu, config.clone()));
    Ok(config)
}

impl DtlsProvider for Cookies {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        _: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        Ok(Box::new(Dtls(dimpl::Dtls::new_12(config(mtu)?, certificate.clone(), now), Returned::default())))
    }
}

impl fmt::Debug for Dtls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dtls")
    }
}

impl DtlsInstance for Dtls {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        if self.0.is_active() { self.0.handle_packet(packet) } else { self.1.handle_packet(&mut self.0, packet) }
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buffer)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}
