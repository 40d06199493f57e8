//! Lines from a pipe or file: read as fast as they are taken, and given time at the end.

use std::{future::Future, pin::pin, time::Duration};

use tincan_shared::Event;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{Chat, MAX_LINE_BYTES};
use crate::{Error, output, session::Session, stdin::Line};

/// How long nobody may take a line until that counts as the end, counted from the last one that was taken.
const TAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it is still asked whether the last lines were taken when we are told to end.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(1);

/// How the input ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All of it was read.
    Read,
    /// Nobody took anything for [`TAKE_TIMEOUT`].
    Stuck,
}

impl Chat {
    /// Says the input's lines, each when there is a place for it.
    pub(super) async fn piped(
        &mut self,
        session: &mut Session,
        lines: &mut mpsc::Receiver<Line>,
    ) -> Result<End, Error> {
        loop {
            let line = tokio::select! {
                biased;
                event = self.next(session) => {
                    self.event(event).await?;
                    continue;
                }
                line = lines.recv() => line,
            };
            let text = match line {
                None => return Ok(End::Read),
                Some(Line::Text(text)) if text.trim().is_empty() => continue,
                Some(Line::Text(text)) => text,
                Some(Line::TooLong) => {
                    self.refuse(&format!("the line is above {MAX_LINE_BYTES} bytes; send it in parts"));
                    continue;
                }
                Some(Line::Failed(error)) => return Err(Error::Input(error)),
            };
            // Named as not sent if we are told to end meanwhile.
            self.saying = Some(text.clone());
            let (node, room) = (self.node.clone(), self.room.clone());
            match self.while_taken(session, node.say_patiently(room, text)).await? {
                None => return Ok(End::Stuck),
                Some(Ok(_)) => {}
                Some(Err(error @ tincan_shared::Error::Stopped)) => return Err(error.into()),
                Some(Err(error)) => self.refuse(&error),
            }
            self.saying = None;
        }
    }

    /// Gives the last lines time to be taken.
    pub(super) async fn settle(&mut self, session: &mut Session) -> Result<(), Error> {
        for room in self.rooms.keys().cloned().collect::<Vec<_>>() {
            let node = self.node.clone();
            self.while_taken(session, node.settle(room)).await?;
        }
        Ok(())
    }

    /// Asks once more whether the last lines were taken: somebody wants us to end.
    pub(super) async fn settle_at_once(&self) {
        for room in self.rooms.keys() {
            if self.node.untaken(room.as_str()).await.is_ok_and(|untaken| !untaken.is_empty()) {
                // What is not known by then is named as not confirmed.
                let _ = timeout(RECEIPT_TIMEOUT, self.node.settle(room.as_str())).await;
            }
        }
    }

    /// Shows what happens until `done` answers; nothing when nobody took a line for too long.
    async fn while_taken<T>(
        &mut self,
        session: &mut Session,
        done: impl Future<Output = T>,
    ) -> Result<Option<T>, Error> {
        let mut done = pin!(done);
        let mut until = Instant::now() + TAKE_TIMEOUT;
        loop {
            tokio::select! {
                biased;
                done = &mut done => return Ok(Some(done)),
                event = self.next(session) => {
                    if matches!(event, Some(Event::Taken { .. } | Event::Sent { .. })) {
                        until = Instant::now() + TAKE_TIMEOUT;
                    }
                    self.event(event).await?;
                }
                () = sleep_until(until) => return Ok(None),
            }
        }
    }

    /// A line of the input that cannot be sent.
    pub(super) fn refuse(&mut self, reason: &impl std::fmt::Display) {
        self.refused += 1;
        output::note(&output::error_line(reason, output::note_surface()));
    }
}
