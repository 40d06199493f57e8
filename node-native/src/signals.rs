//! Being asked to end, or to read the settings anew.

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use crate::{Error, hangup};

/// Listens for SIGINT and SIGTERM from its making on, for the end of the terminal it was started on, and unless it is a
/// hub for SIGHUP.
#[derive(Debug)]
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
    terminal: Option<oneshot::Receiver<()>>,
}

impl Stop {
    /// Takes the signals over. To a hub SIGHUP means something else, see [`Reload`].
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
            terminal: hangup::watch(),
        })
    }

    /// Resolves when one of them arrived.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            Some(_) = async { self.hangup.as_mut()?.recv().await } => {}
            Some(Ok(())) = async { Some(self.terminal.as_mut()?.await) } => {}
        }
    }
}

/// Listens for SIGHUP, which asks a hub to read its settings anew.
#[derive(Debug)]
pub struct Reload(Signal);

impl Reload {
    /// Takes the signal over.
    ///
    /// # Errors
    /// [`Error::SetUp`] when the system has no handler to spare.
    pub fn new() -> Result<Self, Error> {
        signal(SignalKind::hangup())
            .map(Self)
            .map_err(|error| Error::SetUp { what: "signal handling", reason: error.to_string() })
    }

    /// Resolves each time it arrived.
    pub async fn asked(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
