//! A core and what its streams, its driver and its muxer share besides.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use str0m::{
    Candidate, IceCreds, Input, Output, Rtc, RtcConfig,
    channel::{ChannelConfig, ChannelId},
    config::{CryptoProvider, Fingerprint as DtlsFingerprint},
    net::{Protocol, Receive},
};
use tokio::sync::Notify;

use super::{Certificate, core::Core, dtls, inspect::Gate};
use crate::{
    Account, Acknowledging, Budget, Channel, ChannelGone, Feed, Opened, Stream,
    direct::{
        address::Fingerprint,
        credentials::{Credentials, Version},
    },
    stream::{self, Outlet},
};

/// Bytes of a message that is read; libp2p's frames are smaller.
const MAX_MESSAGE_BYTES: u32 = 64 * 1024;

/// See the [module](self).
pub(super) struct Shared {
    core: Mutex<Core>,
    /// There is something to send.
    pub(super) work: Notify,
    /// The other side has answered a STUN request of ours.
    pub(super) answered: Notify,
    pub(super) account: Account,
    pub(super) gate: Arc<Gate>,
    acknowledging: Acknowledging,
}

/// Which side of a connection this is.
pub(super) enum Side {
    /// Answers this one and never asks; that it begins says that this way is to be taken, which some never say.
    Listener(SocketAddr, Vec<u8>),
    /// Asks this one.
    Dialer(SocketAddr),
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("acknowledging", &self.acknowledging).finish_non_exhaustive()
    }
}

/// What a connection begins with.
pub(super) struct Beginning<'a> {
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

impl Shared {
    /// Fails for addresses that ICE does not take.
    fn rtc(beginning: Beginning<'_>) -> Option<Rtc> {
        let lite = beginning.side.listens();
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(beginning.crypto)
            .set_dtls_cert(beginning.certificate.dtls())
            .set_fingerprint_verification(beginning.expected.is_some())
            .set_local_ice_credentials(ice(beginning.own))
            .set_ice_lite(lite)
            .clear_codecs()
            .set_sctp_max_buffered_amount(usize::MAX)
            .set_sctp_max_message_size(MAX_MESSAGE_BYTES)
            .build(beginning.now);
        rtc.add_local_candidate(Candidate::host(beginning.ours, Protocol::Udp).ok()?);
        if let Side::Dialer(theirs) = &beginning.side {
            rtc.add_remote_candidate(Candidate::host(*theirs, Protocol::Udp).ok()?);
        }
        let mut direct = rtc.direct_api();
        direct.set_ice_controlling(!lite);
        direct.set_remote_ice_credentials(ice(beginning.other));
        // Noise proves it where it is not known yet; then it is compared with nothing.
        direct.set_remote_fingerprint(fingerprint(beginning.expected.unwrap_or(beginning.certificate.fingerprint())));
        direct.start_dtls(!lite).ok()?;
        direct.start_sctp(!lite);
        if let Side::Listener(theirs, nomination) = &beginning.side {
            let nominate = Receive::new(Protocol::Udp, *theirs, beginning.ours, nomination).ok()?;
            rtc.handle_input(Input::Receive(beginning.now, nominate)).ok()?;
            // The answer to what nobody asked goes nowhere.
            while !matches!(rtc.poll_output(), Ok(Output::Timeout(_)) | Err(_)) {}
        }
        Some(rtc)
    }

    /// A connection that begins, and the stream of its handshake.
    pub(super) fn begin(beginning: Beginning<'_>) -> Option<(Arc<Self>, Stream)> {
        let (listens, version, account) = (beginning.side.listens(), beginning.version, beginning.budget.open());
        let gate = Gate::new(listens, account.limits().unproven_bytes);
        let rtc = dtls::behind(gate.clone(), || Self::rtc(beginning))?;
        let shared = Arc::new(Self {
            core: Mutex::new(Core::new(rtc, gate.clone())),
            work: Notify::new(),
            answered: Notify::new(),
            account,
            gate,
            acknowledging: Acknowledging::default(),
        });
        if version == Version::V2 {
            // Whoever knows the newer version knows FIN_ACK.
            shared.acknowledging.learn();
        }
        // Its number is one of the dialer's.
        let opened = if listens { Opened::There } else { Opened::Here };
        let config = ChannelConfig { negotiated: Some(0), ..ChannelConfig::default() };
        let (handshake, id) = shared.open_numbered(opened, config);
        if listens && version == Version::V1 {
            shared.lock().hold(id);
        }
        Some((shared, handshake))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic while it is held leaves a connection that still can be closed.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The other side has proved who it is, and may use more.
    pub(super) fn prove(&self) {
        self.account.prove();
        self.gate.prove();
    }

    /// Opens a stream.
    pub(super) fn open(self: &Arc<Self>) -> Stream {
        self.open_numbered(Opened::Here, ChannelConfig::default()).0
    }

    fn open_numbered(self: &Arc<Self>, opened: Opened, config: ChannelConfig) -> (Stream, ChannelId) {
        let (stream, feed, outlet) = self.unconnected(opened);
        let (id, stands) = self.lock().open(feed.clone(), config);
        outlet.connect(self.channel(id));
        if !stands {
            feed.closed();
        }
        self.work.notify_one();
        (stream, id)
    }

    /// A stream that waits for its channel.
    pub(super) fn unconnected(&self, opened: Opened) -> (Stream, Feed, Outlet) {
        stream::unconnected(opened, &self.account, self.acknowledging.clone())
    }

    /// The channel of a stream.
    pub(super) fn channel(self: &Arc<Self>, id: ChannelId) -> impl Channel + use<> {
        NativeChannel { shared: self.clone(), id }
    }

    /// Nothing more comes or goes.
    pub(super) fn end(&self, why: &'static str) {
        let ended = self.lock().end(why);
        ended.tell();
    }
}

impl Side {
    fn listens(&self) -> bool {
        matches!(self, Self::Listener(..))
    }
}

struct NativeChannel {
    shared: Arc<Shared>,
    id: ChannelId,
}

impl Channel for NativeChannel {
    fn has_room(&self) -> bool {
        self.shared.lock().has_room(self.id)
    }

    fn send(&mut self, message: Bytes) -> Result<(), ChannelGone> {
        let sent = self.shared.lock().send(self.id, &message);
        self.shared.work.notify_one();
        sent
    }

    fn close(&mut self) {
        self.shared.lock().close(self.id);
        self.shared.work.notify_one();
    }
}

fn ice(credentials: &Credentials) -> IceCreds {
    IceCreds { ufrag: credentials.ufrag.clone(), pass: credentials.password.clone() }
}

fn fingerprint(fingerprint: Fingerprint) -> DtlsFingerprint {
    DtlsFingerprint { hash_func: "sha-256".into(), bytes: fingerprint.digest().to_vec() }
}
