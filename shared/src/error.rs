//! What can go wrong, named by situation. Each edge (command line, HTTP, page) maps these once.

use crate::config::{MAX_KEY_BYTES, MAX_NICK_BYTES, MAX_ROOM_BYTES, MAX_TEXT_BYTES, MAX_VALUE_BYTES};

/// A command that could not be done, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line of chat above the limit.
    #[error("the text is {bytes} bytes, the limit is {MAX_TEXT_BYTES} bytes (4 KiB); shorten it or send it in parts")]
    TextTooLong {
        /// Size of the refused text.
        bytes: usize,
    },
    /// A line with nothing in it.
    #[error("the text is empty; type something first")]
    TextEmpty,
    /// A room name that is empty or too long.
    #[error("room names are 1 to {MAX_ROOM_BYTES} bytes, this one has {bytes}; choose another")]
    RoomName {
        /// Size of the refused name.
        bytes: usize,
    },
    /// A room nobody joined here.
    #[error("not in room {room}; join it first")]
    NotInRoom {
        /// The room that was named.
        room: String,
    },
    /// More rooms than one node may be in.
    #[error("already in {limit} rooms, the limit; leave one first")]
    TooManyRooms {
        /// The bound.
        limit: usize,
    },
    /// More rooms than are kept, and lines wait in each of them.
    #[error(
        "lines wait in {limit} rooms, and no more rooms are kept; join one, as with --room {room}, until they are sent or leave it"
    )]
    TooManyStoredRooms {
        /// The bound.
        limit: usize,
        /// One of them; neutralise before showing.
        room: String,
    },
    /// More unsent lines than are kept.
    #[error("{limit} lines already wait to be sent in this room, the limit; wait until somebody is there")]
    TooManyWaiting {
        /// The bound.
        limit: usize,
    },
    /// A nick that is empty or too long.
    #[error("nicks are 1 to {MAX_NICK_BYTES} bytes, this one has {bytes}; choose another")]
    Nick {
        /// Size of the refused nick.
        bytes: usize,
    },
    /// A nick of which nothing can be seen.
    #[error("this nick shows nothing on a screen; choose one with letters")]
    NickBlank,
    /// A record key that is empty or too long.
    #[error("keys are 1 to {MAX_KEY_BYTES} bytes, this one has {bytes}; choose another")]
    Key {
        /// Size of the refused key.
        bytes: usize,
    },
    /// A record value above the limit.
    #[error("the value is {bytes} bytes, the limit is {MAX_VALUE_BYTES} bytes (8 KiB); store less")]
    ValueTooLarge {
        /// Size of the refused value.
        bytes: usize,
    },
    /// The local record store is full.
    #[error("the record store is full; nothing was stored")]
    StoreFull,
    /// The network walk ended without an answer in time.
    #[error("no answer within the time-out; try again")]
    TimedOut,
    /// No connection came about.
    #[error("cannot reach {address}: {reason}")]
    Dial {
        /// Where to.
        address: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// A text that is no multiaddr, or one this node cannot dial.
    #[error("{address} is not an address to dial: {reason}")]
    Address {
        /// The text as given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Access refused a peer.
    #[error("{peer} is refused: {reason}")]
    Denied {
        /// The peer.
        peer: String,
        /// The rule.
        reason: String,
    },
    /// A setting outside its bounds.
    #[error("setting {name}: {reason}")]
    Setting {
        /// The field.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The host could not listen.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Where.
        address: String,
        /// Why not.
        reason: String,
    },
    /// A word the console does not know.
    #[error("unknown word {word}; the words are PUT, GET, PUT_PROVIDER, GET_PROVIDERS and HELP")]
    UnknownWord {
        /// The word, neutralised.
        word: String,
    },
    /// A console line that stops too early.
    #[error("missing {what}; write {usage}")]
    Missing {
        /// Key or value.
        what: &'static str,
        /// How the line should look.
        usage: &'static str,
    },
    /// The node has ended.
    #[error("the node has stopped; start it again")]
    Stopped,
}

impl Error {
    /// A name that never changes, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TextTooLong { .. } => "text_too_long",
            Self::TextEmpty => "text_empty",
            Self::RoomName { .. } => "room_name",
            Self::NotInRoom { .. } => "not_in_room",
            Self::TooManyRooms { .. } => "too_many_rooms",
            Self::TooManyStoredRooms { .. } => "too_many_stored_rooms",
            Self::TooManyWaiting { .. } => "too_many_waiting",
            Self::Nick { .. } => "nick",
            Self::NickBlank => "nick_blank",
            Self::Key { .. } => "key",
            Self::ValueTooLarge { .. } => "value_too_large",
            Self::StoreFull => "store_full",
            Self::TimedOut => "timed_out",
            Self::Dial { .. } => "dial",
            Self::Address { .. } => "address",
            Self::Denied { .. } => "denied",
            Self::Setting { .. } => "setting",
            Self::Listen { .. } => "listen",
            Self::UnknownWord { .. } => "unknown_word",
            Self::Missing { .. } => "missing",
            Self::Stopped => "stopped",
        }
    }
}
