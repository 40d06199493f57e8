//! Lines that arrived while the page was hidden, for whoever wants to be told. Pure.

use std::collections::VecDeque;

/// Lines kept until somebody is told: one for each room that may have one.
const MAX_NEWS: usize = 32;

/// A line that nobody has seen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct New {
    pub(crate) number: u64,
    pub(crate) room: String,
    /// Who said it; safe to show.
    pub(crate) who: String,
    /// How it begins; safe to show.
    pub(crate) text: String,
}

/// The last one of each room, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct News {
    last: VecDeque<New>,
    so_far: u64,
}

impl News {
    pub(crate) fn add(&mut self, room: &str, who: String, text: String) {
        self.so_far += 1;
        self.last.retain(|new| new.room != room);
        self.last.push_back(New { number: self.so_far, room: room.to_owned(), who, text });
        if self.last.len() > MAX_NEWS {
            self.last.pop_front();
        }
    }

    /// The number of the newest one.
    pub(crate) fn so_far(&self) -> u64 {
        self.so_far
    }

    /// Those that came after the one with this number.
    pub(crate) fn since(&self, number: u64) -> impl Iterator<Item = &New> {
        self.last.iter().filter(move |new| new.number > number)
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn each_room_has_its_last_line_and_there_are_few() {
        let mut news = News::default();
        for n in 0..100 {
            news.add(&format!("room {}", n % 50), "ann".into(), n.to_string());
        }
        news.add("room 49", "bob".into(), "last".into());
        let since: Vec<_> = news.since(99).map(|new| (new.who.as_str(), new.text.as_str())).collect();
        assert_eq!(since, [("bob", "last")]);
        assert_eq!((news.since(0).count(), news.so_far()), (MAX_NEWS, 101));
    }
}
