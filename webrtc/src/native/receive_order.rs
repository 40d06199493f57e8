//! Checks that the other side's DATA chunks are in the order that RFC 9260 demands of a sender.
//!
//! An association keeps what it cannot deliver yet: messages whose last chunk or whose predecessor is missing, and chunks
//! beyond a gap. It counts only their payload, and scans all of them for each chunk. A correct sender leaves at most one
//! message incomplete, since the chunks of a message have successive TSNs, and sends no message before its predecessor.
//! Whoever violates that is disconnected; chunks too far beyond a gap are dropped.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use super::sctp::{Data, Reset, follows};

/// How far beyond the last in-order chunk a chunk may be, in TSNs; those farther away are dropped.
const MAX_OUT_OF_ORDER: u32 = 2048;
/// Gap blocks: runs of successive chunks beyond a gap. Each SACK reports all of them, four bytes each, and str0m takes no
/// packet of more than 2,000 bytes.
const MAX_GAP_BLOCKS: usize = 256;
/// Chunks of an incomplete message.
const MAX_PIECES: usize = 1024;
/// Bytes of a message that opens or confirms a channel (DCEP). It may come in several chunks, and its label is kept.
pub(super) const MAX_OPEN_BYTES: usize = 512;

/// One chunk, as far as its order matters.
#[derive(Debug, Clone, Copy)]
struct Piece {
    stream: u16,
    ssn: Option<u16>,
    begins: bool,
    ends: bool,
    /// Bytes of its payload, if it is of DCEP.
    dcep: Option<usize>,
}

/// An incomplete message.
#[derive(Debug, Clone, Copy)]
struct PartialMessage {
    stream: u16,
    pieces: usize,
    /// Bytes so far, if it is of DCEP.
    dcep: Option<usize>,
}

/// A violation of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disorder;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct ReceiveOrder {
    /// The TSN up to which no chunk is missing.
    cumulative_tsn: Option<u32>,
    /// Chunks beyond a gap, by their index: the first chunk of the association has index 1.
    out_of_order: BTreeMap<u64, Piece>,
    /// How many gap blocks these make.
    gap_blocks: usize,
    /// The index of `cumulative_tsn`.
    cumulative_index: u64,
    partial: Option<PartialMessage>,
    /// The stream sequence number of each stream's next message.
    next_ssn: HashMap<u16, u16>,
    /// The sequence number of the last request to reset streams.
    last_request: Option<u32>,
    /// The last request, as long as chunks sent before it are missing.
    pending: Option<Reset>,
    /// Streams that must not be used again before we have answered the request to reset them, with its sequence number and
    /// the last TSN before it. `None` stands for all streams.
    unanswered: HashMap<Option<u16>, (u32, u32)>,
    /// Streams reset since the last [`ReceiveOrder::take_reset_streams`].
    reset_streams: Vec<u16>,
}

impl ReceiveOrder {
    /// The association begins with this TSN. Requests are numbered from the same number on (RFC 6525, 5.1.1).
    pub(super) fn begin(&mut self, tsn: u32) {
        self.cumulative_tsn.get_or_insert(tsn.wrapping_sub(1));
        self.last_request.get_or_insert(tsn.wrapping_sub(1));
    }

    /// How far beyond the cumulative TSN a chunk is; none if it is a duplicate.
    fn distance(&self, tsn: u32) -> Option<u32> {
        let distance = tsn.wrapping_sub(self.cumulative_tsn?);
        (distance != 0 && distance <= u32::MAX / 2).then_some(distance)
    }

    /// How many gap blocks our next SACK has.
    pub(super) fn gap_blocks(&self) -> usize {
        self.gap_blocks
    }

    /// Whether a chunk is too far beyond a gap.
    pub(super) fn is_too_far(&self, tsn: u32) -> bool {
        self.distance(tsn).is_some_and(|distance| distance > MAX_OUT_OF_ORDER)
    }

    /// Whether the chunks of a packet would make too many gap blocks.
    pub(super) fn exceeds_gap_blocks(&self, packet: impl Iterator<Item = u32>) -> bool {
        let (mut gap_blocks, mut before) = (self.gap_blocks, None);
        for at in packet.filter_map(|tsn| Some(self.cumulative_index + u64::from(self.distance(tsn)?))) {
            let continues =
                at == self.cumulative_index + 1 || before == Some(at - 1) || self.out_of_order.contains_key(&(at - 1));
            if !continues && !self.out_of_order.contains_key(&at) {
                gap_blocks += 1;
                if gap_blocks > MAX_GAP_BLOCKS {
                    return true;
                }
            }
            before = Some(at);
        }
        false
    }

    /// Handles a chunk, which may be a duplicate.
    pub(super) fn received(&mut self, data: &Data<'_>) -> Result<(), Disorder> {
        let Some(distance) = self.distance(data.tsn) else { return Ok(()) };
        let Data { stream, ssn, begins, ends, .. } = *data;
        let dcep = data.is_dcep().then_some(data.payload.len());
        let at = self.cumulative_index + u64::from(distance);
        let joined = [at - 1, at + 1].iter().filter(|near| self.out_of_order.contains_key(near)).count();
        if let Entry::Vacant(vacant) = self.out_of_order.entry(at) {
            vacant.insert(Piece { stream, ssn, begins, ends, dcep });
            self.gap_blocks = self.gap_blocks + 1 - joined;
        }
        while let Some(piece) = self.out_of_order.remove(&(self.cumulative_index + 1)) {
            self.cumulative_index += 1;
            self.gap_blocks -= usize::from(!self.out_of_order.contains_key(&(self.cumulative_index + 1)));
            self.cumulative_tsn = self.cumulative_tsn.map(|last| last.wrapping_add(1));
            self.handle_in_order(piece)?;
            self.try_reset();
        }
        Ok(())
    }

    /// Handles a chunk whose predecessors have all been received.
    fn handle_in_order(&mut self, piece: Piece) -> Result<(), Disorder> {
        let continues = |partial: &PartialMessage| {
            let is_same = partial.stream == piece.stream && partial.dcep.is_some() == piece.dcep.is_some();
            is_same && !piece.begins && partial.pieces < MAX_PIECES
        };
        let before = match self.partial {
            None if piece.begins => PartialMessage { stream: piece.stream, pieces: 0, dcep: piece.dcep.map(|_| 0) },
            Some(partial) if continues(&partial) => partial,
            _ => return Err(Disorder),
        };
        let dcep = before.dcep.zip(piece.dcep).map(|(before, more)| before + more);
        if dcep.is_some_and(|bytes| bytes > MAX_OPEN_BYTES) {
            return Err(Disorder);
        }
        if let Some(ssn) = piece.ssn
            && ssn != self.next_ssn.get(&piece.stream).copied().unwrap_or(0)
        {
            return Err(Disorder);
        }
        self.partial = (!piece.ends).then_some(PartialMessage { pieces: before.pieces + 1, dcep, ..before });
        if let Some(ssn) = piece.ssn.filter(|_| piece.ends) {
            self.next_ssn.insert(piece.stream, ssn.wrapping_add(1));
        }
        Ok(())
    }

    /// Handles a request to reset streams; false for a duplicate. As the association does, this takes requests one after
    /// another, and none while one waits.
    pub(super) fn reset(&mut self, reset: &Reset) -> bool {
        let is_next = self.last_request.is_some_and(|last| reset.request == last.wrapping_add(1));
        if self.pending.is_some() || !is_next || self.cumulative_tsn.is_none() {
            return false;
        }
        self.last_request = Some(reset.request);
        let waits = (reset.request, reset.last_tsn);
        self.unanswered.extend(reset.streams.iter().map(|stream| (Some(*stream), waits)));
        if reset.streams.is_empty() {
            self.unanswered.insert(None, waits);
        }
        self.pending = Some(reset.clone());
        self.try_reset();
        true
    }

    /// Whether a request is no duplicate.
    pub(super) fn is_new(&self, reset: &Reset) -> bool {
        self.last_request.is_some_and(|last| follows(reset.request, last))
    }

    /// Whether a chunk uses a stream before we have answered the request to reset it. A correct sender waits for the answer;
    /// the association would keep such chunks and copy all of them for each further one.
    pub(super) fn is_early(&self, data: &Data<'_>) -> bool {
        let is_after = |(_, last_tsn): &(u32, u32)| follows(data.tsn, *last_tsn);
        [None, Some(data.stream)].iter().any(|stream| self.unanswered.get(stream).is_some_and(is_after))
    }

    /// We have answered a request, so its streams may be used again.
    pub(super) fn answered(&mut self, request: u32) {
        self.unanswered.retain(|_, (waiting, _)| follows(*waiting, request));
    }

    /// The streams that were reset since the last call, with all chunks before that received.
    pub(super) fn take_reset_streams(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.reset_streams)
    }

    fn try_reset(&mut self) {
        let Some(reset) = self
            .pending
            .take_if(|reset| self.cumulative_tsn.is_some_and(|last| last.wrapping_sub(reset.last_tsn) <= u32::MAX / 2))
        else {
            return;
        };
        if reset.streams.is_empty() {
            self.next_ssn.clear();
        }
        for stream in &reset.streams {
            self.next_ssn.remove(stream);
        }
        self.reset_streams.extend(reset.streams);
    }
}

#[cfg(test)]
#[path = "receive_order_tests.rs"]
mod tests;
