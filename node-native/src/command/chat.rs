//! `tincan chat`

use std::{collections::VecDeque, time::Duration};

use tincan_shared::{Config, Event, Message, MessageState, Node, RoomInfo, Said, config::DEFAULT_NICK, short_name};
use tokio::{sync::mpsc, time::timeout};

use super::report::{Reporter, person};
use crate::{
    Error, output,
    session::Session,
    settings::Settings,
    signals::Stop,
    stdin::{self, Line},
};

/// Bytes of one line of input; above the limit of a message, so that the node says what that is.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// Printed lines whose ids are remembered: more than the node keeps of a room.
const REMEMBERED_LINES: usize = 2048;
/// How long waiting lines get at the end of input.
const LAST_LINES_TIMEOUT: Duration = Duration::from_secs(10);

/// What a person does about it who joined another program's room with frames.
const FOREIGN: &str = "people in this room use another program and see your messages as garbage; \
                       stop, and join with --plain";

pub(super) async fn run(settings: &Settings, mut stop: Stop) -> Result<(), Error> {
    if settings.plain && settings.floodsub {
        let what = "a plain room takes no frames, so nothing can be brought into it; leave out --plain or --floodsub";
        return Err(Error::Usage(what.into()));
    }
    let mut session = Session::start(settings, Config::peer())?;
    let room = meant(&session.node, settings).await?;
    let mut chat = Chat::new(session.node.clone(), room, settings);
    let talked = chat.talk(&mut session, &mut stop).await;
    let unsent = chat.unsent().await;
    let kept = !session.ephemeral;
    session.end().await;
    talked?;
    report_unsent(&unsent, kept)
}

/// The room that a person means by a name: the one that is called so letter by letter, if they are in it.
async fn meant(node: &Node, settings: &Settings) -> Result<String, Error> {
    let joined = node.rooms().await?.iter().any(|room| room.room == settings.typed_room);
    Ok(if joined { settings.typed_room.clone() } else { settings.room.clone() })
}

struct Chat {
    node: Node,
    room: String,
    plain: bool,
    /// Whether it was said that the others here use another program.
    foreign: bool,
    reporter: Reporter,
    members: Vec<(libp2p::PeerId, String)>,
    /// Ids of the last printed lines, so that none is printed twice when the state is read anew.
    printed: VecDeque<String>,
}

impl Chat {
    fn new(node: Node, room: String, settings: &Settings) -> Self {
        Self {
            node,
            room,
            plain: settings.plain,
            foreign: false,
            reporter: Reporter::new(settings.quiet),
            members: Vec::new(),
            printed: VecDeque::new(),
        }
    }

    /// Joins, then shows and sends until the input ends and nothing waits, or somebody stops us.
    async fn talk(&mut self, session: &mut Session, stop: &mut Stop) -> Result<(), Error> {
        let joined = self.node.join(self.room.clone(), self.plain).await?;
        self.reporter.note(&format!("in room {} as {}", self.room, self.node.info().await?.nick));
        self.catch_up().await?;
        self.room(&joined);
        let mut lines = stdin::lines(MAX_LINE_BYTES);
        tokio::select! {
            () = stop.asked() => return Ok(()),
            talked = self.lines(session, &mut lines) => talked?,
        }
        tokio::select! {
            () = stop.asked() => Ok(()),
            waited = timeout(LAST_LINES_TIMEOUT, self.last_lines(session)) => waited.unwrap_or(Ok(())),
        }
    }

    /// Prints what the node has and this terminal has not shown.
    async fn catch_up(&mut self) -> Result<(), Error> {
        for message in self.node.messages(self.room.clone()).await? {
            self.message(&message)?;
        }
        Ok(())
    }

    async fn lines(&mut self, session: &mut Session, lines: &mut mpsc::Receiver<Line>) -> Result<(), Error> {
        loop {
            tokio::select! {
                biased;
                event = session.events.next() => self.event(event).await?,
                line = lines.recv() => match line {
                    Some(line) => self.say(line).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    /// The node's own list decides: it also knows lines of earlier runs.
    async fn last_lines(&mut self, session: &mut Session) -> Result<(), Error> {
        while !self.unsent().await.is_empty() {
            let event = session.events.next().await;
            self.event(event).await?;
        }
        Ok(())
    }

    async fn unsent(&self) -> Vec<Message> {
        let mut all = self.node.messages(self.room.clone()).await.unwrap_or_default();
        all.retain(|message| message.state == MessageState::Waiting);
        all
    }

    async fn say(&mut self, line: Line) -> Result<(), Error> {
        let text = match line {
            Line::Text(text) if text.trim().is_empty() => return Ok(()),
            Line::Text(text) => text,
            Line::TooLong => {
                output::note(&format!("error: the line is above {MAX_LINE_BYTES} bytes; send it in parts"));
                return Ok(());
            }
        };
        match self.node.say(self.room.clone(), text).await {
            Ok(Said::Sent { .. } | Said::Queued { .. }) => Ok(()),
            Err(tincan_shared::Error::Stopped) => Err(tincan_shared::Error::Stopped.into()),
            Err(error) => {
                output::note(&output::error_line(&error, output::note_surface()));
                Ok(())
            }
        }
    }

    async fn event(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Message(message) if message.room == self.room => self.message(&message),
            Event::Sent { message, .. } if message.room == self.room => {
                self.reporter.note(&format!("sent: {}", message.text));
                Ok(())
            }
            Event::Room(room) if room.room == self.room => {
                self.room(&room);
                Ok(())
            }
            Event::Lagged { missed } => {
                self.reporter.note(&format!("this terminal was too slow and missed {missed} events; reading anew"));
                self.catch_up().await
            }
            Event::Stopped => Err(tincan_shared::Error::Stopped.into()),
            other => {
                self.reporter.event(&other);
                Ok(())
            }
        }
    }

    /// Others' lines are what was asked for; one's own are on the screen already.
    fn message(&mut self, message: &Message) -> Result<(), Error> {
        if self.printed.contains(&message.id) {
            return Ok(());
        }
        self.printed.push_back(message.id.clone());
        if self.printed.len() > REMEMBERED_LINES {
            self.printed.pop_front();
        }
        match message.state {
            MessageState::Received => output::line(&shown(message, self.plain)),
            MessageState::Waiting => {
                self.reporter.note(&format!("waiting for somebody: {}", message.text));
                Ok(())
            }
            MessageState::Sent => Ok(()),
        }
    }

    /// Says who came and who went, and when they cannot read what is said here.
    fn room(&mut self, room: &RoomInfo) {
        if room.foreign && !self.foreign {
            self.reporter.note(FOREIGN);
        }
        self.foreign = room.foreign;
        let now: Vec<_> = room
            .members
            .iter()
            .map(|member| (member.peer, member.nick.clone().unwrap_or_else(|| DEFAULT_NICK.to_owned())))
            .collect();
        for (peer, nick) in now.iter().filter(|(peer, _)| !self.members.iter().any(|(known, _)| known == peer)) {
            self.reporter.note(&format!("joined: {}", person(nick, peer)));
        }
        for (peer, nick) in self.members.iter().filter(|(peer, _)| !now.iter().any(|(still, _)| still == peer)) {
            self.reporter.note(&format!("left: {}", person(nick, peer)));
        }
        self.members = now;
    }
}

/// A line of somebody else. What a room of raw text does not tell apart is not marked there.
fn shown(message: &Message, plain_room: bool) -> String {
    let nick = match (&message.claimed_source, message.nick.as_str()) {
        // Whose words these are is the bridge's claim; the id after it is the bridge's, which signed them.
        (Some(source), _) => format!("{} via bridge", short_name(source)),
        (None, _) if message.plain && !plain_room => "unsigned".to_owned(),
        (None, "") => DEFAULT_NICK.to_owned(),
        (None, nick) => nick.to_owned(),
    };
    let text = match message.newer {
        true => "(from a newer Tincan)".to_owned(),
        false => output::surface().line(&message.text),
    };
    format!("[{}] {}: {text}", output::surface().line(&message.room), person(&nick, &message.from))
}

fn report_unsent(unsent: &[Message], kept: bool) -> Result<(), Error> {
    if unsent.is_empty() {
        return Ok(());
    }
    let fate = if kept { "not sent, kept for the next time" } else { "not sent" };
    for message in unsent {
        output::note(&format!("{fate}: {}", output::note_surface().line(&message.text)));
    }
    Err(Error::Unsent { count: unsent.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(nick: &str, text: &str) -> Message {
        Message {
            room: "lobby".into(),
            id: String::new(),
            from: libp2p::PeerId::random(),
            nick: nick.into(),
            text: text.into(),
            time_ms: 0,
            sequence: 1,
            state: MessageState::Received,
            plain: false,
            newer: false,
            claimed_source: None,
        }
    }

    #[test]
    fn a_message_is_one_harmless_line() {
        let message = message("an\x1bn", "a\nb");
        let id = tincan_shared::short_id(&message.from);
        assert_eq!(shown(&message, false), format!("[lobby] an␛n ({id}): a⏎b"));
        let plain = Message { plain: true, ..message };
        assert_eq!(shown(&plain, false), format!("[lobby] unsigned ({id}): a⏎b"));
        let tab = Message { text: "\u{feff}a\tb".into(), ..plain.clone() };
        assert!(shown(&tab, false).ends_with("a\tb"), "text is shown as it was said");
        let nameless = Message { nick: String::new(), ..plain.clone() };
        assert_eq!(shown(&nameless, true), format!("[lobby] guest ({id}): a⏎b"));
        let bridged = Message { claimed_source: Some("12D3KooWabcdef".into()), plain: false, ..plain };
        assert_eq!(shown(&bridged, false), format!("[lobby] abcdef via bridge ({id}): a⏎b"));
    }
}
