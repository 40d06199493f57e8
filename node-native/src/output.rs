//! Lines to standard output and standard error, which may be closed at any time.

use std::io::{self, Write};

use tincan_shared::neutralise;

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

/// Text as it is on standard output.
///
/// # Errors
/// [`Error::Output`] when its reader has gone.
pub fn text(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::Output)
}

/// One line on standard error. With nobody to read it there is nobody to tell.
pub fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The one line that says what went wrong and what to do.
pub fn error(error: &Error) {
    note(&error_line(error));
}

/// `error: <what>; <what to do>`, harmless to show and on one line whatever is in it.
#[must_use]
pub fn error_line(error: &impl std::fmt::Display) -> String {
    let text = neutralise(error.to_string().trim(), false);
    let hint = if text.contains("; ") { "" } else { HINT };
    format!("error: {text}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_that_says_what_to_do() {
        assert_eq!(error_line(&"a\nb"), "error: a⏎b; see tincan --help");
        assert_eq!(error_line(&"no; do that"), "error: no; do that");
    }
}
