//! Being asked to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Error;

/// Listens for SIGINT and SIGTERM from its making on, and for a closed terminal where one is used.
#[derive(Debug)]
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Stop {
    /// Takes the signals over. A hub leaves SIGHUP alone, as `nohup` wants it.
    ///
    /// # Errors
    /// [`Error::SetUp`] when the system has no handler to spare.
    pub fn new(hub: bool) -> Result<Self, Error> {
        let take =
            |kind| signal(kind).map_err(|error| Error::SetUp { what: "signal handling", reason: error.to_string() });
        Ok(Self {
            interrupt: take(SignalKind::interrupt())?,
            terminate: take(SignalKind::terminate())?,
            hangup: if hub { None } else { Some(take(SignalKind::hangup())?) },
        })
    }

    /// Resolves when one of them arrived.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            Some(_) = async { self.hangup.as_mut()?.recv().await } => {}
        }
    }
}
