//! How much a connection may have in flight: written to its channels and not acknowledged.
//!
//! A long path needs much in flight; on a short one that only adds delay, since whatever waits here holds up every other
//! stream of the connection. So the window follows what the other side acknowledges in one round trip, as the send buffers
//! of TCP stacks do. It is one window for the whole connection, shared equally by the streams in use.
//!
//! It is counted in bytes and in chunks: SCTP keeps a chunk, however short, until all chunks before it are acknowledged, and
//! scans all that it keeps again and again.
//!
//! str0m reports neither round trips nor acknowledgements, only what each channel still has in flight. So a round trip is
//! measured from a write with nothing in flight to the first acknowledgement, and lowered by any later one that is shorter.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

use super::in_flight::InFlightCounts;

/// Bytes that a connection may have in flight on a short path, and until its round trip is known.
pub(super) const MIN_WINDOW: usize = 64 * 1024;
/// The same on the longest and fastest path.
pub(super) const MAX_WINDOW: usize = 2 * 1024 * 1024;
/// Bytes that each stream may have in flight however many share the window: one whole frame.
pub(super) const MIN_SHARE: usize = 16 * 1024;
/// SCTP chunks that a connection may have in flight; a message that was not sent yet counts as one. In whole frames
/// [`MAX_WINDOW`] is half of that, and a round trip later, while one chunk is missing, at most three quarters.
const MAX_CHUNKS: usize = 4 * 1024;
/// The same for streams that have something in flight, so that one that has nothing finds room beside them.
const MAX_SHARED_CHUNKS: usize = 3 * 1024;
/// The window is this many times what was acknowledged in a round trip: SCTP doubles its own window in a round trip as long
/// as it has more to send.
const HEADROOM: usize = 3;
/// Acknowledged bytes are counted for this time at least; over a shorter one they come too unevenly.
const MIN_ROUND: Duration = Duration::from_millis(10);
/// Bytes that make more than one packet, which is acknowledged at once. A single packet may be acknowledged 200 ms late.
const PROMPT_BYTES: u64 = 2 * 1200;

/// See the [module](self).
pub(super) struct Window<Id> {
    /// Channels with something in flight, or whose writers wait.
    channels: HashMap<Id, ChannelState>,
    /// Bytes in flight, of all channels.
    total: usize,
    size: usize,
    /// Of the connection so far.
    written: u64,
    acknowledged: u64,
    round_trip: Option<Duration>,
    probe: Option<RttProbe>,
    round: Option<Round>,
    in_flight: InFlightCounts,
    /// Messages of the connection so far.
    messages: usize,
}

#[derive(Default)]
struct ChannelState {
    bytes: usize,
    /// A writer was refused, and has not been told of room since.
    waits: bool,
}

impl ChannelState {
    /// Chunks of the whole connection in flight up to which this channel has room.
    fn max_chunks(&self) -> usize {
        if self.bytes > 0 { MAX_SHARED_CHUNKS } else { MAX_CHUNKS }
    }
}

/// A write of which the acknowledgement tells the round trip.
struct RttProbe {
    since: Instant,
    /// `written` before and after it.
    from: u64,
    to: u64,
    /// Nothing was in flight before it.
    first: bool,
}

/// The time in which acknowledged bytes are being counted.
struct Round {
    since: Instant,
    /// `acknowledged` at its beginning.
    from: u64,
}

impl<Id: Copy + Eq + Hash> Window<Id> {
    pub(super) fn new() -> Self {
        Self {
            channels: HashMap::new(),
            total: 0,
            size: MIN_WINDOW,
            written: 0,
            acknowledged: 0,
            round_trip: None,
            probe: None,
            round: None,
            in_flight: InFlightCounts::default(),
            messages: 0,
        }
    }

    /// Whether a channel takes a message. If not, [`Self::update`] names it once it does.
    pub(super) fn has_room(&mut self, id: Id) -> bool {
        let (share, chunks) = (self.share(), self.chunks());
        if chunks < MAX_CHUNKS && !self.channels.contains_key(&id) {
            return true;
        }
        let channel = self.channels.entry(id).or_default();
        channel.waits = channel.bytes >= share || chunks >= channel.max_chunks();
        !channel.waits
    }

    /// What SCTP keeps, as it was after the last poll.
    pub(super) fn set_in_flight(&mut self, in_flight: InFlightCounts) {
        self.in_flight = in_flight;
    }

    /// A message was written to a channel.
    pub(super) fn sent(&mut self, id: Id, bytes: usize, now: Instant) {
        let first = self.total == 0;
        let (from, to) = (self.written, self.written + bytes as u64);
        if first || self.probe.is_none() {
            self.probe = Some(RttProbe { since: now, from, to, first });
        }
        if first {
            self.round = Some(Round { since: now, from: self.acknowledged });
        }
        self.written = to;
        self.messages += 1;
        self.total += bytes;
        self.channels.entry(id).or_default().bytes += bytes;
    }

    /// A channel is gone, and nobody waits for it.
    pub(super) fn remove(&mut self, id: Id) {
        if let Some(channel) = self.channels.remove(&id) {
            self.total -= channel.bytes;
            self.acknowledged += channel.bytes as u64;
        }
    }

    /// Takes note of what each channel still has in flight. Returns those that had no room and have some now.
    pub(super) fn update(&mut self, now: Instant, mut buffered: impl FnMut(Id) -> usize) -> Vec<Id> {
        if self.channels.is_empty() {
            self.messages = self.in_flight.messages;
            return Vec::new();
        }
        let before = self.total;
        self.total = 0;
        self.channels.retain(|id, channel| {
            channel.bytes = buffered(*id);
            self.total += channel.bytes;
            channel.bytes > 0 || channel.waits
        });
        self.acknowledge(before.saturating_sub(self.total), now);
        if self.total == 0 {
            // All is sent, but for messages whose channel was closed.
            self.messages = self.in_flight.messages;
        }
        let (share, chunks) = (self.share(), self.chunks());
        let has_room = |channel: &ChannelState| {
            let max_chunks = channel.max_chunks();
            channel.bytes <= share - share / 4 && chunks <= max_chunks - max_chunks / 4
        };
        let room = self.channels.iter_mut().filter(|(_, channel)| channel.waits && has_room(channel));
        room.map(|(id, channel)| (channel.waits = false, *id).1).collect()
    }

    /// Bytes that each channel in use may have in flight.
    fn share(&self) -> usize {
        (self.size / self.channels.len().max(1)).max(MIN_SHARE)
    }

    /// Chunks in flight, and messages that will become some.
    fn chunks(&self) -> usize {
        self.in_flight.chunks + self.messages.saturating_sub(self.in_flight.messages)
    }

    fn acknowledge(&mut self, bytes: usize, now: Instant) {
        if bytes == 0 {
            return;
        }
        self.acknowledged += bytes as u64;
        self.measure(now);
        let (Some(round_trip), Some(round)) = (self.round_trip, &self.round) else { return };
        let took = now.saturating_duration_since(round.since);
        if took >= round_trip.max(MIN_ROUND) {
            let share_of_round = round_trip.as_secs_f64() / took.as_secs_f64();
            let in_a_round_trip = ((self.acknowledged - round.from) as f64 * share_of_round) as usize;
            // At most halved at once: after a loss, acknowledgements stop for a while and then come together.
            self.size = (HEADROOM * in_a_round_trip).max(self.size / 2).clamp(MIN_WINDOW, MAX_WINDOW);
            self.round = Some(Round { since: now, from: self.acknowledged });
        }
    }

    /// Measures the round trip, if this acknowledgement is the one that was waited for.
    fn measure(&mut self, now: Instant) {
        let (written, acknowledged) = (self.written, self.acknowledged);
        let answered =
            |probe: &mut RttProbe| if probe.first { acknowledged > probe.from } else { acknowledged >= probe.to };
        let Some(probe) = self.probe.take_if(answered) else { return };
        let took = now.saturating_duration_since(probe.since);
        let prompt = written - probe.from >= PROMPT_BYTES;
        self.round_trip = match self.round_trip {
            Some(known) if took < known => Some(took),
            // Either the path has become longer or this packet was held up: the next ones will tell.
            Some(known) if probe.first && prompt => Some((known + took) / 2),
            None if probe.first && prompt => Some(took),
            known => known,
        };
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
