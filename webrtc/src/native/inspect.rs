//! What strangers may say in SCTP: no more than a peer of libp2p does.
//!
//! str0m and sctp-proto bound neither streams nor what they keep of a message besides its payload, and go through all
//! streams for each chunk. So packets are looked at where DTLS hands them on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
};

use super::{
    flight::{Counts, Flight},
    order::Order,
    resets::Resets,
    sctp::{Chunk, Data, Reset, chunks, count},
    sound::is_sound,
    stream_set::{MAX_STREAM_IDS, Streams},
};

/// Streams that carry something before anybody has opened them.
const MAX_STRANGE_STREAMS: u32 = 64;
/// Bytes that a chunk costs besides its payload, in the association's queues or as an answer.
const CHUNK_BYTES: usize = 256;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// As on its way.
    Lose,
    /// It ends the connection.
    End(&'static str),
}

/// How far a connection has come in proving who the other side is.
#[derive(Debug, Default)]
pub(super) struct Gate {
    listens: bool,
    unproven_bytes: usize,
    /// Messages sent on the handshake's channel.
    said: AtomicU32,
    proven: AtomicBool,
    runs: AtomicUsize,
    /// What [`Flight`] counts.
    chunks: AtomicUsize,
    messages: AtomicUsize,
}

impl Gate {
    /// For a connection that may cost so many bytes until then.
    pub(super) fn new(listens: bool, unproven_bytes: usize) -> Arc<Self> {
        Arc::new(Self { listens, unproven_bytes, ..Self::default() })
    }

    /// A message was sent on the handshake's channel.
    pub(super) fn say(&self) {
        self.said.fetch_add(1, Ordering::Relaxed);
    }

    /// The other side has proved who it is.
    pub(super) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// How many runs of later chunks have come while one is missing.
    pub(super) fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }

    /// What is sent and not acknowledged.
    pub(super) fn flight(&self) -> Counts {
        Counts { chunks: self.chunks.load(Ordering::Relaxed), messages: self.messages.load(Ordering::Relaxed) }
    }

    fn fly(&self, Counts { chunks, messages }: Counts) {
        self.chunks.store(chunks, Ordering::Relaxed);
        self.messages.store(messages, Ordering::Relaxed);
    }

    /// Whether our part of Noise is said, two messages of the listener and one of the dialer: the other side may be through
    /// with it before we are, and open streams.
    fn is_said(&self) -> bool {
        self.said.load(Ordering::Relaxed) > u32::from(self.listens)
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Inspector {
    gate: Arc<Gate>,
    /// The other side's tag and first number; a second association would be kept beside this one.
    begun: Option<(u32, u32)>,
    /// Our tag, which the other side's packets have.
    tag: Option<u32>,
    /// Whether a chunk of DATA has come.
    used: bool,
    order: Order,
    flight: Flight,
    resets: Resets,
    opened: Streams,
    strange: Streams,
    /// Bytes that came before the other side proved who it is.
    early_bytes: usize,
}

impl Inspector {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        let (order, flight, resets) = (Order::default(), Flight::default(), Resets::default());
        let (opened, strange) = (Streams::default(), Streams::default());
        Self { gate, begun: None, tag: None, used: false, order, flight, resets, opened, strange, early_bytes: 0 }
    }

    /// A packet of the other side.
    pub(super) fn receive(&mut self, packet: &[u8]) -> Verdict {
        if !is_sound(packet, self.tag) {
            return Verdict::Lose;
        }
        // Nobody can have had the answer to a request that comes in the same packet.
        let mut resets: Vec<Reset> = Vec::new();
        let mut is_lost = |chunk: Chunk<'_>| match chunk {
            Chunk::Data(data) => {
                let is_early = self.order.is_early(&data) || resets.iter().any(|reset| reset.precedes(&data));
                is_early || self.order.is_far(data.tsn)
            }
            Chunk::Reset(reset) => {
                let is_too_much = self.order.is_new(&reset) && self.resets.is_too_much(&reset, resets.len());
                resets.push(reset);
                is_too_much
            }
            // Late, or the association would begin to count anew.
            Chunk::Begin { .. } => self.used && !self.is_other(&chunk),
            Chunk::Sack(sack) => !self.flight.is_due(&sack),
            _ => false,
        };
        if chunks(packet).any(&mut is_lost) || self.order.is_ragged(data(packet).map(|data| data.tsn)) {
            return Verdict::Lose;
        }
        if !self.gate.is_proven() {
            // Many kinds are answered at once, also while nobody knows who asks.
            self.early_bytes +=
                count(packet) * CHUNK_BYTES + data(packet).map(|data| data.payload.len()).sum::<usize>();
            if self.early_bytes > self.gate.unproven_bytes {
                return if self.gate.is_said() {
                    Verdict::Lose
                } else {
                    Verdict::End("it says too much before the handshake")
                };
            }
        }
        chunks(packet).find_map(|chunk| self.look(chunk).err()).map_or(Verdict::Pass, Verdict::End)
    }

    /// A packet of ours: the other side answers in the streams that it opens, and uses those again that it resets.
    pub(super) fn send(&mut self, packet: &[u8]) {
        for chunk in chunks(packet) {
            match chunk {
                Chunk::Data(data) => {
                    self.resets.used(data.stream);
                    if data.opens() {
                        self.opened.insert(data.stream);
                        self.strange.remove(data.stream);
                    }
                }
                Chunk::Reset(reset) => self.resets.ask(reset),
                Chunk::Answer { request } => self.order.answered(request),
                Chunk::Begin { tag, tsn, .. } => {
                    self.tag = Some(tag);
                    self.flight.begin(tsn);
                }
                _ => {}
            }
        }
        self.flight.sent(data(packet));
        self.gate.fly(self.flight.counts());
    }

    fn look(&mut self, chunk: Chunk<'_>) -> Result<(), &'static str> {
        match chunk {
            Chunk::Data(data) => self.data(&data),
            Chunk::Begin { is_answer: true, .. } if self.gate.listens => Err("it answers what nobody has asked"),
            Chunk::Begin { .. } if self.is_other(&chunk) => Err("it begins another association"),
            Chunk::Begin { tag, tsn, .. } => {
                self.begun = Some((tag, tsn));
                self.order.begin(tsn);
                Ok(())
            }
            Chunk::Reset(reset) => {
                reset.streams.iter().try_for_each(|stream| numbered(*stream))?;
                self.resets.answered(reset.response);
                if self.order.reset(&reset) {
                    self.resets.came(&reset);
                }
                self.close();
                Ok(())
            }
            Chunk::Answer { request } => {
                self.resets.answered(request);
                Ok(())
            }
            Chunk::Sack(sack) => {
                self.flight.acknowledged(&sack);
                self.gate.fly(self.flight.counts());
                Ok(())
            }
            Chunk::Named(stream) => numbered(stream),
            Chunk::Skip => Err("it skips messages"),
        }
    }

    /// Whether a chunk begins another association than the one that has begun.
    fn is_other(&self, chunk: &Chunk<'_>) -> bool {
        matches!(chunk, Chunk::Begin { tag, tsn, .. } if self.begun.is_some_and(|begun| begun != (*tag, *tsn)))
    }

    fn data(&mut self, data: &Data<'_>) -> Result<(), &'static str> {
        self.used = true;
        self.resets.used(data.stream);
        numbered(data.stream)?;
        if data.payload.is_empty() {
            // RFC 9260, 3.3.1, ends the association; what is held would not be counted.
            return Err("it sends nothing");
        }
        if data.stream != 0 && !self.gate.is_proven() && !self.gate.is_said() {
            return Err("it uses a stream before the handshake");
        }
        if data.opens() {
            self.opened.insert(data.stream);
            self.strange.remove(data.stream);
        } else if data.stream != 0 && !self.opened.contains(data.stream) {
            self.strange.insert(data.stream);
            if self.strange.count > MAX_STRANGE_STREAMS {
                return Err("it uses streams that nobody has opened");
            }
        }
        self.order.came(data).map_err(|_| "it sends in disorder")?;
        self.gate.runs.store(self.order.runs(), Ordering::Relaxed);
        self.close();
        Ok(())
    }

    /// Streams close once all has come that was sent in them: a lost chunk may arrive after the request to reset its stream.
    fn close(&mut self) {
        self.order.begun_anew().into_iter().for_each(|stream| self.opened.remove(stream));
    }
}

fn data(packet: &[u8]) -> impl Iterator<Item = Data<'_>> {
    chunks(packet).filter_map(|chunk| if let Chunk::Data(data) = chunk { Some(data) } else { None })
}

fn numbered(stream: u16) -> Result<(), &'static str> {
    if stream < MAX_STREAM_IDS { Ok(()) } else { Err("it uses too large a stream number") }
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
