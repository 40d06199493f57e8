//! Inspects SCTP packets between DTLS and the association, and lets through only what a libp2p peer sends.
//!
//! str0m and sctp-proto bound neither the number of streams nor the memory that a message takes besides its payload, and
//! scan all streams for each chunk. A stranger could exhaust memory or processor by that.

use std::sync::Arc;

use super::{
    in_flight::InFlight,
    owed_resets::OwedResets,
    receive_order::ReceiveOrder,
    sctp::{Chunk, Data, Reset, chunks, count},
    sctp_state::SctpState,
    stream_set::{MAX_STREAM_IDS, StreamSet},
    validate::is_valid,
};

/// Streams that carry data without having been opened.
const MAX_UNOPENED_STREAMS: u32 = 64;
/// Memory that a chunk costs besides its payload, in the association's queues or as an answer, in bytes.
const CHUNK_BYTES: usize = 256;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Forward,
    /// As if the network had lost it.
    Drop,
    /// The connection has to end, for this reason.
    Close(&'static str),
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Inspector {
    sctp: Arc<SctpState>,
    /// The other side's tag and initial TSN. A second association would take memory beside this one.
    begun: Option<(u32, u32)>,
    /// Our verification tag, which the other side's packets carry.
    tag: Option<u32>,
    /// Whether DATA has been received.
    has_data: bool,
    order: ReceiveOrder,
    flight: InFlight,
    resets: OwedResets,
    opened: StreamSet,
    unopened: StreamSet,
    /// What was received before the other side was authenticated, in bytes.
    early_bytes: usize,
}

impl Inspector {
    pub(super) fn new(sctp: Arc<SctpState>) -> Self {
        let (order, flight, resets) = (ReceiveOrder::default(), InFlight::default(), OwedResets::default());
        let (opened, unopened) = (StreamSet::default(), StreamSet::default());
        Self { sctp, begun: None, tag: None, has_data: false, order, flight, resets, opened, unopened, early_bytes: 0 }
    }

    /// Inspects a packet of the other side.
    pub(super) fn receive(&mut self, packet: &[u8]) -> Verdict {
        if !is_valid(packet, self.tag) {
            return Verdict::Drop;
        }
        // Resets requested by this packet: it cannot use their streams again, as the answer to them is yet to come.
        let mut resets: Vec<Reset> = Vec::new();
        let mut is_dropped = |chunk: Chunk<'_>| match chunk {
            Chunk::Data(data) => {
                let is_early = self.order.is_early(&data) || resets.iter().any(|reset| reset.precedes(&data));
                is_early || self.order.is_too_far(data.tsn)
            }
            Chunk::Reset(reset) => {
                let is_too_much = self.order.is_new(&reset) && self.resets.is_too_much(&reset, resets.len());
                resets.push(reset);
                is_too_much
            }
            // A late duplicate: it would make the association start its counters anew.
            Chunk::Init { .. } => self.has_data && !self.is_other(&chunk),
            Chunk::Sack(sack) => !self.flight.is_due(&sack),
            _ => false,
        };
        if chunks(packet).any(&mut is_dropped) || self.order.exceeds_gap_blocks(data(packet).map(|data| data.tsn)) {
            return Verdict::Drop;
        }
        if !self.sctp.is_authenticated() {
            // Many kinds of chunks are answered at once, also before authentication.
            self.early_bytes +=
                count(packet) * CHUNK_BYTES + data(packet).map(|data| data.payload.len()).sum::<usize>();
            if self.early_bytes > self.sctp.unauthenticated_bytes {
                return if self.sctp.has_sent_handshake() {
                    Verdict::Drop
                } else {
                    Verdict::Close("it sends too much before the handshake")
                };
            }
        }
        for chunk in chunks(packet) {
            if let Err(why) = self.handle_chunk(chunk) {
                return Verdict::Close(why);
            }
        }
        Verdict::Forward
    }

    /// Takes note of a packet of ours: the other side may use the streams that it opens, and use reset ones again.
    pub(super) fn send(&mut self, packet: &[u8]) {
        for chunk in chunks(packet) {
            match chunk {
                Chunk::Data(data) => {
                    self.resets.used(data.stream);
                    if data.opens() {
                        self.opened.insert(data.stream);
                        self.unopened.remove(data.stream);
                    }
                }
                Chunk::Reset(reset) => self.resets.requested(reset),
                Chunk::ResetDone { request } => self.order.answered(request),
                Chunk::Init { tag, tsn, .. } => {
                    self.tag = Some(tag);
                    self.flight.begin(tsn);
                }
                _ => {}
            }
        }
        self.flight.sent(data(packet));
        self.sctp.set_in_flight(self.flight.counts());
    }

    fn handle_chunk(&mut self, chunk: Chunk<'_>) -> Result<(), &'static str> {
        match chunk {
            Chunk::Data(data) => self.handle_data(&data),
            Chunk::Init { is_ack: true, .. } if self.sctp.listens => Err("it sends an INIT ACK without an INIT"),
            Chunk::Init { .. } if self.is_other(&chunk) => Err("it begins a second association"),
            Chunk::Init { tag, tsn, .. } => {
                self.begun = Some((tag, tsn));
                self.order.begin(tsn);
                Ok(())
            }
            Chunk::Reset(reset) => {
                reset.streams.iter().try_for_each(|stream| check_id(*stream))?;
                self.resets.answered(reset.response_seq);
                if self.order.reset(&reset) {
                    self.resets.received(&reset);
                }
                self.close_reset_streams();
                Ok(())
            }
            Chunk::ResetDone { request } => {
                self.resets.answered(request);
                Ok(())
            }
            Chunk::Sack(sack) => {
                self.flight.acknowledged(&sack);
                self.sctp.set_in_flight(self.flight.counts());
                Ok(())
            }
            Chunk::OtherStream(stream) => check_id(stream),
            Chunk::ForwardTsn => Err("it skips messages"),
        }
    }

    /// Whether an INIT or INIT ACK is of another association than the one that has begun.
    fn is_other(&self, chunk: &Chunk<'_>) -> bool {
        matches!(chunk, Chunk::Init { tag, tsn, .. } if self.begun.is_some_and(|begun| begun != (*tag, *tsn)))
    }

    fn handle_data(&mut self, data: &Data<'_>) -> Result<(), &'static str> {
        self.has_data = true;
        self.resets.used(data.stream);
        check_id(data.stream)?;
        if data.payload.is_empty() {
            // RFC 9260, 3.3.1, demands an abort. Empty chunks would take memory that is not counted.
            return Err("it sends DATA without payload");
        }
        if data.stream != 0 && !self.sctp.is_authenticated() && !self.sctp.has_sent_handshake() {
            return Err("it uses a stream before the handshake");
        }
        if data.opens() {
            self.opened.insert(data.stream);
            self.unopened.remove(data.stream);
        } else if data.stream != 0 && !self.opened.contains(data.stream) {
            self.unopened.insert(data.stream);
            if self.unopened.count > MAX_UNOPENED_STREAMS {
                return Err("it uses too many streams that were not opened");
            }
        }
        self.order.received(data).map_err(|_| "it violates the order of messages")?;
        self.sctp.set_gap_blocks(self.order.gap_blocks());
        self.close_reset_streams();
        Ok(())
    }

    /// Closes streams whose reset takes effect, which is after all DATA sent before it has arrived.
    fn close_reset_streams(&mut self) {
        for stream in self.order.take_reset_streams() {
            self.opened.remove(stream);
        }
    }
}

fn data(packet: &[u8]) -> impl Iterator<Item = Data<'_>> {
    chunks(packet).filter_map(|chunk| if let Chunk::Data(data) = chunk { Some(data) } else { None })
}

fn check_id(stream: u16) -> Result<(), &'static str> {
    if stream < MAX_STREAM_IDS { Ok(()) } else { Err("it uses too large a stream id") }
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
