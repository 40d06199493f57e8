//! A line of the console.

use crate::repl::parse;

/// It is understood, or the error is one line.
pub fn run(bytes: &[u8]) {
    if let Err(error) = parse(&String::from_utf8_lossy(bytes)) {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.contains(['\n', '\x1b']), "{text:?}");
    }
}

/// Every word.
#[must_use]
pub fn examples() -> Vec<Vec<u8>> {
    let lines = ["PUT key a value", "get key", "Put_Provider key", "GET_PROVIDERS key", "HELP", "", "FETCH key"];
    lines.map(|line| line.as_bytes().to_vec()).to_vec()
}
