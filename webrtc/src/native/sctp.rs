//! Reads what the inspector needs of SCTP packets (RFC 9260, RFC 6525 and RFC 8832).

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

/// Parameters of RE-CONFIG (RFC 6525) that list streams, and the offset of the list.
pub(super) const OUTGOING_RESET: (u16, usize) = (13, 16);
const INCOMING_RESET: (u16, usize) = (14, 8);
/// The parameter of RE-CONFIG that answers a request, and the results that mean it is done.
pub(super) const RESET_ANSWER: u16 = 16;
const DONE: [u32; 2] = [0, 1];

/// Payload protocol identifier of messages that open a channel or confirm that (RFC 8832).
const DCEP: u32 = 50;
const DCEP_OPEN: u8 = 3;

/// What a chunk says, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chunk<'a> {
    Data(Data<'a>),
    /// INIT or INIT ACK.
    Init {
        is_ack: bool,
        tag: u32,
        tsn: u32,
    },
    /// A request to reset outgoing streams: all of them if the list is empty.
    Reset(Reset),
    /// The answer that a request to reset streams is done.
    ResetDone {
        request: u32,
    },
    /// Which of our chunks were received.
    Sack(Sack),
    /// Some other chunk that names a stream.
    OtherStream(u16),
    /// Messages are abandoned, which reliable channels never do.
    ForwardTsn,
}

/// A DATA chunk: a message or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Data<'a> {
    pub(super) tsn: u32,
    pub(super) stream: u16,
    /// The stream sequence number of its message; none if it is unordered.
    pub(super) ssn: Option<u16>,
    pub(super) begins: bool,
    pub(super) ends: bool,
    /// The payload protocol identifier.
    pub(super) ppid: u32,
    pub(super) payload: &'a [u8],
}

/// A request to reset outgoing streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reset {
    /// The sequence number of the request.
    pub(super) request: u32,
    /// The last request of the other side that its sender has received.
    pub(super) response_seq: u32,
    /// The last TSN sent before the reset.
    pub(super) last_tsn: u32,
    pub(super) streams: Vec<u16>,
}

impl Data<'_> {
    /// Whether it is a message of DCEP, which opens or confirms a channel.
    pub(super) fn is_dcep(&self) -> bool {
        self.ppid == DCEP
    }

    pub(super) fn opens(&self) -> bool {
        self.is_dcep() && self.begins && self.payload.first() == Some(&DCEP_OPEN)
    }
}

impl Reset {
    /// Whether a chunk was sent after the reset on one of its streams.
    pub(super) fn precedes(&self, data: &Data<'_>) -> bool {
        let names = self.streams.is_empty() || self.streams.contains(&data.stream);
        names && follows(data.tsn, self.last_tsn)
    }
}

/// An acknowledgement of our chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sack {
    /// The TSN up to which all were received.
    pub(super) cumulative: u32,
    /// The highest TSN that it reports.
    pub(super) last: u32,
}

impl Sack {
    /// Reads the value of a SACK chunk.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let cumulative = u32_at(value, 0)?;
        let last = gap_blocks(value).map(|(_, end)| end).max().unwrap_or_default();
        Some(Self { cumulative, last: cumulative.wrapping_add(u32::from(last)) })
    }
}

/// The gap blocks of a SACK: first and last chunk of each, as offsets from the cumulative TSN.
pub(super) fn gap_blocks(sack: &[u8]) -> impl Iterator<Item = (u16, u16)> {
    let count = u16_at(sack, 8).map_or(0, usize::from);
    let blocks = sack.get(12..).unwrap_or_default().chunks_exact(4).take(count);
    blocks.filter_map(|block| u16_at(block, 0).zip(u16_at(block, 2)))
}

/// Whether a serial number comes after another one (RFC 1982).
pub(super) fn follows(number: u32, other: u32) -> bool {
    let distance = number.wrapping_sub(other);
    distance != 0 && distance <= u32::MAX / 2
}

/// What the chunks of a packet say, up to one that is cut off.
pub(super) fn chunks(packet: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    raw_chunks(packet)
        .map(|(kind, flags, value)| read(kind, flags, value))
        .flat_map(|(one, more)| one.into_iter().chain(more))
}

/// How many chunks a packet has, of whatever kind.
pub(super) fn count(packet: &[u8]) -> usize {
    raw_chunks(packet).count()
}

/// The type, flags and value of each chunk.
fn raw_chunks(packet: &[u8]) -> impl Iterator<Item = (u8, u8, &[u8])> {
    let mut rest = packet.get(COMMON_HEADER_BYTES..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (&[kind, flags, ..], length) = (rest.first_chunk::<CHUNK_HEADER_BYTES>()?, usize::from(u16_at(rest, 2)?));
        let value = rest.get(CHUNK_HEADER_BYTES..length)?;
        // The last chunk may lack its padding.
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, flags, value))
    })
}

/// What a chunk says. Most say one thing, which needs no allocation; a RE-CONFIG may say more.
fn read(kind: u8, flags: u8, value: &[u8]) -> (Option<Chunk<'_>>, Vec<Chunk<'_>>) {
    let one = match kind {
        DATA => data(flags, value).map(Chunk::Data),
        INIT | INIT_ACK => read_init(kind == INIT_ACK, value),
        SACK => Sack::read(value).map(Chunk::Sack),
        I_DATA => u16_at(value, 4).map(Chunk::OtherStream),
        FORWARD_TSN | I_FORWARD_TSN => Some(Chunk::ForwardTsn),
        _ => None,
    };
    (one, if kind == RE_CONFIG { parameters(value).flatten().collect() } else { Vec::new() })
}

fn data(flags: u8, value: &[u8]) -> Option<Data<'_>> {
    Some(Data {
        tsn: u32_at(value, 0)?,
        stream: u16_at(value, 4)?,
        ssn: u16_at(value, 6).filter(|_| flags & 4 == 0),
        begins: flags & 2 != 0,
        ends: flags & 1 != 0,
        ppid: u32_at(value, 8)?,
        payload: value.get(12..)?,
    })
}

fn read_init(is_ack: bool, value: &[u8]) -> Option<Chunk<'_>> {
    Some(Chunk::Init { is_ack, tag: u32_at(value, 0)?, tsn: u32_at(value, 12)? })
}

/// What each parameter of a RE-CONFIG says.
fn parameters(mut rest: &[u8]) -> impl Iterator<Item = Vec<Chunk<'_>>> {
    std::iter::from_fn(move || {
        let (kind, length) = (u16_at(rest, 0)?, usize::from(u16_at(rest, 2)?));
        let parameter = rest.get(..length.max(CHUNK_HEADER_BYTES))?;
        rest = rest.get(length.max(CHUNK_HEADER_BYTES).next_multiple_of(4)..).unwrap_or_default();
        let streams = |from: usize| parameter.get(from..).unwrap_or_default().chunks_exact(2);
        let named = |from| streams(from).filter_map(|id| u16_at(id, 0));
        Some(match kind {
            kind if kind == OUTGOING_RESET.0 => {
                let [Some(request), Some(response_seq), Some(last_tsn)] = [4, 8, 12].map(|at| u32_at(parameter, at))
                else {
                    return Some(Vec::new());
                };
                let streams = named(OUTGOING_RESET.1).collect();
                vec![Chunk::Reset(Reset { request, response_seq, last_tsn, streams })]
            }
            RESET_ANSWER if u32_at(parameter, 8).is_some_and(|result| DONE.contains(&result)) => {
                u32_at(parameter, 4).map(|request| Chunk::ResetDone { request }).into_iter().collect()
            }
            kind if kind == INCOMING_RESET.0 => named(INCOMING_RESET.1).map(Chunk::OtherStream).collect(),
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
