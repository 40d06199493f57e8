//! What bridges bring.

use libp2p::PeerId;

/// A line as another network knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The room.
    pub room: String,
    /// Who said it there.
    pub source: PeerId,
    /// The source's number for it.
    pub number: Vec<u8>,
    /// The line.
    pub text: String,
}
