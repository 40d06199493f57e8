//! Why a trial failed.

use std::{io, time::Duration};

/// See the [module](self).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for cannot be done.
    #[error("{0}")]
    Asked(String),
    /// Before it was authenticated.
    #[error("no connection: {0}")]
    Dial(String),
    /// While it was needed.
    #[error("the connection ended: {0}")]
    Lost(String),
    /// Something did not happen in time.
    #[error("not within {} s: {what}", .within.as_secs())]
    Late {
        /// What was waited for.
        what: &'static str,
        /// How long.
        within: Duration,
    },
    /// The other side did or said something else than the protocol has it.
    #[error("{what}: {found}")]
    Wrong {
        /// What was tried.
        what: &'static str,
        /// How it went.
        found: String,
    },
    /// A stream failed.
    #[error("{what}: {error}")]
    Stream {
        /// What it was for.
        what: &'static str,
        /// How it failed.
        error: io::Error,
    },
    /// A behaviour or the encryption cannot be set up.
    #[error("cannot set up {0}")]
    SetUp(String),
}

impl Error {
    pub(crate) fn stream(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Stream { what, error }
    }

    pub(crate) fn wrong(what: &'static str, found: impl Into<String>) -> Self {
        Self::Wrong { what, found: found.into() }
    }
}
