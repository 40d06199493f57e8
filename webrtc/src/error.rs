//! The errors of streams.

use std::io;

use crate::frame::Malformed;

/// Why a stream failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The peer reset it.
    #[error("the other side reset the stream")]
    Reset,
    /// We reset it.
    #[error("the stream was reset here")]
    ResetLocally,
    /// Its channel or connection ended first.
    #[error("the channel closed before the stream did")]
    Closed,
    /// [`Limits::connection_bytes`](crate::Limits::connection_bytes) or another bound of what streams hold.
    #[error("too much arrived before it was read: more than {0} bytes are held")]
    TooMuchUnread(usize),
    /// The peer sent something that is no frame.
    #[error("the other side sent {0}")]
    Malformed(#[from] Malformed),
}

/// Why a stream cannot be written to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The stream failed.
    #[error(transparent)]
    Failed(#[from] StreamError),
    /// The peer sent STOP_SENDING.
    #[error("the other side reads nothing more")]
    Stopped,
    /// It was closed for writing by [`Machine::finish`](crate::machine::Machine::finish).
    #[error("the stream was closed for writing")]
    Finished,
}

impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> Self {
        let kind = match error {
            StreamError::Reset | StreamError::ResetLocally => io::ErrorKind::ConnectionReset,
            StreamError::Closed => io::ErrorKind::ConnectionAborted,
            StreamError::TooMuchUnread(_) => io::ErrorKind::OutOfMemory,
            StreamError::Malformed(_) => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Failed(error) => error.into(),
            WriteError::Stopped | WriteError::Finished => Self::new(io::ErrorKind::BrokenPipe, error),
        }
    }
}
