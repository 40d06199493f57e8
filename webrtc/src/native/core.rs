//! One peer connection: its state and its streams' channels, without input or output.
//!
//! A stream calls its channel while it holds itself, and the channel locks the core. So nothing here may touch a stream:
//! what concerns streams is returned as [`News`], for whoever does not hold the core.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::{Duration, Instant},
};

use bytes::Bytes;
use str0m::{
    Candidate, Event, IceConnectionState, IceCreds, Input, Output, Rtc, RtcConfig,
    channel::{ChannelConfig, ChannelId},
    config::{CryptoProvider, Fingerprint as DtlsFingerprint},
    net::{Protocol, Receive},
};
use tokio::sync::Notify;

use super::{Certificate, socket::Way};
use crate::{
    Acknowledging, Channel, ChannelGone, Feed, Limits, Opened, Stream,
    direct::{
        address::Fingerprint,
        credentials::{Credentials, Version},
    },
    stream::{self, Outlet},
};

/// Bytes of one channel that wait to be sent before writers wait.
const HIGH_WATER: usize = 256 * 1024;
/// Bytes down to which it must come before they go on.
const LOW_WATER: usize = 64 * 1024;
/// Bytes of a message that is read; libp2p's frames are smaller.
const MAX_MESSAGE_BYTES: u32 = 64 * 1024;
/// How long the first words to a dialer of version 1 wait once it could hear them: libp2p-webrtc opens its end of the
/// handshake's channel a moment after its association stands, and never if words have come by then.
const FIRST_WORDS_DELAY: Duration = Duration::from_millis(10);
/// Streams that the other side may have open or waiting.
pub(super) const MAX_STREAMS: usize = 1024;

/// What happened, for whoever does not hold the core.
pub(super) enum News {
    /// Encrypted, by a peer with this certificate.
    Connected(Fingerprint),
    Opened(Stream, Outlet, ChannelId),
    Message(Feed, Bytes),
    Drained(Feed),
    Closed(Feed),
    Ended(&'static str),
}

/// See the [module](self).
pub(super) struct Core {
    pub(super) rtc: Rtc,
    channels: HashMap<ChannelId, Feed>,
    /// Given up before they had a number: they cannot be closed until they open.
    given_up: HashSet<ChannelId>,
    pub(super) inbound: VecDeque<Stream>,
    pub(super) ended: Option<&'static str>,
    pub(super) closing: bool,
    /// The handshake's channel, until it is open and [`FIRST_WORDS_DELAY`] over.
    held: Option<ChannelId>,
    /// When that will be.
    pub(super) held_until: Option<Instant>,
    pub(super) wakers: [Option<Waker>; 3],
}

/// A core, and what its streams and its driver share besides.
pub(super) struct Shared {
    core: Mutex<Core>,
    /// There is something to send.
    pub(super) work: Notify,
    limits: Limits,
    pub(super) acknowledging: Acknowledging,
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
    pub(super) limits: Limits,
    pub(super) now: Instant,
}

impl Shared {
    /// A connection that begins, and the stream of its handshake.
    pub(super) fn begin(beginning: Beginning<'_>) -> Option<(Arc<Self>, Stream)> {
        let lite = matches!(beginning.side, Side::Listener(..));
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
        direct.set_remote_fingerprint(dtls(beginning.expected.unwrap_or(beginning.certificate.fingerprint())));
        direct.start_dtls(!lite).ok()?;
        direct.start_sctp(!lite);
        if let Side::Listener(theirs, nomination) = &beginning.side {
            let nominate = Receive::new(Protocol::Udp, *theirs, beginning.ours, nomination).ok()?;
            rtc.handle_input(Input::Receive(beginning.now, nominate)).ok()?;
            // The answer to what nobody asked goes nowhere.
            while !matches!(rtc.poll_output(), Ok(Output::Timeout(_)) | Err(_)) {}
        }
        let shared = Arc::new(Self {
            core: Mutex::new(Core {
                rtc,
                channels: HashMap::new(),
                given_up: HashSet::new(),
                inbound: VecDeque::new(),
                ended: None,
                closing: false,
                held: None,
                held_until: None,
                wakers: [None, None, None],
            }),
            work: Notify::new(),
            limits: beginning.limits,
            acknowledging: Acknowledging::default(),
        });
        // Its number is one of the dialer's.
        let opened = if lite { Opened::There } else { Opened::Here };
        let handshake = shared.open(opened, ChannelConfig { negotiated: Some(0), ..ChannelConfig::default() });
        if lite && beginning.version == Version::V1 {
            let mut core = shared.lock();
            core.held = core.channels.keys().next().copied();
        }
        Some((shared, handshake))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic while it is held leaves a connection that still can be closed.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a stream.
    pub(super) fn open(self: &Arc<Self>, opened: Opened, config: ChannelConfig) -> Stream {
        let (stream, feed, outlet) = stream::unconnected(opened, self.limits, self.acknowledging.clone());
        let mut core = self.lock();
        let ended = core.ended.is_some();
        let id = core.rtc.direct_api().create_data_channel(config);
        if !ended {
            core.channels.insert(id, feed.clone());
        }
        drop(core);
        outlet.connect(NativeChannel { shared: self.clone(), id });
        if ended {
            feed.closed();
        }
        self.work.notify_one();
        stream
    }

    /// The channel of a stream that the other side opened.
    pub(super) fn channel(self: &Arc<Self>, id: ChannelId) -> impl Channel + use<> {
        NativeChannel { shared: self.clone(), id }
    }

    /// Nothing more comes or goes. Returns whom to tell.
    pub(super) fn end(&self, why: &'static str) -> Vec<Feed> {
        let mut core = self.lock();
        core.ended.get_or_insert(why);
        core.rtc.disconnect();
        let (feeds, wakers) = (std::mem::take(&mut core.channels), std::mem::take(&mut core.wakers));
        let waiting = std::mem::take(&mut core.inbound);
        drop(core);
        drop(waiting);
        wakers.into_iter().flatten().for_each(Waker::wake);
        feeds.into_values().collect()
    }
}

impl Core {
    /// Opens the channel that was held, if it is time.
    pub(super) fn release(&mut self, now: Instant) -> Option<News> {
        self.held_until.take_if(|until| *until <= now)?;
        let id = self.held.take()?;
        self.channels.get(&id).cloned().map(News::Drained)
    }

    /// A datagram has come. What does not belong to the connection is passed over.
    pub(super) fn receive(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], now: Instant) {
        let Ok(receive) = Receive::new(Protocol::Udp, from, to, bytes) else { return };
        if let Err(error) = self.rtc.handle_input(Input::Receive(now, receive)) {
            tracing::debug!(%error, %from, "a datagram that the connection cannot read");
        }
    }

    /// Time has passed, or a stream wants to send.
    pub(super) fn pass(&mut self, now: Instant) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            tracing::debug!(%error, "the connection fails");
        }
    }

    /// Does all that is due. Returns when it will be again.
    pub(super) fn poll(
        &mut self,
        shared: &Arc<Shared>,
        now: Instant,
        mut send: impl FnMut(Way, &[u8]),
        mut tell: impl FnMut(News),
    ) -> Instant {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(next)) => return next,
                Ok(Output::Transmit(datagram)) => {
                    let way = Way { ours: datagram.source.ip(), theirs: datagram.destination };
                    send(way, &datagram.contents);
                }
                Ok(Output::Event(event)) => {
                    if matches!(&event, Event::ChannelOpen(id, _) if self.held == Some(*id)) {
                        self.held_until = Some(now + FIRST_WORDS_DELAY);
                    }
                    if let Some(news) = self.happened(event, shared) {
                        tell(news);
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the connection fails");
                    self.rtc.disconnect();
                    tell(News::Ended("the connection failed"));
                }
            }
        }
    }

    fn happened(&mut self, event: Event, shared: &Arc<Shared>) -> Option<News> {
        match event {
            Event::Connected => {
                let digest = self.rtc.direct_api().remote_dtls_fingerprint()?.bytes.clone();
                digest.try_into().ok().map(|digest| News::Connected(Fingerprint::new(digest)))
            }
            Event::ChannelOpen(id, _) => {
                if self.given_up.remove(&id) {
                    self.rtc.direct_api().close_data_channel(id);
                    return None;
                }
                if let Some(mut channel) = self.rtc.channel(id) {
                    channel.set_buffered_amount_low_threshold(LOW_WATER);
                }
                if let Some(feed) = self.channels.get(&id) {
                    return Some(News::Drained(feed.clone()));
                }
                if self.channels.len() >= MAX_STREAMS {
                    tracing::debug!("the other side opens more than {MAX_STREAMS} streams; one is closed");
                    self.rtc.direct_api().close_data_channel(id);
                    return None;
                }
                let (stream, feed, outlet) =
                    stream::unconnected(Opened::There, shared.limits, shared.acknowledging.clone());
                self.channels.insert(id, feed);
                Some(News::Opened(stream, outlet, id))
            }
            Event::ChannelData(message) => {
                let feed = self.channels.get(&message.id)?;
                Some(News::Message(feed.clone(), message.data.into()))
            }
            Event::ChannelBufferedAmountLow(id) => self.channels.get(&id).cloned().map(News::Drained),
            Event::ChannelClose(id) => self.channels.remove(&id).map(News::Closed),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                Some(News::Ended("the other side no longer answers"))
            }
            Event::Closed => Some(News::Ended("the other side closed the connection")),
            _ => None,
        }
    }

    /// Whether all that was written is on its way.
    pub(super) fn is_flushed(&mut self) -> bool {
        let rtc = &mut self.rtc;
        self.channels.keys().all(|id| rtc.channel(*id).is_none_or(|mut channel| channel.buffered_amount() == 0))
    }
}

struct NativeChannel {
    shared: Arc<Shared>,
    id: ChannelId,
}

impl Channel for NativeChannel {
    fn has_room(&self) -> bool {
        let mut core = self.shared.lock();
        core.held != Some(self.id)
            && core.rtc.channel(self.id).is_some_and(|mut channel| channel.buffered_amount() < HIGH_WATER)
    }

    fn send(&mut self, message: Bytes) -> Result<(), ChannelGone> {
        let mut core = self.shared.lock();
        let sent = core.rtc.channel(self.id).ok_or(ChannelGone)?.write(true, &message);
        drop(core);
        self.shared.work.notify_one();
        if matches!(sent, Ok(true)) { Ok(()) } else { Err(ChannelGone) }
    }

    fn close(&mut self) {
        let mut core = self.shared.lock();
        if core.channels.remove(&self.id).is_none() {
            return;
        }
        if core.rtc.direct_api().sctp_stream_id_by_channel_id(self.id).is_none() {
            core.given_up.insert(self.id);
        }
        core.rtc.direct_api().close_data_channel(self.id);
        drop(core);
        self.shared.work.notify_one();
    }
}

fn ice(credentials: &Credentials) -> IceCreds {
    IceCreds { ufrag: credentials.ufrag.clone(), pass: credentials.password.clone() }
}

fn dtls(fingerprint: Fingerprint) -> DtlsFingerprint {
    DtlsFingerprint { hash_func: "sha-256".into(), bytes: fingerprint.digest().to_vec() }
}
