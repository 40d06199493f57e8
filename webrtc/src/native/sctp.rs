//! The little that is read of SCTP packets (RFC 9260) where DTLS hands them on, before the association has them.

use super::flight::Sack;

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
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::native::sound::is_sound;

    /// The receiver's tag in tests.
    pub(in super::super) const TAG: u32 = 0x0a0b_0c0d;

    pub(in super::super) fn packet(chunks: &[Vec<u8>]) -> Vec<u8> {
        let begins = chunks.first().is_some_and(|chunk| chunk.first() == Some(&INIT));
        tagged(if begins { 0 } else { TAG }, chunks)
    }

    pub(in super::super) fn tagged(tag: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
        let header = [&[0x13, 0x88, 0x13, 0x88], &tag.to_be_bytes()[..], &[0; 4]].concat();
        let mut packet = [header, chunks.concat()].concat();
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(&packet);
        packet[8..12].copy_from_slice(&checksum.to_le_bytes());
        packet
    }

    pub(in super::super) fn chunk(kind: u8, flags: u8, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(CHUNK_HEADER_BYTES + value.len()).unwrap();
        let mut chunk = [&[kind, flags], &length.to_be_bytes()[..], value].concat();
        chunk.resize(chunk.len().next_multiple_of(4), 0);
        chunk
    }

    pub(in super::super) fn piece(
        tsn: u32,
        stream: u16,
        number: u16,
        flags: u8,
        protocol: u32,
        payload: &[u8],
    ) -> Vec<u8> {
        let fields = [&tsn.to_be_bytes()[..], &stream.to_be_bytes(), &number.to_be_bytes(), &protocol.to_be_bytes()];
        chunk(DATA, flags, &[&fields.concat(), payload].concat())
    }

    pub(in super::super) fn init(tag: u32, tsn: u32) -> Vec<u8> {
        chunk(INIT, 0, &[tag.to_be_bytes(), [0; 4], [0; 4], tsn.to_be_bytes()].concat())
    }

    pub(in super::super) fn init_ack(tag: u32, tsn: u32) -> Vec<u8> {
        let cookie = [0, 7, 0, 8, 1, 2, 3, 4];
        chunk(INIT_ACK, 0, &[&[tag, 0, 0, tsn].map(u32::to_be_bytes).concat()[..], &cookie].concat())
    }

    pub(in super::super) fn reset(request: u32, after: u32, streams: &[u16]) -> Vec<u8> {
        let streams: Vec<u8> = streams.iter().flat_map(|id| id.to_be_bytes()).collect();
        let length = u16::try_from(16 + streams.len()).unwrap();
        let header = [&13_u16.to_be_bytes()[..], &length.to_be_bytes()].concat();
        chunk(
            RE_CONFIG,
            0,
            &[header, request.to_be_bytes().to_vec(), vec![0; 4], after.to_be_bytes().to_vec(), streams].concat(),
        )
    }

    pub(in super::super) fn answer(request: u32, result: u32) -> Vec<u8> {
        chunk(RE_CONFIG, 0, &[&[0, 16, 0, 12], &request.to_be_bytes()[..], &result.to_be_bytes()].concat())
    }

    pub(in super::super) fn sack(cumulative: u32, blocks: &[(u16, u16)]) -> Vec<u8> {
        let count = u16::try_from(blocks.len()).unwrap();
        let fields = [&cumulative.to_be_bytes()[..], &[0, 16, 0, 0], &count.to_be_bytes(), &[0; 2]].concat();
        let blocks = blocks.iter().flat_map(|(start, end)| [start.to_be_bytes(), end.to_be_bytes()].concat());
        chunk(SACK, 0, &fields.into_iter().chain(blocks).collect::<Vec<_>>())
    }

    #[test]
    fn what_matters_is_read() {
        let bytes = packet(&[init(7, 8), piece(9, 10, 11, 3, DCEP, &[DCEP_OPEN]), reset(12, 13, &[14, 15])]);
        let read: Vec<_> = chunks(&bytes).collect();
        let [begin, Chunk::Data(data), Chunk::Reset(reset)] = &read[..] else { panic!("{read:?}") };
        assert_eq!(*begin, Chunk::Begin { is_answer: false, tag: 7, tsn: 8 });
        assert_eq!((data.tsn, data.stream, data.number, data.begins, data.ends), (9, 10, Some(11), true, true));
        assert!(data.opens());
        assert_eq!(*reset, Reset { request: 12, response: 0, after: 13, streams: vec![14, 15] });
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(chunks(&bytes).count() <= bytes.len());
            for kind in 0..=u8::MAX {
                let packet = packet(&[chunk(kind, 0, &bytes)]);
                prop_assert!(chunks(&packet).count() <= bytes.len().max(1));
                is_sound(&packet, Some(TAG));
            }
        }
    }
}
