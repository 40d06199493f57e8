//! `tincan chat`

mod comings;
mod piped;
mod shown;
mod typed;
mod unsent;

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, IsTerminal},
};

use tincan_shared::{Config, Event, Node};
use tokio::{sync::mpsc, time::timeout_at};

use self::{
    piped::End,
    shown::{Shown, nick_of},
};
use super::report::Reporter;
use crate::{
    Error,
    editor::{Completions, Editor, EditorInput},
    output,
    session::Session,
    settings::Settings,
    signals::Stop,
    stdin::{self, Line},
};

/// Bytes of one line of input; above the limit of a message, so that the node says what that is.
const MAX_LINE_BYTES: usize = 64 * 1024;

pub(super) async fn run(settings: &Settings, mut stop: Stop) -> Result<(), Error> {
    if settings.plain && settings.floodsub {
        let what = "a plain room takes no frames, so nothing can be brought into it; leave out --plain or --floodsub";
        return Err(Error::Usage(what.into()));
    }
    let mut session = Session::start(settings, Config { rejoin: false, ..Config::peer() })?;
    let mut chat = Chat::new(session.node.clone(), settings);
    if let Err(error) = chat.begin(settings).await {
        session.end().await;
        return Err(error);
    }
    let mut input = Input::open()?;
    let talked = tokio::select! {
        () = stop.asked() => {
            chat.stopped = true;
            Ok(())
        }
        talked = chat.talk(&mut session, &mut input) => talked,
    };
    if let Input::Edited(_) = input {
        // What follows is no longer shown above a line that is being typed.
        input = Input::None;
    }
    if chat.stopped {
        chat.settle_at_once().await;
    }
    let unsent = chat.unsent(input).await;
    let is_ephemeral = session.ephemeral;
    let is_written = session.end().await;
    talked.and(unsent.report(is_written && !is_ephemeral))
}

/// Where lines come from.
enum Input {
    /// A pipe or a file: all of it is text.
    Piped(mpsc::Receiver<Line>),
    /// A terminal that knows no more than lines.
    Typed(mpsc::Receiver<Line>),
    /// A terminal on which lines are edited.
    Edited(Editor),
    /// Nowhere any more.
    None,
}

impl Input {
    fn open() -> Result<Self, Error> {
        if !io::stdin().is_terminal() {
            return Ok(Self::Piped(stdin::lines(MAX_LINE_BYTES)));
        }
        let edited = Editor::open()?.map(Self::Edited);
        Ok(edited.unwrap_or_else(|| Self::Typed(stdin::lines(MAX_LINE_BYTES))))
    }
}

/// The room that a person means by a name: the one that is called so letter by letter, if they are in it or were.
async fn meant(node: &Node, typed: &str, tidied: String) -> Result<String, Error> {
    let known = node.rooms().await?.iter().any(|room| room.room == typed)
        || node.stored_rooms().await?.iter().any(|room| room.room == typed);
    Ok(if known { typed.to_owned() } else { tidied })
}

struct Chat {
    node: Node,
    /// Where lines are said. Empty while it is in no room.
    room: String,
    reporter: Reporter,
    /// The rooms on this screen.
    rooms: BTreeMap<String, Shown>,
    /// The line that is being said.
    saying: Option<String>,
    /// Lines of the input that break a limit.
    refused: usize,
    /// Whether somebody told us to end.
    stopped: bool,
    /// Whether a hub says that this machine's clock is wrong.
    clock_wrong: bool,
    /// Room and id of the last printed lines, so that none is printed twice when the state is read anew.
    printed: VecDeque<(String, String)>,
}

impl Chat {
    fn new(node: Node, settings: &Settings) -> Self {
        Self {
            node,
            room: String::new(),
            reporter: Reporter::new(settings.quiet),
            rooms: BTreeMap::new(),
            saying: None,
            refused: 0,
            stopped: false,
            clock_wrong: false,
            printed: VecDeque::new(),
        }
    }

    /// Joins the room that was asked for and no other, and names lines that wait elsewhere.
    async fn begin(&mut self, settings: &Settings) -> Result<(), Error> {
        let room = meant(&self.node, &settings.typed_room, settings.room.clone()).await?;
        self.join(room, settings.plain).await?;
        for other in self.node.stored_rooms().await?.iter().filter(|other| other.waiting > 0) {
            let lines =
                if other.waiting == 1 { "1 line waits".to_owned() } else { format!("{} lines wait", other.waiting) };
            self.reporter.note(&format!("{lines} in {}; open it with --room {}", other.room, quoted(&other.room)));
        }
        Ok(())
    }

    /// Goes to a room, in which it stays plain or not as it is unless `plain` says so.
    async fn enter(&mut self, room: String, plain: bool) -> Result<(), Error> {
        if self.rooms.contains_key(&room) && !plain {
            self.room = room;
            self.reporter.note(&format!("in room {}", self.room));
            return Ok(());
        }
        let was_plain = self.node.stored_rooms().await?.iter().any(|stored| stored.room == room && stored.plain);
        self.join(room, plain || was_plain).await
    }

    /// Joins a room and shows its last lines.
    async fn join(&mut self, room: String, plain: bool) -> Result<(), Error> {
        let joined = self.node.join(room.clone(), plain).await?;
        self.room.clone_from(&room);
        self.rooms.entry(room).or_default().plain = plain;
        self.reporter.note(&format!("in room {} as {}", self.room, self.node.info().await?.nick));
        self.catch_up().await?;
        self.room(&joined);
        Ok(())
    }

    /// Shows and sends until the input ends and nothing waits.
    async fn talk(&mut self, session: &mut Session, input: &mut Input) -> Result<(), Error> {
        let end = match input {
            Input::Piped(lines) => self.piped(session, lines).await?,
            Input::Typed(lines) => self.lines(session, lines).await?,
            Input::Edited(editor) => self.edited(session, editor).await?,
            Input::None => End::Read,
        };
        if let Input::Edited(_) = input {
            *input = Input::None;
        }
        match end {
            End::Read if !self.stopped => self.settle(session).await,
            _ => Ok(()),
        }
    }

    async fn lines(&mut self, session: &mut Session, lines: &mut mpsc::Receiver<Line>) -> Result<End, Error> {
        loop {
            tokio::select! {
                event = self.next(session) => self.event(event).await?,
                line = lines.recv() => match line {
                    None => return Ok(End::Read),
                    Some(Line::Text(line)) => self.typed(&line).await?,
                    Some(Line::TooLong) => self.refuse(&format!("the line is above {MAX_LINE_BYTES} bytes; send it in parts")),
                    Some(Line::Failed(error)) => return Err(Error::Input(error)),
                },
            }
        }
    }

    async fn edited(&mut self, session: &mut Session, editor: &mut Editor) -> Result<End, Error> {
        editor.set_completions(self.completions().await?);
        editor.next_line(&self.prompt());
        loop {
            tokio::select! {
                event = self.next(session) => {
                    let is_room = matches!(event, Some(Event::Room(_)));
                    self.event(event).await?;
                    if is_room {
                        editor.set_completions(self.completions().await?);
                    }
                }
                input = editor.input() => match input {
                    EditorInput::Line(line) => {
                        self.typed(&line).await?;
                        editor.set_completions(self.completions().await?);
                        editor.next_line(&self.prompt());
                    }
                    EditorInput::Interrupted => {
                        self.stopped = true;
                        return Ok(End::Read);
                    }
                    EditorInput::End => return Ok(End::Read),
                },
            }
        }
    }

    fn prompt(&self) -> String {
        format!("{}> ", output::surface().line(&self.room))
    }

    async fn completions(&self) -> Result<Completions, Error> {
        let stored = self.node.stored_rooms().await?.into_iter().map(|stored| stored.room);
        let nicks = self.rooms.get(&self.room).into_iter().flat_map(|shown| &shown.members);
        let shown = |name: &str| output::surface().line(name);
        Ok(Completions {
            commands: typed::commands(),
            rooms: self.rooms.keys().cloned().chain(stored).map(|name| shown(&name)).collect(),
            nicks: nicks.map(|(_, nick)| shown(nick_of(nick.as_deref()))).collect(),
        })
    }

    /// Prints what the node has and this terminal has not shown.
    async fn catch_up(&mut self) -> Result<(), Error> {
        for room in self.rooms.keys().cloned().collect::<Vec<_>>() {
            for message in self.node.messages(room).await? {
                self.message(&message)?;
            }
        }
        Ok(())
    }

    /// What happens next; nothing when it is time to say that somebody came without a nick.
    async fn next(&self, session: &mut Session) -> Option<Event> {
        let Some(due) = self.comings_due() else { return Some(session.events.next().await) };
        timeout_at(due, session.events.next()).await.ok()
    }

    async fn event(&mut self, event: Option<Event>) -> Result<(), Error> {
        let Some(event) = event else {
            self.say_comings();
            return Ok(());
        };
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
            Event::ClockWrong { .. } | Event::ClockRight => {
                self.clock_wrong = event != Event::ClockRight;
                self.reporter.event(&event);
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
}

/// A room's name as a shell takes it.
fn quoted(room: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if room.chars().all(is_plain) { room.to_owned() } else { format!("'{}'", room.replace('\'', "'\\''")) }
}
