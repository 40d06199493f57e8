//! How often somebody is told of new lines: a room that is full of them makes one notification in two seconds, with their
//! number. Pure: time is an argument.

use std::collections::HashMap;

use crate::unseen_messages::{UnseenMessage, UnseenMessages};

/// Time from one notification of a room to its next, in milliseconds.
pub(crate) const PACE_MS: u64 = 2_000;

/// What was told of each room.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    rooms: HashMap<String, Told>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    /// The newest line's number.
    number: u64,
    /// How many of the room's lines there were with it.
    of_room: u64,
    /// Unix time in milliseconds; nothing when it was seen rather than told.
    at_ms: Option<u64>,
}

/// What is to be told now, and what later.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// The last line of a room, and how many there are that nobody was told of.
    pub(crate) now: Vec<(UnseenMessage, u64)>,
    /// Milliseconds until more is due, when more waits.
    pub(crate) next_ms: Option<u64>,
}

impl Pace {
    /// What is due, which is told from now on.
    pub(crate) fn due(&mut self, unseen_messages: &UnseenMessages, now_ms: u64) -> Due {
        // A room that was left has none any more.
        self.rooms.retain(|room, _| unseen_messages.last().any(|new| new.room == *room));
        let mut due = Due::default();
        for new in unseen_messages.last() {
            let told = self.rooms.get(&new.room);
            if told.is_some_and(|told| told.number >= new.number) {
                continue;
            }
            // A clock that was set back must not silence a room.
            let passed = told.and_then(|told| now_ms.checked_sub(told.at_ms?)).unwrap_or(PACE_MS);
            let wait = PACE_MS.saturating_sub(passed);
            if wait > 0 {
                due.next_ms = Some(due.next_ms.map_or(wait, |next| next.min(wait)));
                continue;
            }
            let lines = new.of_room - told.map_or(0, |told| told.of_room.min(new.of_room));
            due.now.push((new.clone(), lines));
            let told = Told { number: new.number, of_room: new.of_room, at_ms: Some(now_ms) };
            self.rooms.insert(new.room.clone(), told);
        }
        due
    }

    /// Somebody has seen all there is, or wants no notifications.
    pub(crate) fn seen(&mut self, unseen_messages: &UnseenMessages) {
        let seen = |new: &UnseenMessage| Told { number: new.number, of_room: new.of_room, at_ms: None };
        self.rooms = unseen_messages.last().map(|new| (new.room.clone(), seen(new))).collect();
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const NOW: u64 = 1_000_000;

    fn say(unseen_messages: &mut UnseenMessages, room: &str, lines: u64) {
        for n in 0..lines {
            unseen_messages.add(room, "ann".into(), format!("line {n}"));
        }
    }

    fn told(pace: &mut Pace, unseen_messages: &UnseenMessages, now_ms: u64) -> (Vec<(String, u64)>, Option<u64>) {
        let due = pace.due(unseen_messages, now_ms);
        (due.now.into_iter().map(|(new, lines)| (new.room, lines)).collect(), due.next_ms)
    }

    #[test]
    fn a_room_is_told_of_once_in_two_seconds_with_what_came_meanwhile() {
        let (mut unseen_messages, mut pace) = (UnseenMessages::default(), Pace::default());
        say(&mut unseen_messages, "den", 1);
        assert_eq!(told(&mut pace, &unseen_messages, NOW), (vec![("den".into(), 1)], None), "the first at once");
        say(&mut unseen_messages, "den", 12);
        assert_eq!(told(&mut pace, &unseen_messages, NOW + 500), (vec![], Some(1_500)));
        say(&mut unseen_messages, "attic", 1);
        assert_eq!(
            told(&mut pace, &unseen_messages, NOW + 600),
            (vec![("attic".into(), 1)], Some(1_400)),
            "each room has its own"
        );
        assert_eq!(told(&mut pace, &unseen_messages, NOW + 2_000), (vec![("den".into(), 12)], None));
        assert_eq!(told(&mut pace, &unseen_messages, NOW + 9_000), (vec![], None), "each line once");
        say(&mut unseen_messages, "den", 1);
        assert_eq!(told(&mut pace, &unseen_messages, NOW + 9_000), (vec![("den".into(), 1)], None));
    }

    #[test]
    fn what_was_seen_is_not_told() {
        let (mut unseen_messages, mut pace) = (UnseenMessages::default(), Pace::default());
        say(&mut unseen_messages, "den", 1);
        pace.due(&unseen_messages, NOW);
        say(&mut unseen_messages, "den", 5);
        pace.seen(&unseen_messages);
        assert_eq!(told(&mut pace, &unseen_messages, NOW + 9_000), (vec![], None));
        say(&mut unseen_messages, "den", 2);
        assert_eq!(told(&mut pace, &unseen_messages, NOW + 9_000), (vec![("den".into(), 2)], None));
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nobody() {
        let (mut unseen_messages, mut pace) = (UnseenMessages::default(), Pace::default());
        say(&mut unseen_messages, "den", 1);
        pace.due(&unseen_messages, NOW);
        say(&mut unseen_messages, "den", 1);
        assert_eq!(told(&mut pace, &unseen_messages, NOW - 60_000), (vec![("den".into(), 1)], None));
    }
}
