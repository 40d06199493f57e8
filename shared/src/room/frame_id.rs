//! What a frame is called.

/// A frame's name: sha-256 of its signed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub [u8; 32]);

/// The first eight bytes of a [`FrameId`], as sync exchanges them.
pub type Prefix = [u8; 8];

impl FrameId {
    /// The part that sync exchanges.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        let mut prefix = Prefix::default();
        prefix.copy_from_slice(&self.0[..8]);
        prefix
    }

    /// As hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}
