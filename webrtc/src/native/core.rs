//! One peer connection: its state and its streams' channels, without input or output.
//!
//! A stream calls its channel while its own state is locked, and the channel locks the core. To lock in one order only,
//! nothing here calls a stream: what concerns streams is handed out as [`CoreEvent`] and dealt with after unlocking.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
    sync::Arc,
    task::Waker,
    time::{Duration, Instant},
};

use str0m::{
    Event, IceConnectionState, Input, Output, Rtc,
    channel::{ChannelConfig, ChannelId},
    net::{Protocol, Receive},
};

use super::{
    events::{CoreEvent, Ended, NewStream},
    sctp_state::SctpState,
    socket::Path,
    window::Window,
};
use crate::{
    ChannelEvents, ChannelGone, ConnectionBudget, FinAckSupport, Opener, Stream,
    direct::address::Fingerprint,
    stream::{self, ChannelSlot},
};

/// How long the first handshake message to a dialer of version 1 is held back once the channel is open: libp2p-webrtc opens
/// its end a moment after SCTP is up, and never opens it if a message arrives earlier.
const FIRST_MESSAGE_DELAY: Duration = Duration::from_millis(10);
/// Streams that the other side may have open or waiting.
pub(super) const MAX_STREAMS: usize = 1024;
/// The same before we know who it is, besides the handshake's: it may finish the handshake before we do.
const MAX_EARLY_STREAMS: usize = 16;

/// See the [module](self).
pub(super) struct Core {
    pub(super) rtc: Rtc,
    channels: HashMap<ChannelId, ChannelEvents>,
    /// Channels closed before they had a stream id; they can be closed only once they are open.
    close_when_open: HashSet<ChannelId>,
    pub(super) inbound: VecDeque<Stream>,
    pub(super) ended: Option<&'static str>,
    pub(super) closing: bool,
    sctp: Arc<SctpState>,
    /// What its streams may hold, and whether the other side reads FIN_ACK.
    memory: ConnectionBudget,
    fin_ack: FinAckSupport,
    handshake: Option<ChannelId>,
    /// The handshake's channel, as long as its first message is held back ([`FIRST_MESSAGE_DELAY`]).
    held: Option<ChannelId>,
    /// Until when.
    pub(super) held_until: Option<Instant>,
    pub(super) wakers: Wakers,
    /// How much may be in flight.
    window: Window<ChannelId>,
}

/// Tasks that wait for something.
#[derive(Default)]
pub(super) struct Wakers {
    /// For streams that the other side opens.
    pub(super) inbound: Option<Waker>,
    /// For the end after closing.
    pub(super) closed: Option<Waker>,
    /// For any end.
    pub(super) ended: Option<Waker>,
}

impl Core {
    /// For a connection that has not been used yet.
    pub(super) fn new(rtc: Rtc, sctp: Arc<SctpState>, memory: ConnectionBudget, fin_ack: FinAckSupport) -> Self {
        Self {
            rtc,
            sctp,
            memory,
            fin_ack,
            handshake: None,
            channels: HashMap::new(),
            close_when_open: HashSet::new(),
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
    pub(super) fn open(&mut self, opener: Opener, config: ChannelConfig) -> NewStream {
        let handshake = config.negotiated.is_some();
        let id = self.rtc.direct_api().create_data_channel(config);
        if handshake {
            self.handshake = Some(id);
        }
        let (stream, events, slot) = self.pending_stream(opener);
        let is_over = self.ended.is_some();
        if !is_over {
            self.channels.insert(id, events.clone());
        }
        NewStream { stream, events, slot, id, is_over }
    }

    fn pending_stream(&self, opener: Opener) -> (Stream, ChannelEvents, ChannelSlot) {
        stream::pending_stream(opener, &self.memory, self.fin_ack.clone())
    }

    /// Whether a channel takes a message now. If not, a [`CoreEvent::Drained`] tells when it does.
    pub(super) fn has_room(&mut self, id: ChannelId) -> bool {
        self.held != Some(id) && self.rtc.channel(id).is_some() && self.window.has_room(id)
    }

    /// Channels that were full and have room.
    pub(super) fn drained(&mut self, now: Instant) -> Vec<CoreEvent> {
        let rtc = &mut self.rtc;
        self.window.set_in_flight(self.sctp.in_flight());
        let room = self.window.update(now, |id| rtc.channel(id).map_or(0, |mut channel| channel.buffered_amount()));
        room.iter().filter_map(|id| self.channels.get(id).cloned().map(CoreEvent::Drained)).collect()
    }

    /// Sends a message; fails if the channel is gone.
    pub(super) fn send(&mut self, id: ChannelId, message: &[u8], now: Instant) -> Result<(), ChannelGone> {
        let sent = self.rtc.channel(id).ok_or(ChannelGone)?.write(true, message);
        if !matches!(sent, Ok(true)) {
            return Err(ChannelGone);
        }
        if self.handshake == Some(id) {
            self.sctp.handshake_message_sent();
        }
        self.window.sent(id, message.len(), now);
        Ok(())
    }

    /// Closes a channel, unless the other side has closed it.
    pub(super) fn close(&mut self, id: ChannelId) {
        if self.channels.remove(&id).is_none() {
            return;
        }
        if self.rtc.direct_api().sctp_stream_id_by_channel_id(id).is_none() {
            self.close_when_open.insert(id);
        }
        self.rtc.direct_api().close_data_channel(id);
    }

    /// Holds back the first message of a channel, see [`FIRST_MESSAGE_DELAY`].
    pub(super) fn hold(&mut self, id: ChannelId) {
        self.held = Some(id);
    }

    /// Ends the connection. Returns what is left of it, to be notified.
    pub(super) fn end(&mut self, why: &'static str) -> Ended {
        self.ended.get_or_insert(why);
        self.rtc.disconnect();
        let Wakers { inbound, closed, ended } = std::mem::take(&mut self.wakers);
        Ended {
            channels: std::mem::take(&mut self.channels).into_values().collect(),
            inbound: std::mem::take(&mut self.inbound),
            wakers: [inbound, closed, ended],
        }
    }

    /// Queues a stream of the other side. Returns the task that waits for one.
    pub(super) fn push_inbound(&mut self, stream: Stream) -> Option<Waker> {
        self.inbound.push_back(stream);
        self.wakers.inbound.take()
    }

    /// Lets the channel that was held back send, if it is time.
    pub(super) fn release(&mut self, now: Instant) -> Option<CoreEvent> {
        self.held_until.take_if(|until| *until <= now)?;
        let id = self.held.take()?;
        self.channels.get(&id).cloned().map(CoreEvent::Drained)
    }

    /// Handles a datagram. One that does not belong to the connection is ignored.
    pub(super) fn handle_datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], now: Instant) {
        let Ok(receive) = Receive::new(Protocol::Udp, from, to, bytes) else { return };
        if let Err(error) = self.rtc.handle_input(Input::Receive(now, receive)) {
            tracing::debug!(%error, %from, "unreadable datagram");
        }
    }

    /// How many gap blocks our next SACK has.
    pub(super) fn gap_blocks(&self) -> usize {
        self.sctp.gap_blocks()
    }

    /// Handles the passing of time, and what streams want to send.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            tracing::debug!(%error, "the connection fails");
        }
    }

    /// Sends what is due and hands out events. Returns when it has to be called again at the latest.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        mut send: impl FnMut(Path, &[u8]),
        mut emit: impl FnMut(CoreEvent),
    ) -> Instant {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(next)) => return next,
                Ok(Output::Transmit(datagram)) => {
                    let path = Path { ours: datagram.source.ip(), theirs: datagram.destination };
                    send(path, &datagram.contents);
                }
                Ok(Output::Event(event)) => {
                    if matches!(&event, Event::ChannelOpen(id, _) if self.held == Some(*id)) {
                        self.held_until = Some(now + FIRST_MESSAGE_DELAY);
                    }
                    if let Some(event) = self.handle_event(event) {
                        emit(event);
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the connection fails");
                    self.rtc.disconnect();
                    emit(CoreEvent::Ended("the connection failed"));
                }
            }
        }
    }

    fn handle_event(&mut self, event: Event) -> Option<CoreEvent> {
        match event {
            Event::Connected => {
                let digest = self.rtc.direct_api().remote_dtls_fingerprint()?.bytes.clone();
                digest.try_into().ok().map(|digest| CoreEvent::Connected(Fingerprint::new(digest)))
            }
            Event::ChannelOpen(id, _) => {
                if self.close_when_open.remove(&id) {
                    self.rtc.direct_api().close_data_channel(id);
                    return None;
                }
                if let Some(events) = self.channels.get(&id) {
                    return Some(CoreEvent::Drained(events.clone()));
                }
                let most = if self.sctp.is_authenticated() { MAX_STREAMS } else { MAX_EARLY_STREAMS + 1 };
                if self.channels.len() >= most {
                    tracing::debug!("the other side opens more than {most} streams; one is closed");
                    self.rtc.direct_api().close_data_channel(id);
                    return None;
                }
                let (stream, events, slot) = self.pending_stream(Opener::Remote);
                self.channels.insert(id, events);
                Some(CoreEvent::Opened(stream, slot, id))
            }
            Event::ChannelData(message) => {
                let events = self.channels.get(&message.id)?;
                Some(CoreEvent::Message(events.clone(), message.data.into()))
            }
            Event::ChannelClose(id) => {
                self.window.remove(id);
                self.channels.remove(&id).map(CoreEvent::Closed)
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                Some(CoreEvent::Ended("the other side no longer answers"))
            }
            Event::Closed => Some(CoreEvent::Ended("the other side closed the connection")),
            _ => None,
        }
    }

    /// Whether all that was written has been handed to the network.
    pub(super) fn is_flushed(&mut self) -> bool {
        let rtc = &mut self.rtc;
        self.channels.keys().all(|id| rtc.channel(*id).is_none_or(|mut channel| channel.buffered_amount() == 0))
    }
}
