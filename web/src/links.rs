//! Web addresses inside a line of chat.

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
    let mut rest = text;
    let mut searched = 0;
    while let Some(found) = find_scheme(&rest[searched..]) {
        let start = searched + found;
        let length = link_length(&rest[start..]);
        if length == 0 || !begins_a_word(&rest[..start]) {
            // The scheme is ASCII, so one byte on is still a character's border.
            searched = start + 1;
            continue;
        }
        if start > 0 {
            parts.push(Part::Text(&rest[..start]));
        }
        parts.push(Part::Link(&rest[start..start + length]));
        rest = &rest[start + length..];
        searched = 0;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

fn find_scheme(text: &str) -> Option<usize> {
    text.as_bytes().windows(4).position(|window| window.eq_ignore_ascii_case(b"http"))
}

fn begins_a_word(before: &str) -> bool {
    before.chars().next_back().is_none_or(|c| !c.is_alphanumeric())
}

/// Bytes of the link that begins here, 0 when none does.
fn link_length(text: &str) -> usize {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)));
    let Some(scheme) = scheme else { return 0 };
    let end = text.find(|c: char| c.is_whitespace() || c.is_control() || "<>\"`".contains(c)).unwrap_or(text.len());
    let link = without_punctuation(&text[..end]);
    if link.get(scheme.len()..).is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric() || c == '[')) {
        link.len()
    } else {
        0
    }
}

/// What ends a sentence around a link is no part of it; a bracket is, when the link opened it.
fn without_punctuation(mut link: &str) -> &str {
    while let Some(last) = link.chars().next_back() {
        let drop = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '…' => true,
            ')' => link.matches(')').count() > link.matches('(').count(),
            ']' => link.matches(']').count() > link.matches('[').count(),
            _ => false,
        };
        if !drop {
            break;
        }
        link = &link[..link.len() - last.len_utf8()];
    }
    link
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Part::{Link, Text};
    use super::*;

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(parts("no link"), [Text("no link")]);
        assert_eq!(parts(""), []);
        assert_eq!(parts("see https://a.example/b."), [Text("see "), Link("https://a.example/b"), Text(".")]);
        assert_eq!(parts("HTTP://A.example"), [Link("HTTP://A.example")]);
        for text in [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://a.example",
            "http:/x",
            "https://",
            "httpx",
            "xhttp://a.example",
        ] {
            assert_eq!(parts(text), [Text(text)], "{text}");
        }
    }

    #[test]
    fn punctuation_around_a_link_stays_text() {
        assert_eq!(parts("(http://a.example)"), [Text("("), Link("http://a.example"), Text(")")]);
        assert_eq!(parts("http://a.example/x_(y)!"), [Link("http://a.example/x_(y)"), Text("!")]);
        assert_eq!(parts("<http://a.example>"), [Text("<"), Link("http://a.example"), Text(">")]);
        assert_eq!(parts("http://[::1]:80/"), [Link("http://[::1]:80/")]);
    }

    #[test]
    fn several_links_and_other_scripts() {
        assert_eq!(
            parts("é http://a.example ü\nhttps://b.example"),
            [Text("é "), Link("http://a.example"), Text(" ü\n"), Link("https://b.example")]
        );
        assert_eq!(parts("httpé https://ä.example/ö"), [Text("httpé "), Link("https://ä.example/ö")]);
    }
}
