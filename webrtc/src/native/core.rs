//! One peer connection: its state and its streams' channels, without input or output.
//!
//! A stream calls its channel while it holds itself, and the channel locks the core. So nothing here may touch a stream:
//! what concerns streams is returned as [`News`], for whoever does not hold the core.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
    sync::Arc,
    task::Waker,
    time::{Duration, Instant},
};

use bytes::Bytes;
use str0m::{
    Event, IceConnectionState, Input, Output, Rtc,
    channel::{ChannelConfig, ChannelId},
    net::{Protocol, Receive},
};

use super::{inspect::Gate, socket::Way, window::Window};
use crate::{
    Account, Acknowledging, ChannelGone, Feed, Opened, Stream,
    direct::address::Fingerprint,
    stream::{self, Outlet},
};

/// How long the first words to a dialer of version 1 wait once it could hear them: libp2p-webrtc opens its end of the
/// handshake's channel a moment after its association stands, and never if words have come by then.
const FIRST_WORDS_DELAY: Duration = Duration::from_millis(10);
/// Streams that the other side may have open or waiting.
pub(super) const MAX_STREAMS: usize = 1024;
/// The same before it has proved who it is, besides the handshake's: it may be through with that before we are.
const MAX_EARLY_STREAMS: usize = 16;

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

/// A stream that was opened here, for whoever does not hold the core.
pub(super) struct NewStream {
    pub(super) stream: Stream,
    pub(super) feed: Feed,
    pub(super) outlet: Outlet,
    pub(super) id: ChannelId,
    /// Whether the connection still stands.
    pub(super) stands: bool,
}

/// What an end leaves, for whoever does not hold the core.
pub(super) struct Ended {
    feeds: Vec<Feed>,
    waiting: VecDeque<Stream>,
    wakers: [Option<Waker>; 3],
}

impl Ended {
    /// Tells streams and whoever waits.
    pub(super) fn tell(self) {
        drop(self.waiting);
        self.wakers.into_iter().flatten().for_each(Waker::wake);
        self.feeds.iter().for_each(Feed::closed);
    }
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
    gate: Arc<Gate>,
    /// What its streams may hold, and whether the other side reads FIN_ACK.
    account: Account,
    acknowledging: Acknowledging,
    handshake: Option<ChannelId>,
    /// The handshake's channel, until it is open and [`FIRST_WORDS_DELAY`] over.
    held: Option<ChannelId>,
    /// When that will be.
    pub(super) held_until: Option<Instant>,
    pub(super) wakers: Wakers,
    /// Bytes that are under way.
    window: Window<ChannelId>,
}

/// Who waits for what.
#[derive(Default)]
pub(super) struct Wakers {
    /// Streams of the other side.
    pub(super) inbound: Option<Waker>,
    /// An end that was asked for.
    pub(super) closed: Option<Waker>,
    /// An end that was not.
    pub(super) ended: Option<Waker>,
}

impl Core {
    /// Over a connection that nobody has used yet.
    pub(super) fn new(rtc: Rtc, gate: Arc<Gate>, account: Account, acknowledging: Acknowledging) -> Self {
        Self {
            rtc,
            gate,
            account,
            acknowledging,
            handshake: None,
            channels: HashMap::new(),
            given_up: HashSet::new(),
            inbound: VecDeque::new(),
            ended: None,
            closing: false,
            held: None,
            held_until: None,
            wakers: Wakers::default(),
            window: Window::new(),
        }
    }

    /// Opens a channel and a stream over it.
    pub(super) fn open(&mut self, opened: Opened, config: ChannelConfig) -> NewStream {
        let handshake = config.negotiated.is_some();
        let id = self.rtc.direct_api().create_data_channel(config);
        if handshake {
            self.handshake = Some(id);
        }
        let (stream, feed, outlet) = self.unconnected(opened);
        let stands = self.ended.is_none();
        if stands {
            self.channels.insert(id, feed.clone());
        }
        NewStream { stream, feed, outlet, id, stands }
    }

    /// A stream that waits for its channel.
    fn unconnected(&self, opened: Opened) -> (Stream, Feed, Outlet) {
        stream::unconnected(opened, &self.account, self.acknowledging.clone())
    }

    /// Whether a channel takes a message. If not, it tells when it does.
    pub(super) fn has_room(&mut self, id: ChannelId) -> bool {
        self.held != Some(id) && self.rtc.channel(id).is_some() && self.window.has_room(id)
    }

    /// Channels that were full and have room.
    pub(super) fn drained(&mut self, now: Instant) -> Vec<News> {
        let rtc = &mut self.rtc;
        self.window.in_flight(self.gate.flight());
        let room = self.window.update(now, |id| rtc.channel(id).map_or(0, |mut channel| channel.buffered_amount()));
        room.iter().filter_map(|id| self.channels.get(id).cloned().map(News::Drained)).collect()
    }

    /// Sends a message; fails where the channel is gone.
    pub(super) fn send(&mut self, id: ChannelId, message: &[u8], now: Instant) -> Result<(), ChannelGone> {
        let sent = self.rtc.channel(id).ok_or(ChannelGone)?.write(true, message);
        if !matches!(sent, Ok(true)) {
            return Err(ChannelGone);
        }
        if self.handshake == Some(id) {
            self.gate.say();
        }
        self.window.sent(id, message.len(), now);
        Ok(())
    }

    /// Closes a channel, unless the other side did.
    pub(super) fn close(&mut self, id: ChannelId) {
        if self.channels.remove(&id).is_none() {
            return;
        }
        if self.rtc.direct_api().sctp_stream_id_by_channel_id(id).is_none() {
            self.given_up.insert(id);
        }
        self.rtc.direct_api().close_data_channel(id);
    }

    /// Keeps a channel shut at first, see [`FIRST_WORDS_DELAY`].
    pub(super) fn hold(&mut self, id: ChannelId) {
        self.held = Some(id);
    }

    /// Nothing more comes or goes. Returns whom to tell.
    pub(super) fn end(&mut self, why: &'static str) -> Ended {
        self.ended.get_or_insert(why);
        self.rtc.disconnect();
        let Wakers { inbound, closed, ended } = std::mem::take(&mut self.wakers);
        Ended {
            feeds: std::mem::take(&mut self.channels).into_values().collect(),
            waiting: std::mem::take(&mut self.inbound),
            wakers: [inbound, closed, ended],
        }
    }

    /// The other side has opened a stream. Returns who waited for one.
    pub(super) fn came(&mut self, stream: Stream) -> Option<Waker> {
        self.inbound.push_back(stream);
        self.wakers.inbound.take()
    }

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

    /// How many runs of the other side's chunks lie behind a gap.
    pub(super) fn runs(&self) -> usize {
        self.gate.runs()
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
                    if let Some(news) = self.happened(event) {
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

    fn happened(&mut self, event: Event) -> Option<News> {
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
                if let Some(feed) = self.channels.get(&id) {
                    return Some(News::Drained(feed.clone()));
                }
                let most = if self.gate.is_proven() { MAX_STREAMS } else { MAX_EARLY_STREAMS + 1 };
                if self.channels.len() >= most {
                    tracing::debug!("the other side opens more than {most} streams; one is closed");
                    self.rtc.direct_api().close_data_channel(id);
                    return None;
                }
                let (stream, feed, outlet) = self.unconnected(Opened::There);
                self.channels.insert(id, feed);
                Some(News::Opened(stream, outlet, id))
            }
            Event::ChannelData(message) => {
                let feed = self.channels.get(&message.id)?;
                Some(News::Message(feed.clone(), message.data.into()))
            }
            Event::ChannelClose(id) => {
                self.window.remove(id);
                self.channels.remove(&id).map(News::Closed)
            }
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
