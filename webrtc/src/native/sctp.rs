//! The little that is read of SCTP packets (RFC 9260) where DTLS hands them on, before the association has them.

/// Bytes before the first chunk.
pub(super) const COMMON_HEADER_BYTES: usize = 12;
pub(super) const CHUNK_HEADER_BYTES: usize = 4;

const DATA: u8 = 0;
pub(super) const INIT: u8 = 1;
pub(super) const INIT_ACK: u8 = 2;
pub(super) const SACK: u8 = 3;
const I_DATA: u8 = 64;
pub(super) const RE_CONFIG: u8 = 130;
const FORWARD_TSN: u8 = 192;
const I_FORWARD_TSN: u8 = 194;

/// Parameters of RE-CONFIG (RFC 6525) that name streams, and how many bytes come before the first of them.
pub(super) const OUTGOING_RESET: (u16, usize) = (13, 16);
const INCOMING_RESET: (u16, usize) = (14, 8);
/// The parameter of RE-CONFIG that answers a request, and its results that end the request: nothing to do, performed.
pub(super) const RESET_ANSWER: u16 = 16;
const DONE: [u32; 2] = [0, 1];

/// Payload protocol: a message that opens a channel, or answers one that does (RFC 8832).
const DCEP: u32 = 50;
const DCEP_OPEN: u8 = 3;

/// A chunk, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chunk<'a> {
    Data(Data<'a>),
    /// An association begins, or the answer to that.
    Begin {
        is_answer: bool,
        tag: u32,
        tsn: u32,
    },
    /// The other side begins streams anew: all of them where none is named.
    Reset(Reset),
    /// A request to begin streams anew was performed.
    Answer {
        request: u32,
    },
    /// What has come of our chunks: all up to a number, and some of those up to another one.
    Sack(Sack),
    /// A stream that is named otherwise.
    Named(u16),
    /// Messages are given up, which no stream of libp2p does.
    Skip,
}

/// One piece of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Data<'a> {
    pub(super) tsn: u32,
    pub(super) stream: u16,
    /// Its number in its stream, if its stream is in order.
    pub(super) number: Option<u16>,
    pub(super) begins: bool,
    pub(super) ends: bool,
    pub(super) protocol: u32,
    pub(super) payload: &'a [u8],
}

/// Streams that begin anew after a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reset {
    pub(super) request: u32,
    /// The last request of the other side, as far as its sender knows.
    pub(super) response: u32,
    /// The last chunk before.
    pub(super) after: u32,
    pub(super) streams: Vec<u16>,
}

impl Data<'_> {
    /// Whether it opens or confirms a channel.
    pub(super) fn is_dcep(&self) -> bool {
        self.protocol == DCEP
    }

    pub(super) fn opens(&self) -> bool {
        self.is_dcep() && self.begins && self.payload.first() == Some(&DCEP_OPEN)
    }
}

impl Reset {
    /// Whether a chunk uses one of its streams again.
    pub(super) fn precedes(&self, data: &Data<'_>) -> bool {
        let names = self.streams.is_empty() || self.streams.contains(&data.stream);
        names && follows(data.tsn, self.after)
    }
}

/// An acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sack {
    pub(super) cumulative: u32,
    /// The last chunk that it names.
    pub(super) last: u32,
}

impl Sack {
    /// Reads what follows the header of the chunk.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let cumulative = u32_at(value, 0)?;
        let last = gap_blocks(value).map(|(_, end)| end).max().unwrap_or_default();
        Some(Self { cumulative, last: cumulative.wrapping_add(u32::from(last)) })
    }
}

/// The first and the last chunk of each run behind a gap, as distances from the last chunk before the gap.
pub(super) fn gap_blocks(sack: &[u8]) -> impl Iterator<Item = (u16, u16)> {
    let count = u16_at(sack, 8).map_or(0, usize::from);
    let blocks = sack.get(12..).unwrap_or_default().chunks_exact(4).take(count);
    blocks.filter_map(|block| u16_at(block, 0).zip(u16_at(block, 2)))
}

/// Whether one serial number comes after another (RFC 1982).
pub(super) fn follows(number: u32, other: u32) -> bool {
    let distance = number.wrapping_sub(other);
    distance != 0 && distance <= u32::MAX / 2
}

/// The chunks of a packet up to one that is cut off; the association takes none of those.
pub(super) fn chunks(packet: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    each(packet)
        .map(|(kind, flags, value)| read(kind, flags, value))
        .flat_map(|(one, more)| one.into_iter().chain(more))
}

/// How many these are, also of kinds that nothing is read of.
pub(super) fn count(packet: &[u8]) -> usize {
    each(packet).count()
}

/// The kind, the flags and the value of each.
fn each(packet: &[u8]) -> impl Iterator<Item = (u8, u8, &[u8])> {
    let mut rest = packet.get(COMMON_HEADER_BYTES..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (&[kind, flags, ..], length) = (rest.first_chunk::<CHUNK_HEADER_BYTES>()?, usize::from(u16_at(rest, 2)?));
        let value = rest.get(CHUNK_HEADER_BYTES..length)?;
        // Only the last one may lack its padding.
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, flags, value))
    })
}

/// What a chunk says: most often one thing, which costs no memory.
fn read(kind: u8, flags: u8, value: &[u8]) -> (Option<Chunk<'_>>, Vec<Chunk<'_>>) {
    let one = match kind {
        DATA => data(flags, value).map(Chunk::Data),
        INIT | INIT_ACK => begin(kind == INIT_ACK, value),
        SACK => Sack::read(value).map(Chunk::Sack),
        I_DATA => u16_at(value, 4).map(Chunk::Named),
        FORWARD_TSN | I_FORWARD_TSN => Some(Chunk::Skip),
        _ => None,
    };
    (one, if kind == RE_CONFIG { parameters(value).flatten().collect() } else { Vec::new() })
}

fn data(flags: u8, value: &[u8]) -> Option<Data<'_>> {
    Some(Data {
        tsn: u32_at(value, 0)?,
        stream: u16_at(value, 4)?,
        number: u16_at(value, 6).filter(|_| flags & 4 == 0),
        begins: flags & 2 != 0,
        ends: flags & 1 != 0,
        protocol: u32_at(value, 8)?,
        payload: value.get(12..)?,
    })
}

fn begin(is_answer: bool, value: &[u8]) -> Option<Chunk<'_>> {
    Some(Chunk::Begin { is_answer, tag: u32_at(value, 0)?, tsn: u32_at(value, 12)? })
}

/// What each parameter of a RE-CONFIG says of streams.
fn parameters(mut rest: &[u8]) -> impl Iterator<Item = Vec<Chunk<'_>>> {
    std::iter::from_fn(move || {
        let (kind, length) = (u16_at(rest, 0)?, usize::from(u16_at(rest, 2)?));
        let parameter = rest.get(..length.max(CHUNK_HEADER_BYTES))?;
        rest = rest.get(length.max(CHUNK_HEADER_BYTES).next_multiple_of(4)..).unwrap_or_default();
        let streams = |from: usize| parameter.get(from..).unwrap_or_default().chunks_exact(2);
        let named = |from| streams(from).filter_map(|id| u16_at(id, 0));
        Some(match kind {
            kind if kind == OUTGOING_RESET.0 => {
                let [Some(request), Some(response), Some(after)] = [4, 8, 12].map(|at| u32_at(parameter, at)) else {
                    return Some(Vec::new());
                };
                let streams = named(OUTGOING_RESET.1).collect();
                vec![Chunk::Reset(Reset { request, response, after, streams })]
            }
            RESET_ANSWER if u32_at(parameter, 8).is_some_and(|result| DONE.contains(&result)) => {
                u32_at(parameter, 4).map(|request| Chunk::Answer { request }).into_iter().collect()
            }
            kind if kind == INCOMING_RESET.0 => named(INCOMING_RESET.1).map(Chunk::Named).collect(),
            _ => Vec::new(),
        })
    })
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

#[cfg(test)]
#[path = "sctp_tests.rs"]
pub(super) mod tests;
