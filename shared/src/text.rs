//! Text from strangers: its bounds, and how it is shown.

use libp2p::PeerId;

use crate::{
    Error,
    config::{MAX_NICK_BYTES, MAX_ROOM_BYTES, MAX_TEXT_BYTES},
};

/// Makes text harmless to show: control characters become their pictures (U+2400 block), and
/// characters that reorder or hide their neighbours become U+FFFD.
/// Line feeds stay when `line_feeds` says so (a page breaks lines itself), else they show as `⏎`.
#[must_use]
pub fn neutralise(text: &str, line_feeds: bool) -> String {
    text.chars()
        .map(|c| match c {
            '\n' if line_feeds => '\n',
            '\n' => '⏎',
            '\u{00}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
            '\u{7f}' => '\u{2421}',
            '\u{80}'..='\u{9f}'
            | '\u{061c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
            _ => c,
        })
        .collect()
}

/// The last six characters of a peer id: enough to tell people apart, not to identify them.
#[must_use]
pub fn short_id(peer: &PeerId) -> String {
    short_name(&peer.to_base58()).to_owned()
}

/// The last six characters of an id of any kind.
#[must_use]
pub fn short_name(id: &str) -> &str {
    let before = id.char_indices().rev().nth(5).map_or(0, |(at, _)| at);
    &id[before..]
}

pub(crate) fn check_nick(nick: &str) -> Result<(), Error> {
    within(nick.trim(), MAX_NICK_BYTES).map_err(|bytes| Error::Nick { bytes })
}

pub(crate) fn check_room(room: &str) -> Result<(), Error> {
    within(room, MAX_ROOM_BYTES).map_err(|bytes| Error::RoomName { bytes })
}

pub(crate) fn check_text(text: &str) -> Result<(), Error> {
    match text.len() {
        0 => Err(Error::TextEmpty),
        bytes if bytes > MAX_TEXT_BYTES => Err(Error::TextTooLong { bytes }),
        _ => Ok(()),
    }
}

fn within(text: &str, limit: usize) -> Result<(), usize> {
    let bytes = text.len();
    if bytes == 0 || bytes > limit { Err(bytes) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_override_characters_lose_their_power() {
        assert_eq!(neutralise("a\x1b[31m\u{202e}b\r\n", false), "a␛[31m\u{fffd}b␍⏎");
        assert_eq!(neutralise("a\nb", true), "a\nb");
        assert_eq!(neutralise("👩‍👩‍👧 שלום", false), "👩‍👩‍👧 שלום", "emoji joiners and right-to-left letters stay");
    }

    /// Every character that is not shown as it is, as stretches of numbers and what they are shown as.
    fn table() -> String {
        let mut rows: Vec<[u32; 4]> = Vec::new();
        for c in '\0'..=char::MAX {
            let shown = neutralise(c.encode_utf8(&mut [0; 4]), false);
            let (Some(shown), c) = (shown.chars().next().filter(|shown| *shown != c), u32::from(c)) else { continue };
            let shown = u32::from(shown);
            match rows.last_mut() {
                Some([first, last, from, to])
                    if *last + 1 == c
                        && (shown == *to && from == to || shown == *to + 1 && *to - *from == *last - *first) =>
                {
                    (*last, *to) = (c, shown);
                }
                _ => rows.push([c, c, shown, shown]),
            }
        }
        rows.into_iter()
            .map(|[first, last, from, to]| format!("{first:04x}..{last:04x} {from:04x}..{to:04x}\n"))
            .collect()
    }

    /// The end-to-end tests read what to expect from there.
    #[test]
    fn the_table_of_what_is_shown_is_what_happens() {
        assert_eq!(
            table(),
            include_str!("../tests/neutralised.txt"),
            "write the left one into shared/tests/neutralised.txt"
        );
    }

    #[test]
    fn bounds_are_in_bytes() {
        assert_eq!(check_text(&"x".repeat(4096)), Ok(()));
        assert_eq!(check_text(&"x".repeat(4097)), Err(Error::TextTooLong { bytes: 4097 }));
        assert_eq!(check_room(""), Err(Error::RoomName { bytes: 0 }));
        assert_eq!(check_nick(&"é".repeat(33)), Err(Error::Nick { bytes: 66 }));
    }
}
