//! Why bytes are no frame that this node takes.

/// Why a payload is no frame of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Does not begin with [`MARK`](super::frame::MARK).
    #[error("not a frame")]
    NotAFrame,
    /// Begins like a frame of another version.
    #[error("a frame of an unknown version")]
    UnknownVersion,
    /// Does not decode, or breaks a bound.
    #[error("a malformed frame")]
    Malformed,
    /// The signature is not the author's.
    #[error("a frame with a wrong signature")]
    Signature,
}
