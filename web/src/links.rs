//! Web addresses inside a line of chat, found in one pass: time grows with a line's length and no faster.
//!
//! The crate `linkify` was tried: it knows no marks beyond ASCII, no `http://[::1]/`, and no host in a script that
//! writes combining marks, such as Devanagari.

mod combining;

use combining::combines;

/// Links in one line; addresses after them stay text.
pub(crate) const MAX_LINKS: usize = 32;
/// What stands between a scheme and a host.
const SEPARATOR: &str = "://";

/// A stretch of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Text(&'a str),
    /// Begins with `http://` or `https://`, and is safe as an `href`.
    Link(&'a str),
}

/// Cuts a line into text and links. The parts put together are the line.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut cut, mut searched, mut links) = (0, 0, 0);
    while links < MAX_LINKS
        && let Some(found) = text[searched..].find(SEPARATOR)
    {
        let host = searched + found + SEPARATOR.len();
        searched = host;
        let Some(start) = scheme_start(&text[..host - SEPARATOR.len()]) else { continue };
        let (length, looked_at) = extent(&text[host..]);
        searched += looked_at;
        if length == 0 {
            continue;
        }
        if start > cut {
            parts.push(Part::Text(&text[cut..start]));
        }
        cut = host + length;
        links += 1;
        parts.push(Part::Link(&text[start..cut]));
    }
    if cut < text.len() {
        parts.push(Part::Text(&text[cut..]));
    }
    parts
}

/// Where the scheme begins that a text ends with, if it is the web's. Letters of other scripts may stand before it:
/// many of them write no spaces.
fn scheme_start(before: &str) -> Option<usize> {
    let ends_with = |scheme: &&str| {
        let tail = before.len().checked_sub(scheme.len()).and_then(|at| before.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(scheme))
    };
    let scheme = ["https", "http"].into_iter().find(ends_with)?;
    let start = before.len() - scheme.len();
    (!before[..start].ends_with(|c: char| c.is_ascii_alphanumeric())).then_some(start)
}

/// Bytes of a link after its scheme, 0 when it is none, and how many were looked at. No link begins in those between:
/// they hold no letter.
fn extent(rest: &str) -> (usize, usize) {
    if !rest.starts_with(|c: char| c.is_alphanumeric() || c == '[') {
        return (0, 0);
    }
    let (mut length, mut open) = (0, [0_u32; 3]);
    for (at, c) in rest.char_indices() {
        match place(c) {
            Place::Anywhere => length = at + c.len_utf8(),
            Place::Inside => {}
            Place::Opens(kind) => open[kind] += 1,
            // Closes what the link did not open: it stands around the link.
            Place::Closes(kind) if open[kind] == 0 => return (length, at),
            Place::Closes(kind) => {
                open[kind] -= 1;
                length = at + c.len_utf8();
            }
            Place::Outside => return (length, at),
        }
    }
    (length, rest.len())
}

/// Where a character may stand in a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    /// Not at the end, where it belongs to the sentence around the link.
    Inside,
    /// An opening bracket, with the number of its kind.
    Opens(usize),
    Closes(usize),
    /// Ends the link.
    Outside,
}

/// Beyond ASCII a link takes letters, digits and what combines with them; the brackets, quotes and marks of all
/// scripts end it.
fn place(c: char) -> Place {
    match c {
        '.' | ',' | ';' | ':' | '!' | '?' | '*' | '\'' => Place::Inside,
        '(' => Place::Opens(0),
        '[' => Place::Opens(1),
        '{' => Place::Opens(2),
        ')' => Place::Closes(0),
        ']' => Place::Closes(1),
        '}' => Place::Closes(2),
        '"' | '<' | '>' | '`' => Place::Outside,
        '!'..='~' => Place::Anywhere,
        // Hyphens and dots that join parts of a word, and what joins letters.
        '\u{b7}'
        | '\u{5be}'
        | '\u{5f3}'
        | '\u{5f4}'
        | '\u{f0b}'
        | '\u{200c}'
        | '\u{200d}'
        | '\u{2010}'..='\u{2015}'
        | '\u{30a0}'
        | '\u{30fb}'
        | '\u{ff65}' => Place::Inside,
        // Letters that show nothing.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => Place::Outside,
        _ if !c.is_ascii() && (c.is_alphanumeric() || combines(c)) => Place::Anywhere,
        _ => Place::Outside,
    }
}

#[cfg(test)]
mod tests;
