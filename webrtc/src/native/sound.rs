//! Which packets the association takes as they are read here: whole, and chunk by chunk.
//!
//! sctp-proto passes over a packet with a wrong checksum, another tag or one chunk that it cannot read, and finds the next
//! chunk by what it has read of the one before, not by that one's length. A packet that the two read differently would be
//! counted by one and not by the other.

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
/// They end the connection anyway.
const FORWARD_TSN: [u8; 2] = [192, 194];

/// Parameters.
const HEARTBEAT_INFO: u16 = 1;
const STATE_COOKIE: u16 = 7;
const REQUESTED_HMAC: u16 = 0x8004;
const FORWARD_TSN_SUPPORTED: u16 = 0xc000;
/// From here on parameters that nobody knows are passed over.
const OPTIONAL: u16 = 0x8000;

/// Whether the association takes a packet that is for our tag, which is known once we have said it.
pub(super) fn is_sound(packet: &[u8], tag: Option<u32>) -> bool {
    let (Some((header, chunks)), Some(said)) = (packet.split_at_checked(COMMON_HEADER_BYTES), u32_at(packet, 4)) else {
        return false;
    };
    let [ports @ .., _, _, _, _] = header else { return false };
    let has_ports = [0, 2].into_iter().all(|at| u16_at(packet, at).is_some_and(|port| port != 0));
    let begins = chunks.first() == Some(&INIT);
    let is_for_us = if begins { said == 0 } else { tag == Some(said) };
    if !has_ports || !is_for_us {
        return false;
    }
    let mut digest = CHECKSUM.digest();
    [ports, &[0; 4], chunks].into_iter().for_each(|bytes| digest.update(bytes));
    u32_at(header, 8).map(u32::swap_bytes) == Some(digest.finalize()) && are_whole(chunks)
}

fn are_whole(mut rest: &[u8]) -> bool {
    let whole_length = rest.len();
    let mut kinds: Vec<u8> = Vec::new();
    if rest.is_empty() {
        return false;
    }
    while let Some(&[kind, flags, ..]) = rest.first_chunk::<CHUNK_HEADER_BYTES>() {
        let length = usize::from(u16_at(rest, 2).unwrap_or_default());
        let Some(value) = rest.get(CHUNK_HEADER_BYTES..length) else { return false };
        let next = rest.get(length.next_multiple_of(4)..);
        // The association looks at padding only where nothing else follows.
        let is_padded = next.is_some_and(|next| !next.is_empty() || rest[length..].iter().all(|byte| *byte == 0));
        let begins = kind == INIT || kind == INIT_ACK;
        let is_alone = rest.len() == whole_length && next.is_some_and(<[u8]>::is_empty);
        if !is_padded || !is_whole(kind, flags, value) || (begins && !is_alone) {
            return false;
        }
        if kind != DATA {
            kinds.push(kind);
            if kinds.iter().filter(|other| **other == kind).count() > most(kind) {
                return false;
            }
        }
        rest = next.unwrap_or_default();
    }
    rest.is_empty()
}

/// How many chunks of a kind a packet has. Each may be answered by a packet.
fn most(kind: u8) -> usize {
    // An answer and a request.
    if kind == RE_CONFIG { 2 } else { 1 }
}

/// Whether a chunk is one that the association knows, and as long as what it reads of it.
fn is_whole(kind: u8, flags: u8, value: &[u8]) -> bool {
    match kind {
        DATA => value.len() >= 12,
        INIT => flags == 0 && value.len() >= 16,
        INIT_ACK => flags == 0 && value.len() >= 16 && begin_parameters(&value[16..]),
        SACK => {
            let blocks = [8, 10].iter().filter_map(|at| u16_at(value, *at)).map(usize::from).sum::<usize>();
            value.len() == 12 + 4 * blocks && are_apart(gap_blocks(value))
        }
        HEARTBEAT => entries(value).is_some_and(|all| matches!(all[..], [(HEARTBEAT_INFO, _)])),
        ABORT | ERROR => causes(value),
        SHUTDOWN => value.len() == 4,
        SHUTDOWN_ACK | COOKIE_ACK | SHUTDOWN_COMPLETE => value.is_empty(),
        COOKIE_ECHO => true,
        RE_CONFIG => entries(value).is_some_and(|all| matches!(all.len(), 1 | 2) && all.iter().all(is_reset)),
        _ => FORWARD_TSN.contains(&kind),
    }
}

/// Whether blocks rise and do not overlap, as everybody's do: the association goes through each chunk of each.
fn are_apart(mut blocks: impl Iterator<Item = (u16, u16)>) -> bool {
    let mut before = 0;
    blocks.all(|(start, end)| {
        let follows = before < start && start <= end;
        before = end;
        follows
    })
}

fn is_reset((kind, value): &(u16, &[u8])) -> bool {
    match *kind {
        RESET_ANSWER => value.len() == 8,
        kind => kind == OUTGOING_RESET.0 && value.len() >= 12 && value.len() % 2 == 0,
    }
}

fn begin_parameters(value: &[u8]) -> bool {
    let is_known = |(kind, value): &(u16, &[u8])| match *kind {
        STATE_COOKIE => true,
        FORWARD_TSN_SUPPORTED => value.is_empty(),
        REQUESTED_HMAC => value.len() % 2 == 0,
        kind => kind >= OPTIONAL,
    };
    entries(value).is_some_and(|all| all.iter().all(is_known))
}

/// Parameters with their values, if they take all of a chunk.
fn entries(mut rest: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (kind, length) = (u16_at(rest, 0)?, usize::from(u16_at(rest, 2)?));
        all.push((kind, rest.get(4..length)?));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(all)
}

/// Whether the causes of an error take all of a chunk. The association knows no padding between them.
fn causes(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let length = u16_at(rest, 2).map(usize::from).filter(|length| *length >= 4);
        let Some(next) = length.and_then(|length| rest.get(length..)) else { return false };
        rest = next;
    }
    true
}
