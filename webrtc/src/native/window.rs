//! How much a connection may have under way: written to its channels and not acknowledged.
//!
//! A long path needs much under way, a short one is only slowed by it: whatever waits here delays every other stream of
//! the connection. So the window follows what the other side acknowledges in one round trip, as the send buffers of
//! TCP stacks do. It is one window for the whole connection, of which each stream in use has an equal share.
//!
//! It is counted in bytes and in chunks: SCTP keeps a chunk, however short, until all chunks before it are acknowledged,
//! and goes through all that it keeps again and again.
//!
//! str0m tells neither round trips nor acknowledgements, only what each channel still has under way. A round trip is
//! measured from a write with nothing under way to the first acknowledgement, and lowered by any later one that is shorter.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

use super::flight::Counts;

/// Bytes of a connection that may be under way on a short path, and until its round trip is known.
pub(super) const MIN_WINDOW: usize = 64 * 1024;
/// The same on the longest and fastest path.
pub(super) const MAX_WINDOW: usize = 2 * 1024 * 1024;
/// Bytes that each stream may have under way however many share the window: one whole frame.
pub(super) const MIN_SHARE: usize = 16 * 1024;
/// SCTP chunks of a connection that may be under way, each message that was not sent yet counted as one. In whole frames
/// [`MAX_WINDOW`] is half of that, and a round trip later, while one of them is missing, at most three quarters.
const MAX_CHUNKS: usize = 4 * 1024;
/// The same for streams that have something under way: one that has nothing finds room beside them.
const MAX_SHARED_CHUNKS: usize = 3 * 1024;
/// The window is so many times what was acknowledged in a round trip: SCTP doubles what is in flight in a round trip as
/// long as it has more to send.
const HEADROOM: usize = 3;
/// Acknowledged bytes are counted for no shorter time, in which they come too unevenly.
const MIN_ROUND: Duration = Duration::from_millis(10);
/// Bytes of which the first acknowledgement comes at once. A single packet is acknowledged up to 200 ms late.
const PROMPT_BYTES: u64 = 2 * 1200;

/// See the [module](self).
pub(super) struct Window<Id> {
    /// Channels with something under way, or whose writers wait.
    channels: HashMap<Id, UnderWay>,
    /// Sum of all channels.
    total: usize,
    size: usize,
    /// Of the connection so far.
    written: u64,
    acknowledged: u64,
    round_trip: Option<Duration>,
    timed: Option<Timed>,
    round: Option<Round>,
    flight: Counts,
    /// Messages of the connection so far.
    messages: usize,
}

#[derive(Default)]
struct UnderWay {
    bytes: usize,
    /// It had no room and has not been told of any since.
    waits: bool,
}

impl UnderWay {
    /// Chunks of the whole connection below which this channel has room.
    fn max_chunks(&self) -> usize {
        if self.bytes > 0 { MAX_SHARED_CHUNKS } else { MAX_CHUNKS }
    }
}

/// A write whose acknowledgement is waited for.
struct Timed {
    since: Instant,
    /// `written` before and after it.
    from: u64,
    to: u64,
    /// Nothing was under way before it.
    first: bool,
}

/// A time in which acknowledged bytes are counted.
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
            timed: None,
            round: None,
            flight: Counts::default(),
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
    pub(super) fn in_flight(&mut self, flight: Counts) {
        self.flight = flight;
    }

    /// A message was written to a channel.
    pub(super) fn sent(&mut self, id: Id, bytes: usize, now: Instant) {
        let first = self.total == 0;
        let (from, to) = (self.written, self.written + bytes as u64);
        if first || self.timed.is_none() {
            self.timed = Some(Timed { since: now, from, to, first });
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

    /// Takes note of what each channel still has under way. Returns those that had no room and have some now.
    pub(super) fn update(&mut self, now: Instant, mut under_way: impl FnMut(Id) -> usize) -> Vec<Id> {
        if self.channels.is_empty() {
            self.messages = self.flight.messages;
            return Vec::new();
        }
        let before = self.total;
        self.total = 0;
        self.channels.retain(|id, channel| {
            channel.bytes = under_way(*id);
            self.total += channel.bytes;
            channel.bytes > 0 || channel.waits
        });
        self.acknowledge(before.saturating_sub(self.total), now);
        if self.total == 0 {
            // All is sent. Messages that went with their channel are not waited for.
            self.messages = self.flight.messages;
        }
        let (share, chunks) = (self.share(), self.chunks());
        let has_room = |channel: &UnderWay| {
            let max_chunks = channel.max_chunks();
            channel.bytes <= share - share / 4 && chunks <= max_chunks - max_chunks / 4
        };
        let room = self.channels.iter_mut().filter(|(_, channel)| channel.waits && has_room(channel));
        room.map(|(id, channel)| (channel.waits = false, *id).1).collect()
    }

    /// Bytes that each channel in use may have under way.
    fn share(&self) -> usize {
        (self.size / self.channels.len().max(1)).max(MIN_SHARE)
    }

    /// Chunks that SCTP keeps or will, as far as they are known.
    fn chunks(&self) -> usize {
        self.flight.chunks + self.messages.saturating_sub(self.flight.messages)
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
            // Not at once: a loss halts acknowledgements for a while, and then they come together.
            self.size = (HEADROOM * in_a_round_trip).max(self.size / 2).clamp(MIN_WINDOW, MAX_WINDOW);
            self.round = Some(Round { since: now, from: self.acknowledged });
        }
    }

    /// A round trip, if this acknowledgement tells one.
    fn measure(&mut self, now: Instant) {
        let (written, acknowledged) = (self.written, self.acknowledged);
        let answered =
            |timed: &mut Timed| if timed.first { acknowledged > timed.from } else { acknowledged >= timed.to };
        let Some(timed) = self.timed.take_if(answered) else { return };
        let took = now.saturating_duration_since(timed.since);
        let prompt = written - timed.from >= PROMPT_BYTES;
        self.round_trip = match self.round_trip {
            Some(known) if took < known => Some(took),
            // The path may have become longer, or this one was held up: it is told by the next ones.
            Some(known) if timed.first && prompt => Some((known + took) / 2),
            None if timed.first && prompt => Some(took),
            known => known,
        };
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
