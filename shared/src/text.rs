//! Text from strangers: its bounds, and how it is shown.

mod blank;
mod surface;

use libp2p::PeerId;

use crate::{
    Error,
    config::{MAX_NICK_BYTES, MAX_ROOM_BYTES, MAX_TEXT_BYTES},
};

pub use blank::{is_blank, is_invisible};
pub use surface::{Surface, neutralise};

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
    within(nick.trim(), MAX_NICK_BYTES).map_err(|bytes| Error::Nick { bytes })?;
    if is_blank(nick) { Err(Error::NickBlank) } else { Ok(()) }
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
    fn bounds_are_in_bytes() {
        assert_eq!(check_text(&"x".repeat(4096)), Ok(()));
        assert_eq!(check_text(&"x".repeat(4097)), Err(Error::TextTooLong { bytes: 4097 }));
        assert_eq!(check_room(""), Err(Error::RoomName { bytes: 0 }));
        assert_eq!(check_nick(&"é".repeat(33)), Err(Error::Nick { bytes: 66 }));
        assert_eq!(check_nick(" "), Err(Error::Nick { bytes: 0 }));
    }

    #[test]
    fn a_nick_that_shows_nothing_is_refused() {
        assert_eq!(check_nick("\u{200b}\u{3164}"), Err(Error::NickBlank));
        assert_eq!(check_nick("\u{200b}ann"), Ok(()));
    }
}
