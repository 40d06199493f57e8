//! The order in which a peer of libp2p sends, and nobody else has to.
//!
//! An association keeps what it cannot deliver yet: pieces of messages without their end, messages whose predecessors are
//! missing, whatever lies behind a gap. It counts their payload and nothing else, and looks through all of it for each
//! piece. Who sends as the RFC demands leaves no more than one message unfinished, since its pieces are numbered one after
//! another, and no message before its predecessor.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use super::sctp::{Data, Reset, follows};

/// Chunks behind a gap; further ones are lost, as on their way.
const MAX_AHEAD: u32 = 2048;
/// Runs behind a gap of chunks without one missing between them. Each SACK tells of all, in four bytes each, and str0m takes
/// no packet of more than 2,000 bytes.
const MAX_RUNS: usize = 256;
/// Pieces of a message that has not ended.
const MAX_PIECES: usize = 1024;
/// Bytes of a message that opens or confirms a channel, all its pieces together: whoever has little room left in a packet
/// cuts it too. Its label is kept.
pub(super) const MAX_OPEN_BYTES: usize = 512;

/// One chunk, as far as its order matters.
#[derive(Debug, Clone, Copy)]
struct Piece {
    stream: u16,
    number: Option<u16>,
    begins: bool,
    ends: bool,
    /// Bytes of a message that opens or confirms a channel.
    opening: Option<usize>,
}

/// A message that has not ended.
#[derive(Debug, Clone, Copy)]
struct Amid {
    stream: u16,
    pieces: usize,
    opening: Option<usize>,
}

/// What nobody does who sends in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disorder;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The last chunk before which none is missing.
    last: Option<u32>,
    /// Those behind a gap, by their distance from the first of all.
    ahead: BTreeMap<u64, Piece>,
    /// The runs of these.
    runs: usize,
    /// That distance of `last`.
    count: u64,
    amid: Option<Amid>,
    /// The number of each stream's next message.
    next: HashMap<u16, u16>,
    /// The number of the last request to begin streams anew.
    request: Option<u32>,
    /// The one that waits for chunks which come before it.
    pending: Option<Reset>,
    /// Streams that nobody uses again before we have answered the request to reset them: its number, and the last chunk
    /// before. `None` stands for all streams.
    unanswered: HashMap<Option<u16>, (u32, u32)>,
    /// Streams that have begun anew since [`Order::begun_anew`].
    anew: Vec<u16>,
}

impl Order {
    /// The association begins. Requests are numbered from the first chunk's number on (RFC 6525, 5.1.1).
    pub(super) fn begin(&mut self, tsn: u32) {
        self.last.get_or_insert(tsn.wrapping_sub(1));
        self.request.get_or_insert(tsn.wrapping_sub(1));
    }

    /// How far a chunk is behind the last one before which none is missing; nothing if it has come before.
    fn distance(&self, tsn: u32) -> Option<u32> {
        let distance = tsn.wrapping_sub(self.last?);
        (distance != 0 && distance <= u32::MAX / 2).then_some(distance)
    }

    /// How many runs of later ones have come while one is missing.
    pub(super) fn runs(&self) -> usize {
        self.runs
    }

    /// Whether a chunk lies too far behind a gap.
    pub(super) fn is_far(&self, tsn: u32) -> bool {
        self.distance(tsn).is_some_and(|distance| distance > MAX_AHEAD)
    }

    /// Whether the chunks of a packet would make too many runs. Each may go on with the one before it in the packet.
    pub(super) fn is_ragged(&self, packet: impl Iterator<Item = u32>) -> bool {
        let (mut runs, mut before) = (self.runs, None);
        for at in packet.filter_map(|tsn| Some(self.count + u64::from(self.distance(tsn)?))) {
            let goes_on = at == self.count + 1 || before == Some(at - 1) || self.ahead.contains_key(&(at - 1));
            if !goes_on && !self.ahead.contains_key(&at) {
                runs += 1;
                if runs > MAX_RUNS {
                    return true;
                }
            }
            before = Some(at);
        }
        false
    }

    /// A chunk has come, for the first time or again.
    pub(super) fn came(&mut self, data: &Data<'_>) -> Result<(), Disorder> {
        let Some(distance) = self.distance(data.tsn) else { return Ok(()) };
        let Data { stream, number, begins, ends, .. } = *data;
        let opening = data.is_dcep().then_some(data.payload.len());
        let at = self.count + u64::from(distance);
        let joined = [at - 1, at + 1].iter().filter(|near| self.ahead.contains_key(near)).count();
        if let Entry::Vacant(vacant) = self.ahead.entry(at) {
            vacant.insert(Piece { stream, number, begins, ends, opening });
            self.runs = self.runs + 1 - joined;
        }
        while let Some(piece) = self.ahead.remove(&(self.count + 1)) {
            self.count += 1;
            self.runs -= usize::from(!self.ahead.contains_key(&(self.count + 1)));
            self.last = self.last.map(|last| last.wrapping_add(1));
            self.follow(piece)?;
            self.try_reset();
        }
        Ok(())
    }

    /// The next one in order.
    fn follow(&mut self, piece: Piece) -> Result<(), Disorder> {
        let goes_on = |amid: &Amid| {
            let is_same = amid.stream == piece.stream && amid.opening.is_some() == piece.opening.is_some();
            is_same && !piece.begins && amid.pieces < MAX_PIECES
        };
        let before = match self.amid {
            None if piece.begins => Amid { stream: piece.stream, pieces: 0, opening: piece.opening.map(|_| 0) },
            Some(amid) if goes_on(&amid) => amid,
            _ => return Err(Disorder),
        };
        let opening = before.opening.zip(piece.opening).map(|(before, more)| before + more);
        if opening.is_some_and(|bytes| bytes > MAX_OPEN_BYTES) {
            return Err(Disorder);
        }
        if let Some(number) = piece.number
            && number != self.next.get(&piece.stream).copied().unwrap_or(0)
        {
            return Err(Disorder);
        }
        self.amid = (!piece.ends).then_some(Amid { pieces: before.pieces + 1, opening, ..before });
        if let Some(number) = piece.number.filter(|_| piece.ends) {
            self.next.insert(piece.stream, number.wrapping_add(1));
        }
        Ok(())
    }

    /// The other side begins streams anew. Returns whether it is told for the first time. Requests are taken as the
    /// association takes them: one after another, and none while one waits.
    pub(super) fn reset(&mut self, reset: &Reset) -> bool {
        let is_next = self.request.is_some_and(|last| reset.request == last.wrapping_add(1));
        if self.pending.is_some() || !is_next || self.last.is_none() {
            return false;
        }
        self.request = Some(reset.request);
        let waits = (reset.request, reset.after);
        self.unanswered.extend(reset.streams.iter().map(|stream| (Some(*stream), waits)));
        if reset.streams.is_empty() {
            self.unanswered.insert(None, waits);
        }
        self.pending = Some(reset.clone());
        self.try_reset();
        true
    }

    /// Whether a request has not come before.
    pub(super) fn is_new(&self, reset: &Reset) -> bool {
        self.request.is_some_and(|last| follows(reset.request, last))
    }

    /// Whether a chunk uses a stream again before we have answered the request to reset it. The association keeps such
    /// chunks aside and puts all of them together again for each further one; an honest sender waits for the answer.
    pub(super) fn is_early(&self, data: &Data<'_>) -> bool {
        let is_after = |(_, after): &(u32, u32)| follows(data.tsn, *after);
        [None, Some(data.stream)].iter().any(|stream| self.unanswered.get(stream).is_some_and(is_after))
    }

    /// We have answered a request: its streams may be used again.
    pub(super) fn answered(&mut self, request: u32) {
        self.unanswered.retain(|_, (waiting, _)| follows(*waiting, request));
    }

    /// Streams that have begun anew since this was last asked: all chunks before that have come.
    pub(super) fn begun_anew(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.anew)
    }

    fn try_reset(&mut self) {
        let Some(reset) =
            self.pending.take_if(|reset| self.last.is_some_and(|last| last.wrapping_sub(reset.after) <= u32::MAX / 2))
        else {
            return;
        };
        if reset.streams.is_empty() {
            self.next.clear();
        }
        for stream in &reset.streams {
            self.next.remove(stream);
        }
        self.anew.extend(reset.streams);
    }
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
