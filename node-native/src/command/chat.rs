//! `tincan chat`

mod piped;
mod unsent;

use std::collections::{BTreeMap, VecDeque};

use tincan_shared::{Config, Event, Message, MessageState, Node, RoomInfo, config::DEFAULT_NICK, short_name};
use tokio::sync::mpsc;

use self::piped::End;
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
    if let Err(error) = chat.enter().await {
        session.end().await;
        return Err(error);
    }
    let mut lines = stdin::lines(MAX_LINE_BYTES);
    let talked = tokio::select! {
        () = stop.asked() => {
            chat.stopped = true;
            Ok(())
        }
        talked = chat.talk(&mut session, &mut lines) => talked,
    };
    if chat.stopped {
        chat.settle_at_once().await;
    }
    let unsent = chat.unsent(&mut lines).await;
    let kept = !session.ephemeral;
    session.end().await;
    talked.and(unsent.report(kept))
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
    /// The rooms on this screen, and who was last seen in each.
    rooms: BTreeMap<String, Vec<(libp2p::PeerId, String)>>,
    /// The line that is being said.
    saying: Option<String>,
    /// Lines of the input that break a limit.
    refused: usize,
    /// Whether somebody told us to end.
    stopped: bool,
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
            rooms: BTreeMap::new(),
            saying: None,
            refused: 0,
            stopped: false,
            printed: VecDeque::new(),
        }
    }

    /// Joins the room and shows its last lines.
    async fn enter(&mut self) -> Result<(), Error> {
        let joined = self.node.join(self.room.clone(), self.plain).await?;
        self.rooms.insert(self.room.clone(), Vec::new());
        self.reporter.note(&format!("in room {} as {}", self.room, self.node.info().await?.nick));
        self.catch_up().await?;
        self.room(&joined);
        Ok(())
    }

    /// Shows and sends until the input ends and nothing waits.
    async fn talk(&mut self, session: &mut Session, lines: &mut mpsc::Receiver<Line>) -> Result<(), Error> {
        match self.piped(session, lines).await? {
            End::Read => self.settle(session).await,
            End::Stuck => Ok(()),
        }
    }

    /// Prints what the node has and this terminal has not shown.
    async fn catch_up(&mut self) -> Result<(), Error> {
        for message in self.node.messages(self.room.clone()).await? {
            self.message(&message)?;
        }
        Ok(())
    }

    async fn event(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Message(message) if self.rooms.contains_key(&message.room) => self.message(&message),
            Event::Sent { message, .. } if self.rooms.contains_key(&message.room) => {
                self.reporter.note(&format!("sent: {}", message.text));
                Ok(())
            }
            Event::Room(room) if self.rooms.contains_key(&room.room) => {
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
        let before = self.rooms.insert(room.room.clone(), now.clone()).unwrap_or_default();
        for (peer, nick) in now.iter().filter(|(peer, _)| !before.iter().any(|(known, _)| known == peer)) {
            self.reporter.note(&format!("joined: {}", person(nick, peer)));
        }
        for (peer, nick) in before.iter().filter(|(peer, _)| !now.iter().any(|(still, _)| still == peer)) {
            self.reporter.note(&format!("left: {}", person(nick, peer)));
        }
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
