//! Being asked to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Error;

/// Listens for SIGINT and SIGTERM from its making on.
#[derive(Debug)]
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Takes the two signals over.
    ///
    /// # Errors
    /// [`Error::SetUp`] when the system has no handler to spare.
    pub fn new() -> Result<Self, Error> {
        let take =
            |kind| signal(kind).map_err(|error| Error::SetUp { what: "signal handling", reason: error.to_string() });
        Ok(Self { interrupt: take(SignalKind::interrupt())?, terminate: take(SignalKind::terminate())? })
    }

    /// Resolves when one of them arrived.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
