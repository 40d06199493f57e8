//! A line editor for people at a terminal: history, completion, and output that appears above what is being typed.
//!
//! rustyline reads in a thread of its own, as a read from a terminal cannot be cancelled. It begins the next line only
//! when the last one was dealt with ([`Editor::next_line`]), so that the prompt is the right one.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::{
    Config, Context, ExternalPrinter, Helper, completion::Completer, error::ReadlineError, highlight::Highlighter,
    hint::Hinter, history::MemHistory, validate::Validator,
};
use tokio::sync::mpsc;

use crate::{Error, output};

/// Lines of output that wait to be shown.
const OUTPUT_QUEUE: usize = 1024;
/// How long what was shown last may take to appear when the editor is left.
const SHOW_TIMEOUT: Duration = Duration::from_millis(500);
/// Typed lines that can be had back with the arrow keys.
const MAX_HISTORY: usize = 500;

/// What somebody did.
#[derive(Debug, PartialEq, Eq)]
pub enum EditorInput {
    /// A line was entered.
    Line(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the terminal is gone.
    End,
}

/// Words that the tab key completes.
#[derive(Debug, Clone, Default)]
pub struct Completions {
    /// At the beginning of a line.
    pub commands: Vec<String>,
    /// After a command and a space.
    pub rooms: Vec<String>,
    /// Anywhere else.
    pub nicks: Vec<String>,
}

/// The terminal while somebody types.
#[derive(Debug)]
pub struct Editor {
    typed: mpsc::Receiver<EditorInput>,
    prompts: SyncSender<String>,
    completions: Arc<Mutex<Completions>>,
    /// Closed when all output was shown.
    all_shown: Receiver<()>,
    _restore: RestoreTerminal,
}

impl Editor {
    /// Takes the terminal over, if standard input and output are one that can be edited on. From then on all output
    /// goes above the line that is being typed, until the editor is dropped.
    ///
    /// # Errors
    /// [`Error::SetUp`].
    pub fn open() -> Result<Option<Self>, Error> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let failed = |reason: String| Error::SetUp { what: "the terminal", reason };
        let restored = RestoreTerminal(tcgetattr(io::stdin()).map_err(|error| failed(error.to_string()))?);
        let config = Config::builder().auto_add_history(true).build();
        let mut history = MemHistory::with_config(&config);
        let _ = rustyline::history::History::set_max_len(&mut history, MAX_HISTORY);
        let mut editor = rustyline::Editor::with_history(config, history).map_err(|error| failed(error.to_string()))?;
        // A terminal without cursor movements has no printer either.
        let Ok(printer) = editor.create_external_printer() else { return Ok(None) };
        let completions = Arc::new(Mutex::new(Completions::default()));
        editor.set_helper(Some(Completion(completions.clone())));
        let (sender, typed) = mpsc::channel(1);
        let (prompts, next) = sync_channel(1);
        thread::spawn(move || read(&mut editor, &next, &sender));
        let (lines, shown) = sync_channel(OUTPUT_QUEUE);
        let (showing, all_shown) = sync_channel(0);
        thread::spawn(move || {
            show(printer, &shown);
            drop(showing);
        });
        output::redirect(Some(Screen(lines)));
        Ok(Some(Self { typed, prompts, completions, all_shown, _restore: restored }))
    }

    /// Lets the next line be typed, with this prompt. Once for each line that was received.
    pub fn next_line(&self, prompt: &str) {
        // Full while a line is being typed already; closed when the terminal is gone.
        let _ = self.prompts.try_send(prompt.to_owned());
    }

    /// What somebody does next. Can be dropped and called again.
    pub async fn input(&mut self) -> EditorInput {
        self.typed.recv().await.unwrap_or(EditorInput::End)
    }

    /// What the tab key completes from now on.
    pub fn set_completions(&self, completions: Completions) {
        *self.completions.lock().unwrap_or_else(PoisonError::into_inner) = completions;
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        output::redirect(None);
        // Nothing is ever sent: this waits until the other end is gone.
        let _ = self.all_shown.recv_timeout(SHOW_TIMEOUT);
    }
}

/// Puts the terminal back as it was, also when somebody still types.
#[derive(Debug)]
struct RestoreTerminal(Termios);

impl Drop for RestoreTerminal {
    fn drop(&mut self) {
        let raw = tcgetattr(io::stdin()).is_ok_and(|now| now.local_modes != self.0.local_modes);
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
        if raw {
            // The half-typed line stays above what follows.
            let _ = writeln!(io::stdout());
        }
    }
}

fn read(
    editor: &mut rustyline::Editor<Completion, MemHistory>,
    prompts: &Receiver<String>,
    typed: &mpsc::Sender<EditorInput>,
) {
    while let Ok(prompt) = prompts.recv() {
        let did = match editor.readline(&prompt) {
            Ok(line) => EditorInput::Line(line),
            Err(ReadlineError::Interrupted) => EditorInput::Interrupted,
            Err(_) => EditorInput::End,
        };
        let last = !matches!(did, EditorInput::Line(_));
        if typed.blocking_send(did).is_err() || last {
            break;
        }
    }
}

fn show(mut printer: impl ExternalPrinter, lines: &Receiver<String>) {
    while let Ok(line) = lines.recv() {
        let _ = printer.print(line + "\n");
    }
}

/// Where output goes while somebody types.
#[derive(Debug, Clone)]
pub struct Screen(SyncSender<String>);

impl Screen {
    /// Shows a line above the one that is being typed. False when that cannot be done now.
    #[must_use]
    pub fn show(&self, line: &str) -> bool {
        match self.0.try_send(line.to_owned()) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

/// Completes commands, names of rooms and nicks.
struct Completion(Arc<Mutex<Completions>>);

impl Completer for Completion {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let completions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(completions.complete(&line[..pos]))
    }
}

impl Completions {
    /// Where the word begins that is being typed, and what it may become.
    fn complete(&self, typed: &str) -> (usize, Vec<String>) {
        let start =
            typed.rfind(char::is_whitespace).map_or(0, |at| at + typed[at..].chars().next().map_or(1, char::len_utf8));
        let completions = match (start, typed.starts_with('/') && !typed.starts_with("//")) {
            (0, true) => &self.commands,
            (_, true) => &self.rooms,
            (_, false) => &self.nicks,
        };
        let word = &typed[start..];
        if word.is_empty() && !typed.starts_with('/') {
            return (start, Vec::new());
        }
        (start, completions.iter().filter(|known| known.starts_with(word)).cloned().collect())
    }
}

impl Hinter for Completion {
    type Hint = String;
}

impl Highlighter for Completion {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Validator for Completion {}

impl Helper for Completion {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tab_key_completes_what_fits_there() {
        let list = |completions: &[&str]| completions.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let completions = Completions {
            commands: list(&["/join", "/leave"]),
            rooms: list(&["den", "déjà", "lobby"]),
            nicks: list(&["ann", "anna", "ben"]),
        };
        assert_eq!(completions.complete("/j"), (0, list(&["/join"])));
        assert_eq!(completions.complete("/join d"), (6, list(&["den", "déjà"])));
        assert_eq!(completions.complete("hello\u{3000}an"), (8, list(&["ann", "anna"])));
        assert_eq!(completions.complete("//j"), (0, Vec::new()));
        assert_eq!(completions.complete(""), (0, Vec::new()));
    }
}
