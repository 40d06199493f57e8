//! DTLS as str0m's own, except that a listener goes on from a cookie: here nothing else proves that a stranger's address
//! is its own, since the STUN requests that come before can be made up by anybody.

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
    inspect::{Gate, Inspector, Verdict},
    returned::{self, Returned},
};

thread_local! {
    /// Of the instance that is about to be made: str0m passes nothing of ours on to it.
    static GATE: RefCell<Option<Arc<Gate>>> = const { RefCell::new(None) };
}

/// Makes something that makes one instance, whose packets are looked at behind this gate.
pub(super) fn behind<T>(gate: Arc<Gate>, make: impl FnOnce() -> T) -> T {
    GATE.set(Some(gate));
    let made = make();
    GATE.take();
    made
}

/// str0m's cryptography with this DTLS.
pub(super) fn crypto() -> CryptoProvider {
    CryptoProvider { dtls_provider: &Cookies, ..from_feature_flags() }
}

#[derive(Debug)]
struct Cookies;

struct Dtls {
    inner: dimpl::Dtls,
    returned: Returned,
    inspector: Option<Inspector>,
    /// The other side has said what ends the connection.
    ended: bool,
}

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
        let inner = dimpl::Dtls::new_12(config(mtu)?, certificate.clone(), now);
        let inspector = GATE.take().map(Inspector::new);
        Ok(Box::new(Dtls { inner, returned: Returned::default(), inspector, ended: false }))
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
            self.returned.handle_packet(&mut self.inner, packet)
        }
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.inner.poll_output(buffer);
        let DtlsOutput::ApplicationData(packet) = output else { return output };
        if self.ended {
            return DtlsOutput::ApplicationData(&[]);
        }
        match self.inspector.as_mut().map_or(Verdict::Pass, |inspector| inspector.receive(packet)) {
            Verdict::Pass => DtlsOutput::ApplicationData(packet),
            // Nobody takes it for a packet.
            Verdict::Lose => DtlsOutput::ApplicationData(&[]),
            Verdict::End(why) => {
                tracing::debug!(why, "the other side is no peer; its connection ends");
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
