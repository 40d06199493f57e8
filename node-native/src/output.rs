//! Lines to standard output and standard error, which may be closed at any time.

use std::io::{self, IsTerminal, Write};

use tincan_shared::Surface;

use crate::Error;

/// Follows an error that does not say itself what to do.
const HINT: &str = "; see tincan --help";

/// One line on standard output, at once.
///
/// # Errors
/// [`Error::Output`] when its reader has gone.
pub fn line(line: &str) -> Result<(), Error> {
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
    let _ = writeln!(io::stderr().lock(), "{line}");
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
