//! What strangers can hand to a node, as functions of bytes, for the fuzz targets. Each panics only when a promise
//! is broken.

pub mod frame;
pub mod hub;
pub mod repl;
pub mod room;
pub mod sync;

use libp2p::{Multiaddr, PeerId, identity::Keypair};
use n0_future::time::Instant;

use crate::room::Now;

const ROOM: &str = "lobby";
/// When the examples are said.
const TIME_MS: u64 = 1_700_000_000_000;

/// An address as a peer announces it.
pub fn address(address: &Multiaddr) {
    let _ = crate::links::peer_of(address);
    let _ = crate::gate::range_of(address, &[]);
}

#[allow(clippy::disallowed_methods, reason = "an origin for the target's own clock")]
fn now() -> Now {
    Now { instant: Instant::now(), unix_ms: TIME_MS }
}

fn key(seed: u8) -> Keypair {
    Keypair::ed25519_from_bytes([seed; 32]).expect("32 bytes are a key")
}

fn peer(seed: u8) -> PeerId {
    key(seed).public().to_peer_id()
}

/// Cuts bytes into pieces, each after two bytes that tell its length.
fn pieces(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let [high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (piece, left) = rest.split_at(length);
        pieces.push(piece);
        bytes = left;
    }
    pieces
}

/// The other way round.
fn joined(pieces: &[Vec<u8>]) -> Vec<u8> {
    let length = |piece: &[u8]| u16::try_from(piece.len()).unwrap_or(u16::MAX).to_be_bytes();
    pieces.iter().flat_map(|piece| length(piece).into_iter().chain(piece.iter().copied())).collect()
}
