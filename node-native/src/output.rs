//! Lines to standard output and standard error, which may be closed at any time.

use std::{
    io::{self, IsTerminal, Write},
    sync::{PoisonError, RwLock},
};

use tincan_shared::Surface;

use crate::{Error, editor::Screen};

/// Follows an error that does not say itself what to do.
const HINT: &str = "; see tincan --help";

/// Takes the lines while somebody types on the same terminal. The terminal is one for the whole process.
static SCREEN: RwLock<Option<Screen>> = RwLock::new(None);

/// Sends all lines to a terminal on which somebody types, or from `None` on to standard output and error again.
pub fn redirect(screen: Option<Screen>) {
    *SCREEN.write().unwrap_or_else(PoisonError::into_inner) = screen;
}

/// Whether somebody types on the terminal, and now sees the line above that.
fn shown(line: &str) -> bool {
    let screen = SCREEN.read().unwrap_or_else(PoisonError::into_inner).clone();
    screen.is_some_and(|screen| screen.show(line))
}

/// One line on standard output, at once.
///
/// # Errors
/// [`Error::Output`] when its reader has gone.
pub fn line(line: &str) -> Result<(), Error> {
    if shown(line) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error::Output)
}

/// Bytes as they are on standard output.
///
/// # Errors
/// [`Error::Output`] when its reader has gone.
pub fn bytes(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::Output)
}

/// What standard output is.
#[must_use]
pub fn surface() -> Surface {
    surface_of(&io::stdout())
}

/// What standard error is.
#[must_use]
pub fn note_surface() -> Surface {
    surface_of(&io::stderr())
}

fn surface_of(stream: &impl IsTerminal) -> Surface {
    if stream.is_terminal() { Surface::Screen } else { Surface::Pipe }
}

/// One line on standard error. With nobody to read it there is nobody to tell.
pub fn note(line: &str) {
    if !(io::stderr().is_terminal() && shown(line)) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

/// What is written to it goes where [`note`] sends it: for the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct StderrWriter;

impl Write for StderrWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match str::from_utf8(bytes) {
            Ok(text) if io::stderr().is_terminal() && shown(text.trim_end_matches('\n')) => Ok(bytes.len()),
            _ => io::stderr().lock().write_all(bytes).map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// The one line that says what went wrong and what to do.
pub fn error(error: &Error) {
    note(&error_line(error, note_surface()));
}

/// `error: <what>; <what to do>`, harmless to show and on one line whatever is in it.
#[must_use]
pub fn error_line(error: &impl std::fmt::Display, surface: Surface) -> String {
    let text = surface.line(error.to_string().trim());
    let hint = if text.contains("; ") { "" } else { HINT };
    format!("error: {text}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_that_says_what_to_do() {
        assert_eq!(error_line(&"a\nb", Surface::Pipe), "error: a⏎b; see tincan --help");
        assert_eq!(error_line(&"no; do that", Surface::Screen), "error: no; do that");
    }
}
