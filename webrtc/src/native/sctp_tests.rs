//! Packets for tests of what is read of them.

use proptest::prelude::*;

use super::*;
use crate::native::validate::is_valid;

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

pub(in super::super) fn piece(tsn: u32, stream: u16, ssn: u16, flags: u8, ppid: u32, payload: &[u8]) -> Vec<u8> {
    let fields = [&tsn.to_be_bytes()[..], &stream.to_be_bytes(), &ssn.to_be_bytes(), &ppid.to_be_bytes()];
    chunk(DATA, flags, &[&fields.concat(), payload].concat())
}

pub(in super::super) fn init(tag: u32, tsn: u32) -> Vec<u8> {
    chunk(INIT, 0, &[tag.to_be_bytes(), [0; 4], [0; 4], tsn.to_be_bytes()].concat())
}

pub(in super::super) fn init_ack(tag: u32, tsn: u32) -> Vec<u8> {
    let cookie = [0, 7, 0, 8, 1, 2, 3, 4];
    chunk(INIT_ACK, 0, &[&[tag, 0, 0, tsn].map(u32::to_be_bytes).concat()[..], &cookie].concat())
}

pub(in super::super) fn reset(request: u32, last_tsn: u32, streams: &[u16]) -> Vec<u8> {
    let streams: Vec<u8> = streams.iter().flat_map(|id| id.to_be_bytes()).collect();
    let length = u16::try_from(16 + streams.len()).unwrap();
    let header = [&13_u16.to_be_bytes()[..], &length.to_be_bytes()].concat();
    chunk(
        RE_CONFIG,
        0,
        &[header, request.to_be_bytes().to_vec(), vec![0; 4], last_tsn.to_be_bytes().to_vec(), streams].concat(),
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
    assert_eq!(*begin, Chunk::Init { is_ack: false, tag: 7, tsn: 8 });
    assert_eq!((data.tsn, data.stream, data.ssn, data.begins, data.ends), (9, 10, Some(11), true, true));
    assert!(data.opens());
    assert_eq!(*reset, Reset { request: 12, response_seq: 0, last_tsn: 13, streams: vec![14, 15] });
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(chunks(&bytes).count() <= bytes.len());
        for kind in 0..=u8::MAX {
            let packet = packet(&[chunk(kind, 0, &bytes)]);
            prop_assert!(chunks(&packet).count() <= bytes.len().max(1));
            is_valid(&packet, Some(TAG));
        }
    }
}
