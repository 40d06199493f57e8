//! How a connection begins: ICE, DTLS and SCTP as `/webrtc-direct` has them, and the stream of the handshake.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use str0m::{
    Candidate, IceCreds, Input, Output, Rtc, RtcConfig,
    channel::ChannelConfig,
    config::{CryptoProvider, Fingerprint as DtlsFingerprint},
    net::{Protocol, Receive},
};

use super::{certificate::Certificate, core::Core, dtls, sctp_state::SctpState, shared::Shared};
use crate::{
    Budget, FinAckSupport, Opener, Stream,
    direct::{
        address::Fingerprint,
        credentials::{Credentials, Version},
    },
};

/// Bytes of a message that is read; libp2p's frames are smaller.
const MAX_MESSAGE_BYTES: u32 = 64 * 1024;

/// Which side of a connection this is.
pub(super) enum Side {
    /// Answers the dialer at this address and sends no checks of its own (ICE-lite). The bytes are a check that nominates
    /// this pair of addresses, made here in the dialer's place: libjuice may never send one.
    Listener(SocketAddr, Vec<u8>),
    /// Sends checks to the listener at this address.
    Dialer(SocketAddr),
}

impl Side {
    fn listens(&self) -> bool {
        matches!(self, Self::Listener(..))
    }
}

/// What a connection begins with.
pub(super) struct Setup<'a> {
    pub(super) side: Side,
    /// Our address, as the other side has it.
    pub(super) ours: SocketAddr,
    pub(super) own: &'a Credentials,
    pub(super) other: &'a Credentials,
    pub(super) version: Version,
    pub(super) certificate: &'a Certificate,
    /// Of the other side, where it is known.
    pub(super) expected: Option<Fingerprint>,
    pub(super) crypto: Arc<CryptoProvider>,
    pub(super) budget: &'a Budget,
    pub(super) now: Instant,
}

impl Setup<'_> {
    /// Begins the connection. Returns it with the stream of its handshake; nothing for addresses that ICE does not take.
    pub(super) fn begin(self) -> Option<(Arc<Shared>, Stream)> {
        let (listens, version, memory) = (self.side.listens(), self.version, self.budget.connection());
        let sctp = SctpState::new(listens, memory.limits().unauthenticated_bytes);
        let rtc = dtls::with_state(sctp.clone(), || self.rtc())?;
        let fin_ack = FinAckSupport::default();
        if version == Version::V2 {
            // Whoever supports version 2 supports FIN_ACK.
            fin_ack.confirm();
        }
        let core = Core::new(rtc, sctp.clone(), memory.clone(), fin_ack);
        let shared = Arc::new(Shared::new(core, memory, sctp));
        // Its number is one of the dialer's.
        let opener = if listens { Opener::Remote } else { Opener::Local };
        let config = ChannelConfig { negotiated: Some(0), ..ChannelConfig::default() };
        let (handshake, id) = shared.open_with(opener, config);
        if listens && version == Version::V1 {
            shared.lock().hold(id);
        }
        Some((shared, handshake))
    }

    fn rtc(self) -> Option<Rtc> {
        let lite = self.side.listens();
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(self.crypto)
            .set_dtls_cert(self.certificate.dtls())
            .set_fingerprint_verification(self.expected.is_some())
            .set_local_ice_credentials(ice(self.own))
            .set_ice_lite(lite)
            .clear_codecs()
            .set_sctp_max_buffered_amount(usize::MAX)
            .set_sctp_max_message_size(MAX_MESSAGE_BYTES)
            .build(self.now);
        rtc.add_local_candidate(Candidate::host(self.ours, Protocol::Udp).ok()?);
        if let Side::Dialer(theirs) = &self.side {
            rtc.add_remote_candidate(Candidate::host(*theirs, Protocol::Udp).ok()?);
        }
        let mut direct = rtc.direct_api();
        direct.set_ice_controlling(!lite);
        direct.set_remote_ice_credentials(ice(self.other));
        // A dialer's fingerprint is not known yet: str0m compares it with nothing, and Noise proves it later.
        direct.set_remote_fingerprint(fingerprint(self.expected.unwrap_or(self.certificate.fingerprint())));
        direct.start_dtls(!lite).ok()?;
        direct.start_sctp(!lite);
        if let Side::Listener(theirs, nomination) = &self.side {
            let nominate = Receive::new(Protocol::Udp, *theirs, self.ours, nomination).ok()?;
            rtc.handle_input(Input::Receive(self.now, nominate)).ok()?;
            // The answer to a check that nobody sent goes nowhere.
            while !matches!(rtc.poll_output(), Ok(Output::Timeout(_)) | Err(_)) {}
        }
        Some(rtc)
    }
}

fn ice(credentials: &Credentials) -> IceCreds {
    IceCreds { ufrag: credentials.ufrag.clone(), pass: credentials.password.clone() }
}

fn fingerprint(fingerprint: Fingerprint) -> DtlsFingerprint {
    DtlsFingerprint { hash_func: "sha-256".into(), bytes: fingerprint.digest().to_vec() }
}
