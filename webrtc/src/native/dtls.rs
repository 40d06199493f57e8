//! DTLS for str0m, with two differences from its own: a listener continues from a stateless cookie, and packets pass an
//! [`Inspector`].
//!
//! The cookie proves that a stranger receives at its address. Nothing else does, since anybody can make up the STUN requests
//! that come before.

use std::{
    cell::RefCell,
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

use super::{
    cookie_resume::{self, CookieResume},
    inspect::{Inspector, Verdict},
    sctp_state::SctpState,
};

thread_local! {
    /// For the instance that is about to be made, since str0m passes nothing of ours to its DTLS provider.
    static STATE: RefCell<Option<Arc<SctpState>>> = const { RefCell::new(None) };
}

/// Calls `make`, which makes str0m create one DTLS instance; its packets are inspected with this state.
pub(super) fn with_state<T>(sctp: Arc<SctpState>, make: impl FnOnce() -> T) -> T {
    STATE.set(Some(sctp));
    let made = make();
    STATE.take();
    made
}

/// str0m's own cryptography, with this DTLS.
pub(super) fn crypto() -> CryptoProvider {
    CryptoProvider { dtls_provider: &CookieDtls, ..from_feature_flags() }
}

#[derive(Debug)]
struct CookieDtls;

struct Dtls {
    inner: dimpl::Dtls,
    resume: CookieResume,
    inspector: Option<Inspector>,
    /// The inspector has ended the connection.
    ended: bool,
}

/// The last configuration, with the datagram size that it is for. Building one tests all of the cryptography, which takes
/// longer than a handshake.
static CONFIG: Mutex<Option<(Option<usize>, Arc<dimpl::Config>)>> = Mutex::new(None);

fn config(mtu: Option<usize>) -> Result<Arc<dimpl::Config>, CryptoError> {
    let mut last = CONFIG.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, config)) = last.as_ref().filter(|(known, _)| *known == mtu) {
        return Ok(config.clone());
    }
    let mut config = dimpl::Config::builder().with_crypto_provider(cookie_resume::provider()).use_server_cookie(true);
    if let Some(mtu) = mtu {
        config = config.mtu(mtu);
    }
    let config = Arc::new(config.build().map_err(|error| CryptoError::Other(error.to_string()))?);
    *last = Some((mtu, config.clone()));
    Ok(config)
}

impl DtlsProvider for CookieDtls {
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
        let inner = dimpl::Dtls::new_12(config(mtu)?, certificate.clone(), now);
        let inspector = STATE.take().map(Inspector::new);
        Ok(Box::new(Dtls { inner, resume: CookieResume::default(), inspector, ended: false }))
    }
}

impl fmt::Debug for Dtls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dtls")
    }
}

impl DtlsInstance for Dtls {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        if self.inner.is_active() {
            self.inner.handle_packet(packet)
        } else {
            self.resume.handle_packet(&mut self.inner, packet)
        }
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.inner.poll_output(buffer);
        let DtlsOutput::ApplicationData(packet) = output else { return output };
        if self.ended {
            return DtlsOutput::ApplicationData(&[]);
        }
        match self.inspector.as_mut().map_or(Verdict::Forward, |inspector| inspector.receive(packet)) {
            Verdict::Forward => DtlsOutput::ApplicationData(packet),
            // str0m ignores an empty packet.
            Verdict::Drop => DtlsOutput::ApplicationData(&[]),
            Verdict::Close(why) => {
                tracing::debug!(why, "the other side does not follow the protocol; the connection ends");
                self.ended = true;
                DtlsOutput::CloseNotify
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inspector.iter_mut().for_each(|inspector| inspector.send(data));
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}
