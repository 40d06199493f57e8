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
    let done = tokio::select! {
        () = stop.asked() => None,
        done = answer_all(&session.node, &mut session.events, &mut watcher, expects_peer, settings.raw) => Some(done),
    };
    let ephemeral = session.ephemeral;
    session.end().await;
    let Some(done) = done else { return Ok(()) };
    match done? {
        // What was stored ends with this run, or was not found where it was looked for.
        0 if expects_peer && ephemeral && !watcher.reached => Err(Error::NobodyReached { reason: watcher.reason }),
        0 => Ok(()),
        count => Err(Error::Lines { count }),
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

/// Answers all lines. Returns how many had an error. If `raw`, only values go to standard output.
async fn answer_all(
    node: &Node,
    events: &mut Events,
    watcher: &mut Watcher,
    expects_peer: bool,
    raw: bool,
) -> Result<usize, Error> {
    let waited = match expects_peer {
        true => timeout(FIRST_PEER_TIMEOUT, first_peer(events, watcher)).await,
        false => Ok(()),
    };
    if waited.is_err() {
        watcher.reporter.note("no peer found within 5 s; continuing offline");
    }
    let mut lines = stdin::lines(MAX_LINE_BYTES);
    tokio::select! {
        wrong = answers(node, &mut lines, raw) => wrong,
        () = watch(events, watcher) => Ok(0),
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

async fn answers(node: &Node, lines: &mut mpsc::Receiver<Line>, raw: bool) -> Result<usize, Error> {
    let surface = output::surface();
    let mut wrong = 0;
    while let Some(line) = lines.recv().await {
        let answer = match line {
            Line::Text(text) if text.trim().is_empty() => continue,
            Line::Text(text) => {
                repl::answer(node, &text, surface).await.map_err(|error| output::error_line(&error, surface))
            }
            Line::Failed(error) => return Err(Error::Input(error)),
            Line::TooLong => Err(format!("error: the line is above {MAX_LINE_BYTES} bytes (2 MiB); store less")),
        };
        // Whoever reads nothing but values cannot tell an empty one from none.
        wrong += usize::from(answer.is_err() || raw && matches!(answer, Ok(Answer::NotFound { .. })));
        match answer {
            Ok(Answer::Found { value, .. }) if raw => output::bytes(&value)?,
            answer => {
                let line = answer.map_or_else(|error| error, Answer::line);
                if raw { output::note(&line) } else { output::line(&line)? }
            }
        }
    }
    Ok(wrong)
}
