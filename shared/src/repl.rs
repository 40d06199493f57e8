//! The console's words: one line of text, one call on the node, one line of answer.

use crate::{Error, Node, Surface};

const USAGE_PUT: &str = "PUT key value";
const USAGE_GET: &str = "GET key";
const USAGE_PUT_PROVIDER: &str = "PUT_PROVIDER key";
const USAGE_GET_PROVIDERS: &str = "GET_PROVIDERS key";

/// What HELP answers.
pub const HELP: &str = "words: PUT key value | GET key | PUT_PROVIDER key | GET_PROVIDERS key | HELP";

/// A line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Put { key: &'a str, value: &'a str },
    Get { key: &'a str },
    PutProvider { key: &'a str },
    GetProviders { key: &'a str },
    Help,
}

/// What a line is answered with: one line of text, harmless to show on the surface it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A GET has found this value.
    Found {
        /// `key = value`.
        line: String,
        /// The value as it is stored.
        value: Vec<u8>,
    },
    /// A GET has found nothing.
    NotFound {
        /// What to say about it.
        line: String,
    },
    /// Any other word was done.
    Done {
        /// What came of it.
        line: String,
    },
}

impl Answer {
    /// The line to show.
    #[must_use]
    pub fn line(self) -> String {
        match self {
            Self::Found { line, .. } | Self::NotFound { line } | Self::Done { line } => line,
        }
    }
}

/// Does what a line says and answers it, for this surface.
///
/// # Errors
/// Whatever the line's word can meet; show it as `error: <text>`.
pub async fn answer(node: &Node, line: &str, surface: Surface) -> Result<Answer, Error> {
    let show = |text: &str| surface.line(text);
    let line = match parse(line)? {
        Line::Put { key, value } => {
            let done = node.put(key, value).await?;
            match (done.stored_on, done.asked) {
                (0, 0) => format!("stored {} here only: no peers yet", show(key)),
                (0, 1) => format!("stored {} here only: the 1 peer that was asked did not take it", show(key)),
                (0, asked) => format!("stored {} here only: none of {asked} peers took it", show(key)),
                (n, _) => format!("stored {} on {}", show(key), peers(n)),
            }
        }
        Line::Get { key } => {
            return Ok(match node.get(key).await? {
                Some(value) => {
                    let line = format!("{} = {}", show(key), show(&String::from_utf8_lossy(&value)));
                    Answer::Found { line, value }
                }
                None => Answer::NotFound { line: format!("not found: {}", show(key)) },
            });
        }
        Line::PutProvider { key } => {
            let done = node.provide(key).await?;
            match done.told {
                0 => format!("providing {} here only: no peers yet", show(key)),
                n => format!("providing {}, told {}", show(key), peers(n)),
            }
        }
        Line::GetProviders { key } => {
            let found = node.providers(key).await?;
            let ids: Vec<String> = found.iter().map(ToString::to_string).collect();
            match ids.is_empty() {
                true => format!("no providers: {}", show(key)),
                false => format!("providers of {}: {}", show(key), ids.join(" ")),
            }
        }
        Line::Help => HELP.to_owned(),
    };
    Ok(Answer::Done { line })
}

pub(crate) fn parse(line: &str) -> Result<Line<'_>, Error> {
    let line = line.trim();
    let (word, rest) = split(line);
    match word.to_ascii_uppercase().as_str() {
        "PUT" => {
            let (key, value) = split(rest);
            if key.is_empty() {
                return Err(Error::Missing { what: "key", usage: USAGE_PUT });
            }
            if value.is_empty() {
                return Err(Error::Missing { what: "value", usage: USAGE_PUT });
            }
            Ok(Line::Put { key, value })
        }
        "GET" => Ok(Line::Get { key: key(rest, USAGE_GET)? }),
        "PUT_PROVIDER" => Ok(Line::PutProvider { key: key(rest, USAGE_PUT_PROVIDER)? }),
        "GET_PROVIDERS" => Ok(Line::GetProviders { key: key(rest, USAGE_GET_PROVIDERS)? }),
        "HELP" => Ok(Line::Help),
        _ => Err(Error::UnknownWord { word: Surface::Screen.line(&word.chars().take(32).collect::<String>()) }),
    }
}

fn key<'a>(rest: &'a str, usage: &'static str) -> Result<&'a str, Error> {
    match split(rest).0 {
        "" => Err(Error::Missing { what: "key", usage }),
        key => Ok(key),
    }
}

/// The first word and what follows it.
fn split(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

fn peers(count: u32) -> String {
    if count == 1 { "1 peer".to_owned() } else { format!("{count} peers") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_case_and_values_with_spaces() {
        assert_eq!(parse("put k  a value with spaces "), Ok(Line::Put { key: "k", value: "a value with spaces" }));
        assert_eq!(parse("Get_Providers k"), Ok(Line::GetProviders { key: "k" }));
        assert_eq!(parse("help"), Ok(Line::Help));
    }

    #[test]
    fn what_is_missing_is_named() {
        let text = |line| parse(line).unwrap_err().to_string();
        assert_eq!(text("PUT"), "missing key; write PUT key value");
        assert_eq!(text("PUT k"), "missing value; write PUT key value");
        assert_eq!(text("GET"), "missing key; write GET key");
        assert!(text("FETCH k").starts_with("unknown word FETCH;"));
        assert!(text("\x1b[2J").contains('␛'));
    }
}
