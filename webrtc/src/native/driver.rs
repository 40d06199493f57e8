//! The task of one connection: from the socket to its core, from its core to the socket, from its core to its streams.

use std::{
    sync::Arc,
    task::Waker,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep_until,
};

use super::{
    clock::now,
    core::News,
    handshake::HANDSHAKE_TIMEOUT,
    inbox::Packet,
    pace::Pace,
    shared::Shared,
    socket::{Socket, Way},
    stun::{is_alert, is_success},
};
use crate::direct::address::Fingerprint;

/// Datagrams that are read before anything is sent.
const MAX_AT_ONCE: usize = 64;
/// And of these, acknowledgements that are read at once: each poll goes through all that is in flight. DTLS keeps so many
/// records and some more.
const MAX_BETWEEN_POLLS: usize = 16;
/// Bytes of a datagram with one SACK that reports no gap, in DTLS with AES-GCM. A longer one may carry DATA.
const SACK_BYTES: usize = 65;
/// For how long a connection that is closed still sends what was written.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Drives one connection.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) socket: Arc<Socket>,
    pub(super) packets: mpsc::Receiver<Packet>,
    /// Who waits for it to be encrypted.
    pub(super) connected: Option<oneshot::Sender<Fingerprint>>,
}

/// Ends a connection however its task ends.
struct Leave(Arc<Shared>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.end("the connection was dropped here");
    }
}

impl Driver {
    pub(super) async fn run(mut self) {
        let leave = Leave(self.shared.clone());
        let why = self.drive().await;
        tracing::debug!(why, "a connection ended");
        self.shared.end(why);
        drop(leave);
    }

    /// Until the connection ends, with why.
    async fn drive(&mut self) -> &'static str {
        let began = now();
        let mut closing_since = None;
        let mut outbox = Outbox::default();
        let mut received: Vec<Packet> = Vec::new();
        let mut pace = Pace::default();
        loop {
            if self.connected.is_some() && self.packets.is_closed() {
                // What has come for it is not worth the cryptography.
                return "the handshake had to make room for others";
            }
            let mut news = Vec::new();
            let now = now();
            // One that is not signed as it must be is passed over later. By then it has held back version 1, no more.
            if self.connected.is_some() && received.iter().any(|packet| is_success(&packet.bytes)) {
                self.shared.answered.notify_one();
            }
            let (mut next, alive) = self.step(now, &received, &mut pace, &mut closing_since, &mut outbox, &mut news);
            received.clear();
            self.send(&mut outbox).await;
            if let Some(why) = self.tell(news) {
                return why;
            }
            if let Some(since) = closing_since {
                // Before it is encrypted there is nothing to flush, and a version that was given up goes no further.
                if !alive || self.connected.is_some() || now.duration_since(since) >= CLOSE_TIMEOUT {
                    return "the connection was closed here";
                }
                next = next.min(since + CLOSE_TIMEOUT);
            }
            if !alive {
                return "the connection failed";
            }
            if self.connected.is_some() {
                if now.duration_since(began) >= HANDSHAKE_TIMEOUT {
                    return "no connection in time";
                }
                next = next.min(began + HANDSHAKE_TIMEOUT);
            }
            tokio::select! {
                count = self.packets.recv_many(&mut received, MAX_AT_ONCE) => {
                    if count == 0 {
                        return "the connection had to make room for others";
                    }
                }
                () = self.shared.work.notified() => {}
                () = sleep_until(next.into()) => {}
            }
        }
    }

    /// Hands the core what came, and takes what it has to say. Returns when to come back, and whether it is alive.
    fn step(
        &self,
        now: Instant,
        received: &[Packet],
        pace: &mut Pace,
        closing_since: &mut Option<Instant>,
        outbox: &mut Outbox,
        news: &mut Vec<News>,
    ) -> (Instant, bool) {
        let mut core = self.shared.lock();
        let at_once = if self.connected.is_some() { 1 } else { MAX_BETWEEN_POLLS };
        let (mut unpolled, mut unacknowledged, mut singles) = (0, 0, 0);
        for packet in received {
            let is_due = unpolled == at_once || unacknowledged >= pace.at_once(core.runs(), singles);
            // What came before the end of DTLS may have to be answered before it.
            if is_due || (unpolled > 0 && is_alert(&packet.bytes)) {
                core.poll(now, |way, bytes| outbox.push(way, bytes), |happened| news.push(happened));
                singles += usize::from(unacknowledged == 1);
                (unpolled, unacknowledged) = (0, 0);
            }
            core.receive(packet.from, packet.to, &packet.bytes, now);
            unpolled += 1;
            if packet.bytes.len() > SACK_BYTES {
                pace.received(packet.bytes.len(), now);
                unacknowledged += 1;
            }
        }
        core.pass(now);
        if core.closing {
            let since = *closing_since.get_or_insert(now);
            if core.is_flushed() || now.duration_since(since) >= CLOSE_TIMEOUT {
                // Tells the other side.
                let _ = core.rtc.close();
            }
        }
        news.extend(core.release(now));
        let next = core.poll(now, |way, bytes| outbox.push(way, bytes), |happened| news.push(happened));
        news.extend(core.drained(now));
        let next = core.held_until.map_or(next, |until| next.min(until));
        (next, core.rtc.is_alive())
    }

    async fn send(&self, outbox: &mut Outbox) {
        for parcel in outbox.parcels.drain(..) {
            let at_once = parcel.size * self.socket.at_once(parcel.size);
            for bytes in parcel.bytes.chunks(at_once) {
                self.socket.send(parcel.way, bytes, parcel.size).await;
            }
        }
    }

    /// Tells streams what happened to them. Returns why the connection is over, if it is.
    fn tell(&mut self, news: Vec<News>) -> Option<&'static str> {
        let mut over = None;
        for happened in news {
            match happened {
                News::Connected(fingerprint) => {
                    if let Some(waiting) = self.connected.take() {
                        // Who gave up meanwhile has dropped the connection.
                        let _ = waiting.send(fingerprint);
                    }
                }
                News::Opened(stream, outlet, id) => {
                    outlet.connect(self.shared.channel(id));
                    let waiting = self.shared.lock().came(stream);
                    waiting.into_iter().for_each(Waker::wake);
                }
                News::Message(feed, message) => feed.message(message),
                News::Drained(feed) => feed.drained(),
                News::Closed(feed) => feed.closed(),
                News::Ended(why) => over = Some(why),
            }
        }
        over
    }
}

/// Datagrams that go the same way and are of one size, except that the last may be shorter.
#[derive(Debug)]
struct Parcel {
    way: Way,
    size: usize,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Outbox {
    parcels: Vec<Parcel>,
}

impl Outbox {
    fn push(&mut self, way: Way, bytes: &[u8]) {
        match self.parcels.last_mut() {
            Some(last) if last.way == way && last.bytes.len() % last.size == 0 && bytes.len() <= last.size => {
                last.bytes.extend_from_slice(bytes);
            }
            _ => self.parcels.push(Parcel { way, size: bytes.len().max(1), bytes: bytes.to_vec() }),
        }
    }
}
