//! The task of one connection: hands the core what the socket received, sends what the core wants sent, and passes the
//! core's events on to the streams.

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
    ack_pacing::AckPacing,
    clock::now,
    datagram_queue::QueuedDatagram,
    events::CoreEvent,
    handshake::HANDSHAKE_TIMEOUT,
    shared::Shared,
    socket::{Path, Socket},
    stun::{is_alert, is_success},
};
use crate::direct::address::Fingerprint;

/// Datagrams read before anything is sent.
const MAX_AT_ONCE: usize = 64;
/// Acknowledgements read between two polls of the core, since each poll goes through everything in flight. DTLS queues at
/// least as many records.
const MAX_BETWEEN_POLLS: usize = 16;
/// Bytes of a DTLS datagram (AES-GCM) with a single SACK without gap blocks. A longer one may carry DATA.
const SACK_BYTES: usize = 65;
/// How long a closed connection may still send what was written.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Drives one connection.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) socket: Arc<Socket>,
    pub(super) datagrams: mpsc::Receiver<QueuedDatagram>,
    /// To be told when DTLS is up; none once it was.
    pub(super) connected: Option<oneshot::Sender<Fingerprint>>,
}

/// Ends the connection however its task ends.
struct EndOnDrop(Arc<Shared>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end("the connection was dropped here");
    }
}

impl Driver {
    pub(super) async fn run(mut self) {
        let end_on_drop = EndOnDrop(self.shared.clone());
        let why = self.drive().await;
        tracing::debug!(why, "a connection ended");
        self.shared.end(why);
        drop(end_on_drop);
    }

    /// Runs until the connection ends. Returns why.
    async fn drive(&mut self) -> &'static str {
        let began = now();
        let mut closing_since = None;
        let mut outbox = Outbox::default();
        let mut received: Vec<QueuedDatagram> = Vec::new();
        let mut pacing = AckPacing::default();
        loop {
            if self.connected.is_some() && self.datagrams.is_closed() {
                // Evicted: what is queued is not worth the cryptography.
                return "the handshake had to make room for others";
            }
            let mut events = Vec::new();
            let now = now();
            // The response is not validated yet. A forged one delays the attempt with version 1, nothing else.
            if self.connected.is_some() && received.iter().any(|datagram| is_success(&datagram.bytes)) {
                self.shared.answered.notify_one();
            }
            let (mut next, alive) =
                self.step(now, &received, &mut pacing, &mut closing_since, &mut outbox, &mut events);
            received.clear();
            self.send(&mut outbox).await;
            if let Some(why) = self.dispatch(events) {
                return why;
            }
            if let Some(since) = closing_since {
                // Before DTLS is up there is nothing to flush, and an attempt that was given up has to stop.
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
                count = self.datagrams.recv_many(&mut received, MAX_AT_ONCE) => {
                    if count == 0 {
                        return "the connection had to make room for others";
                    }
                }
                () = self.shared.work.notified() => {}
                () = sleep_until(next.into()) => {}
            }
        }
    }

    /// Hands the core what was received, and takes what it wants sent. Returns when to come back, and whether it is alive.
    fn step(
        &self,
        now: Instant,
        received: &[QueuedDatagram],
        pacing: &mut AckPacing,
        closing_since: &mut Option<Instant>,
        outbox: &mut Outbox,
        events: &mut Vec<CoreEvent>,
    ) -> (Instant, bool) {
        let mut core = self.shared.lock();
        let at_once = if self.connected.is_some() { 1 } else { MAX_BETWEEN_POLLS };
        let (mut unpolled, mut unacknowledged, mut singles) = (0, 0, 0);
        for datagram in received {
            let is_due =
                unpolled == at_once || unacknowledged >= pacing.datagrams_until_poll(core.gap_blocks(), singles);
            // A DTLS alert ends the connection: first answer what came before it.
            if is_due || (unpolled > 0 && is_alert(&datagram.bytes)) {
                core.poll(now, |path, bytes| outbox.push(path, bytes), |event| events.push(event));
                singles += usize::from(unacknowledged == 1);
                (unpolled, unacknowledged) = (0, 0);
            }
            core.handle_datagram(datagram.from, datagram.to, &datagram.bytes, now);
            unpolled += 1;
            if datagram.bytes.len() > SACK_BYTES {
                pacing.received(datagram.bytes.len(), now);
                unacknowledged += 1;
            }
        }
        core.handle_timeout(now);
        if core.closing {
            let since = *closing_since.get_or_insert(now);
            if core.is_flushed() || now.duration_since(since) >= CLOSE_TIMEOUT {
                // This sends a DTLS alert; if it fails, the connection is over all the same.
                let _ = core.rtc.close();
            }
        }
        events.extend(core.release(now));
        let next = core.poll(now, |path, bytes| outbox.push(path, bytes), |event| events.push(event));
        events.extend(core.drained(now));
        let next = core.held_until.map_or(next, |until| next.min(until));
        (next, core.rtc.is_alive())
    }

    async fn send(&self, outbox: &mut Outbox) {
        for batch in outbox.batches.drain(..) {
            let at_once = batch.size * self.socket.at_once(batch.size);
            for bytes in batch.bytes.chunks(at_once) {
                self.socket.send(batch.path, bytes, batch.size).await;
            }
        }
    }

    /// Passes events on to streams and to who waits for DTLS. Returns why the connection is over, if it is.
    fn dispatch(&mut self, events: Vec<CoreEvent>) -> Option<&'static str> {
        let mut over = None;
        for event in events {
            match event {
                CoreEvent::Connected(fingerprint) => {
                    if let Some(waiting) = self.connected.take() {
                        // A receiver that is gone has dropped the connection, too.
                        let _ = waiting.send(fingerprint);
                    }
                }
                CoreEvent::Opened(stream, slot, id) => {
                    slot.connect(self.shared.channel(id));
                    let waiting = self.shared.lock().push_inbound(stream);
                    waiting.into_iter().for_each(Waker::wake);
                }
                CoreEvent::Message(channel, message) => channel.on_message(message),
                CoreEvent::Drained(channel) => channel.on_drained(),
                CoreEvent::Closed(channel) => channel.on_closed(),
                CoreEvent::Ended(why) => over = Some(why),
            }
        }
        over
    }
}

/// Datagrams for one system call (generic segmentation offload): on one path and of one size, though the last may be
/// shorter.
#[derive(Debug)]
struct GsoBatch {
    path: Path,
    size: usize,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Outbox {
    batches: Vec<GsoBatch>,
}

impl Outbox {
    fn push(&mut self, path: Path, bytes: &[u8]) {
        match self.batches.last_mut() {
            Some(last) if last.path == path && last.bytes.len() % last.size == 0 && bytes.len() <= last.size => {
                last.bytes.extend_from_slice(bytes);
            }
            _ => self.batches.push(GsoBatch { path, size: bytes.len().max(1), bytes: bytes.to_vec() }),
        }
    }
}
