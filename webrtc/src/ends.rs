//! Why a stream ends before its time, and why it takes no more.

use std::io;

use crate::frame::Malformed;

/// Why a stream ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// By the peer.
    #[error("the other side reset the stream")]
    Reset,
    /// By us.
    #[error("the stream was reset here")]
    ResetHere,
    /// The channel or its connection ended first.
    #[error("the channel closed before the stream did")]
    Closed,
    /// [`Limits::connection_bytes`](crate::Limits::connection_bytes) or another bound of what streams hold.
    #[error("too much arrived before it was read: more than {0} bytes are held")]
    TooMuchUnread(usize),
    /// No peer of ours would send that.
    #[error("the other side sent {0}")]
    Malformed(#[from] Malformed),
}

/// Why nothing can be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// Both directions are over.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The peer reads nothing more.
    #[error("the other side reads nothing more")]
    Stopped,
    /// After [`Machine::finish`](crate::machine::Machine::finish).
    #[error("the stream was closed for writing")]
    Finished,
}

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        let kind = match broken {
            Broken::Reset | Broken::ResetHere => io::ErrorKind::ConnectionReset,
            Broken::Closed => io::ErrorKind::ConnectionAborted,
            Broken::TooMuchUnread(_) => io::ErrorKind::OutOfMemory,
            Broken::Malformed(_) => io::ErrorKind::InvalidData,
        };
        Self::new(kind, broken)
    }
}

impl From<Unwritable> for io::Error {
    fn from(unwritable: Unwritable) -> Self {
        match unwritable {
            Unwritable::Broken(broken) => broken.into(),
            Unwritable::Stopped | Unwritable::Finished => Self::new(io::ErrorKind::BrokenPipe, unwritable),
        }
    }
}
