//! `tincan kv`

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use tincan_shared::{
    Config, Event, Events, Node,
    repl::{self, Answer},
};
use tokio::{sync::mpsc, time::timeout};

use super::report::Reporter;
use crate::{
    Error, output,
    session::Session,
    settings::Settings,
    signals::Stop,
    stdin::{self, Line},
};

/// Bytes of one line of input; above every value, so that the node says what the limit is.
const MAX_LINE_BYTES: usize = 2 * 1024 * 1024;
/// How long piped input waits for the first peer.
const FIRST_PEER_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn run(settings: &Settings, mut stop: Stop) -> Result<(), Error> {
    if settings.raw && io::stdout().is_terminal() {
        let what = "--raw writes bytes that may do anything to a terminal; send them to a file or a pipe";
        return Err(Error::Usage(what.into()));
    }
    let mut session = Session::start(settings, Config { rejoin: false, ..Config::peer() })?;
    let expects_peer = !settings.bootstrap.is_empty() && !io::stdin().is_terminal();
    let mut watcher = Watcher { reporter: Reporter::new(settings.quiet), reached: false, reason: None };
    let mut asked = Asked { lines: stdin::lines(MAX_LINE_BYTES), is_answering: false, wrong: 0, missed: false };
    let done = tokio::select! {
        () = stop.asked() => None,
        done = answer_all(&session.node, &mut session.events, &mut watcher, &mut asked, expects_peer, settings.raw) => {
            Some(done)
        }
    };
    let ephemeral = session.ephemeral;
    let is_written = session.end().await;
    let Some(done) = done else { return asked.unanswered() };
    done?;
    match asked.wrong {
        // What was stored ends with this run, or was not found where it was looked for.
        0 if expects_peer && !watcher.reached && (ephemeral || asked.missed) => {
            Err(Error::NobodyReached { reason: watcher.reason })
        }
        0 if !is_written => Err(Error::NotWritten),
        0 => Ok(()),
        count => Err(Error::Lines { count }),
    }
}

/// The lines of the input, and how they were answered.
struct Asked {
    lines: mpsc::Receiver<Line>,
    /// Whether one has no answer yet.
    is_answering: bool,
    /// Those that were wrong.
    wrong: usize,
    /// Whether something was looked for and not found.
    missed: bool,
}

impl Asked {
    /// What was read and has no answer when the program is told to end. Whoever types sees that.
    fn unanswered(&self) -> Result<(), Error> {
        let count = usize::from(self.is_answering) + self.lines.len();
        if count == 0 || io::stdin().is_terminal() { Ok(()) } else { Err(Error::Unanswered { count }) }
    }
}

/// Reports events, and remembers whether any peer was reached.
struct Watcher {
    reporter: Reporter,
    reached: bool,
    /// The last reason reported for not reaching a peer.
    reason: Option<String>,
}

impl Watcher {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PeerUp(_) => self.reached = true,
            Event::Unreachable { address, reason } => self.reason = Some(format!("{address}: {reason}")),
            _ => {}
        }
        self.reporter.event(event);
    }
}

/// Answers all lines. When `raw`, standard output is for values alone.
async fn answer_all(
    node: &Node,
    events: &mut Events,
    watcher: &mut Watcher,
    asked: &mut Asked,
    expects_peer: bool,
    raw: bool,
) -> Result<(), Error> {
    let waited = match expects_peer {
        true => timeout(FIRST_PEER_TIMEOUT, first_peer(events, watcher)).await,
        false => Ok(()),
    };
    if waited.is_err() {
        watcher.reporter.note("no peer found within 5 s; continuing offline");
    }
    tokio::select! {
        answered = answers(node, asked, raw) => answered,
        () = watch(events, watcher) => Ok(()),
    }
}

/// Resolves when somebody is connected and identified: before that no record finds its way.
async fn first_peer(events: &mut Events, watcher: &mut Watcher) {
    loop {
        let event = events.next().await;
        watcher.event(&event);
        match event {
            Event::PeerUp(peer) | Event::PeerChanged(peer) if peer.agent.is_some() => return,
            Event::Stopped => return,
            _ => {}
        }
    }
}

async fn watch(events: &mut Events, watcher: &mut Watcher) {
    loop {
        match events.next().await {
            // The answers say so too, each in its line.
            Event::Stopped => std::future::pending().await,
            event => watcher.event(&event),
        }
    }
}

async fn answers(node: &Node, asked: &mut Asked, raw: bool) -> Result<(), Error> {
    let surface = output::surface();
    while let Some(line) = asked.lines.recv().await {
        asked.is_answering = true;
        let answer = match line {
            Line::Text(text) if text.trim().is_empty() => continue,
            Line::Text(text) => {
                repl::answer(node, &text, surface).await.map_err(|error| output::error_line(&error, surface))
            }
            Line::Failed(error) => return Err(Error::Input(error)),
            Line::TooLong => Err(format!("error: the line is above {MAX_LINE_BYTES} bytes (2 MiB); store less")),
        };
        // Whoever reads nothing but values cannot tell an empty one from none.
        let is_missing = matches!(answer, Ok(Answer::NotFound { .. }));
        asked.missed |= is_missing;
        asked.wrong += usize::from(answer.is_err() || raw && is_missing);
        match answer {
            Ok(Answer::Found { value, .. }) if raw => output::bytes(&value)?,
            answer => {
                let line = answer.map_or_else(|error| error, Answer::line);
                if raw { output::note(&line) } else { output::line(&line)? }
            }
        }
        asked.is_answering = false;
    }
    Ok(())
}
