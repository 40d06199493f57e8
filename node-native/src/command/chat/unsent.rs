//! What was not taken, and why.

use tincan_shared::{Link, Message, MessageState};

use super::{Chat, Input};
use crate::{Error, error::WhyUnsent, output, stdin::Line};

/// What is left at the end.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    /// Lines that still wait in a room.
    waiting: Vec<Message>,
    /// Lines that were sent and that nobody is known to have.
    unconfirmed: Vec<Message>,
    /// Lines that were read, and had no place among those that wait.
    unsaid: Vec<String>,
    /// Lines that break a limit.
    refused: usize,
    why: Option<WhyUnsent>,
}

impl Chat {
    /// What is left when it ends now, also of what was read of the input and not looked at.
    pub(super) async fn unsent(&mut self, input: Input) -> Unsent {
        let mut unsent = Unsent { refused: self.refused, ..Unsent::default() };
        for room in self.rooms.keys() {
            let waiting = self.node.messages(room.as_str()).await.unwrap_or_default();
            unsent.waiting.extend(waiting.into_iter().filter(|message| message.state == MessageState::Waiting));
            unsent.unconfirmed.extend(self.node.untaken(room.as_str()).await.unwrap_or_default());
        }
        unsent.unsaid.extend(self.saying.take());
        if let Input::Piped(mut lines) = input {
            lines.close();
            while let Some(line) = lines.recv().await {
                unsent.unsaid.extend(match line {
                    Line::Text(text) if !text.trim().is_empty() => Some(text),
                    _ => None,
                });
            }
        }
        if unsent.count() > 0 {
            unsent.why = Some(self.why(&unsent).await);
        }
        unsent
    }

    async fn why(&self, unsent: &Unsent) -> WhyUnsent {
        if unsent.count() == unsent.refused {
            return WhyUnsent::Refused;
        }
        if self.clock_wrong {
            return WhyUnsent::Clock;
        }
        if self.stopped {
            return WhyUnsent::Stopped;
        }
        let online = self.node.status().await.is_ok_and(|status| status.link == Link::Online);
        let somebody = self.node.rooms().await.unwrap_or_default().iter().any(|room| room.total > 0);
        match (online, somebody) {
            (_, true) => WhyUnsent::NotTaken,
            (true, false) => WhyUnsent::NobodyThere,
            (false, false) => WhyUnsent::NoConnection,
        }
    }
}

impl Unsent {
    fn count(&self) -> usize {
        self.waiting.len() + self.unconfirmed.len() + self.unsaid.len() + self.refused
    }

    /// Names what is left; `kept` when this node stores what waits.
    pub(super) fn report(&self, kept: bool) -> Result<(), Error> {
        let name = |fate: &str, text: &str| output::note(&format!("{fate}: {}", output::note_surface().line(text)));
        for message in &self.unconfirmed {
            name("sent, but nobody confirmed it", &message.text);
        }
        for message in &self.waiting {
            name(if kept { "not sent, kept for the next time" } else { "not sent" }, &message.text);
        }
        for text in &self.unsaid {
            name("not sent", text);
        }
        if !self.unsaid.is_empty() {
            output::note("what follows this line in the input was not read");
        }
        if kept && !self.waiting.is_empty() {
            output::note("what is kept goes out by itself at the next start in this room: do not send it again");
        }
        match self.why {
            None => Ok(()),
            Some(why) => Err(Error::Unsent { count: self.count(), why }),
        }
    }
}
