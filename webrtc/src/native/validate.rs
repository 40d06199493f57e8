//! Lets only such packets through that the inspector and the association read alike.
//!
//! sctp-proto ignores a whole packet with a wrong checksum, another tag or one unreadable chunk, and finds the next chunk by
//! what it has parsed of the one before, not by that one's length field. A packet that both read differently would be counted
//! by the one and not by the other.

use super::sctp::{
    CHUNK_HEADER_BYTES, COMMON_HEADER_BYTES, INIT, INIT_ACK, OUTGOING_RESET, RE_CONFIG, RESET_ANSWER, SACK, gap_blocks,
    u16_at, u32_at,
};

const CHECKSUM: crc::Crc<u32, crc::Table<16>> = crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_ISCSI);

const DATA: u8 = 0;
const HEARTBEAT: u8 = 4;
const ABORT: u8 = 6;
const SHUTDOWN: u8 = 7;
const SHUTDOWN_ACK: u8 = 8;
const ERROR: u8 = 9;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;
/// FORWARD-TSN and I-FORWARD-TSN end the connection anyway.
const FORWARD_TSN: [u8; 2] = [192, 194];

/// Parameters.
const HEARTBEAT_INFO: u16 = 1;
const STATE_COOKIE: u16 = 7;
const REQUESTED_HMAC: u16 = 0x8004;
const FORWARD_TSN_SUPPORTED: u16 = 0xc000;
/// Unknown parameters from here on are ignored (RFC 9260, 3.2.1).
const OPTIONAL: u16 = 0x8000;

/// Whether a packet is well-formed, has the right checksum and carries our verification tag, if that is known yet.
pub(super) fn is_valid(packet: &[u8], tag: Option<u32>) -> bool {
    let (Some((header, chunks)), Some(packet_tag)) = (packet.split_at_checked(COMMON_HEADER_BYTES), u32_at(packet, 4))
    else {
        return false;
    };
    let [ports @ .., _, _, _, _] = header else { return false };
    let has_ports = [0, 2].into_iter().all(|at| u16_at(packet, at).is_some_and(|port| port != 0));
    let is_init = chunks.first() == Some(&INIT);
    let is_for_us = if is_init { packet_tag == 0 } else { tag == Some(packet_tag) };
    if !has_ports || !is_for_us {
        return false;
    }
    let mut digest = CHECKSUM.digest();
    [ports, &[0; 4], chunks].into_iter().for_each(|bytes| digest.update(bytes));
    u32_at(header, 8).map(u32::swap_bytes) == Some(digest.finalize()) && are_valid_chunks(chunks)
}

fn are_valid_chunks(mut rest: &[u8]) -> bool {
    let whole_length = rest.len();
    let mut kinds: Vec<u8> = Vec::new();
    if rest.is_empty() {
        return false;
    }
    while let Some(&[kind, flags, ..]) = rest.first_chunk::<CHUNK_HEADER_BYTES>() {
        let length = usize::from(u16_at(rest, 2).unwrap_or_default());
        let Some(value) = rest.get(CHUNK_HEADER_BYTES..length) else { return false };
        let next = rest.get(length.next_multiple_of(4)..);
        // The association checks the padding of the last chunk only.
        let has_valid_padding =
            next.is_some_and(|next| !next.is_empty() || rest[length..].iter().all(|byte| *byte == 0));
        let is_init = kind == INIT || kind == INIT_ACK;
        let is_alone = rest.len() == whole_length && next.is_some_and(<[u8]>::is_empty);
        if !has_valid_padding || !is_valid_chunk(kind, flags, value) || (is_init && !is_alone) {
            return false;
        }
        if kind != DATA {
            kinds.push(kind);
            if kinds.iter().filter(|other| **other == kind).count() > max_count(kind) {
                return false;
            }
        }
        rest = next.unwrap_or_default();
    }
    rest.is_empty()
}

/// How many chunks of a kind a packet may have. Each may be answered by a packet.
fn max_count(kind: u8) -> usize {
    // A request and an answer.
    if kind == RE_CONFIG { 2 } else { 1 }
}

/// Whether the association knows this kind of chunk and parses exactly this value.
fn is_valid_chunk(kind: u8, flags: u8, value: &[u8]) -> bool {
    match kind {
        DATA => value.len() >= 12,
        INIT => flags == 0 && value.len() >= 16,
        INIT_ACK => flags == 0 && value.len() >= 16 && are_init_ack_parameters(&value[16..]),
        SACK => {
            let blocks = [8, 10].iter().filter_map(|at| u16_at(value, *at)).map(usize::from).sum::<usize>();
            value.len() == 12 + 4 * blocks && are_ascending(gap_blocks(value))
        }
        HEARTBEAT => parameters(value).is_some_and(|all| matches!(all[..], [(HEARTBEAT_INFO, _)])),
        ABORT | ERROR => are_error_causes(value),
        SHUTDOWN => value.len() == 4,
        SHUTDOWN_ACK | COOKIE_ACK | SHUTDOWN_COMPLETE => value.is_empty(),
        COOKIE_ECHO => true,
        RE_CONFIG => {
            parameters(value).is_some_and(|all| matches!(all.len(), 1 | 2) && all.iter().all(is_reset_parameter))
        }
        _ => FORWARD_TSN.contains(&kind),
    }
}

/// Whether gap blocks ascend without overlap. The association visits each chunk of each block, so overlaps would cost much.
fn are_ascending(mut blocks: impl Iterator<Item = (u16, u16)>) -> bool {
    let mut before = 0;
    blocks.all(|(start, end)| {
        let follows = before < start && start <= end;
        before = end;
        follows
    })
}

fn is_reset_parameter((kind, value): &(u16, &[u8])) -> bool {
    match *kind {
        RESET_ANSWER => value.len() == 8,
        kind => kind == OUTGOING_RESET.0 && value.len() >= 12 && value.len() % 2 == 0,
    }
}

fn are_init_ack_parameters(value: &[u8]) -> bool {
    let is_confirmed = |(kind, value): &(u16, &[u8])| match *kind {
        STATE_COOKIE => true,
        FORWARD_TSN_SUPPORTED => value.is_empty(),
        REQUESTED_HMAC => value.len() % 2 == 0,
        kind => kind >= OPTIONAL,
    };
    parameters(value).is_some_and(|all| all.iter().all(is_confirmed))
}

/// The parameters of a chunk with their values, if they fill it.
fn parameters(mut rest: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (kind, length) = (u16_at(rest, 0)?, usize::from(u16_at(rest, 2)?));
        all.push((kind, rest.get(4..length)?));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(all)
}

/// Whether error causes fill the chunk. The association expects no padding between them.
fn are_error_causes(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let length = u16_at(rest, 2).map(usize::from).filter(|length| *length >= 4);
        let Some(next) = length.and_then(|length| rest.get(length..)) else { return false };
        rest = next;
    }
    true
}
