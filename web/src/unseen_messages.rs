//! Messages that arrived while the page was hidden, for notifications. Pure.

use std::collections::VecDeque;

/// Lines kept until somebody is told: one for each room that may have one.
const MAX_UNSEEN_MESSAGES: usize = 32;

/// The last line of a room that nobody has seen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnseenMessage {
    /// How many lines of all rooms there were with it.
    pub(crate) number: u64,
    /// How many of this room there were with it.
    pub(crate) of_room: u64,
    pub(crate) room: String,
    /// Who said it; safe to show.
    pub(crate) who: String,
    /// How it begins; safe to show.
    pub(crate) text: String,
}

/// The last one of each room, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UnseenMessages {
    last: VecDeque<UnseenMessage>,
    so_far: u64,
}

impl UnseenMessages {
    pub(crate) fn add(&mut self, room: &str, who: String, text: String) {
        self.so_far += 1;
        let earlier = self.last.iter().position(|new| new.room == room).and_then(|at| self.last.remove(at));
        let of_room = earlier.map_or(0, |new| new.of_room) + 1;
        self.last.push_back(UnseenMessage { number: self.so_far, of_room, room: room.to_owned(), who, text });
        if self.last.len() > MAX_UNSEEN_MESSAGES {
            self.last.pop_front();
        }
    }

    /// The number of the newest one.
    pub(crate) fn so_far(&self) -> u64 {
        self.so_far
    }

    /// The last one of each room, the newest last.
    pub(crate) fn last(&self) -> impl Iterator<Item = &UnseenMessage> {
        self.last.iter()
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn each_room_has_its_last_line_and_there_are_few() {
        let mut unseen_messages = UnseenMessages::default();
        for n in 0..100 {
            unseen_messages.add(&format!("room {}", n % 50), "ann".into(), n.to_string());
        }
        unseen_messages.add("room 49", "bob".into(), "last".into());
        let last = unseen_messages.last().last().map(|new| (new.who.as_str(), new.text.as_str(), new.of_room));
        assert_eq!(last, Some(("bob", "last", 2)));
        assert_eq!((unseen_messages.last().count(), unseen_messages.so_far()), (MAX_UNSEEN_MESSAGES, 101));
    }
}
