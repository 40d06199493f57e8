//! Messages that arrived while the page was hidden, for notifications. Pure.

use std::collections::VecDeque;

/// Messages kept: the last one of each room.
const MAX_UNSEEN_MESSAGES: usize = 32;

/// A message that nobody has seen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnseenMessage {
    pub(crate) number: u64,
    pub(crate) room: String,
    /// Who said it; safe to show.
    pub(crate) who: String,
    /// How it begins; safe to show.
    pub(crate) text: String,
}

/// The last unseen message of each room, the newest one last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UnseenMessages {
    last: VecDeque<UnseenMessage>,
    so_far: u64,
}

impl UnseenMessages {
    pub(crate) fn add(&mut self, room: &str, who: String, text: String) {
        self.so_far += 1;
        self.last.retain(|new| new.room != room);
        self.last.push_back(UnseenMessage { number: self.so_far, room: room.to_owned(), who, text });
        if self.last.len() > MAX_UNSEEN_MESSAGES {
            self.last.pop_front();
        }
    }

    /// The number of the newest one.
    pub(crate) fn so_far(&self) -> u64 {
        self.so_far
    }

    /// Those that came after the one with this number.
    pub(crate) fn since(&self, number: u64) -> impl Iterator<Item = &UnseenMessage> {
        self.last.iter().filter(move |new| new.number > number)
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
        let since: Vec<_> = unseen_messages.since(99).map(|new| (new.who.as_str(), new.text.as_str())).collect();
        assert_eq!(since, [("bob", "last")]);
        assert_eq!((unseen_messages.since(0).count(), unseen_messages.so_far()), (MAX_UNSEEN_MESSAGES, 101));
    }
}
