//! Which lines arrive before somebody's eyes: those move in, once. What stood there when a room was opened, or is drawn
//! anew, does not.

use crate::rows::Row;

/// What was last shown.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    room: String,
    /// The newest line.
    last: u64,
}

impl Arrivals {
    /// Marks the rows that arrive. Called with all rows of the room on the screen, whenever they change.
    pub(crate) fn mark(&mut self, room: &str, rows: &mut [Row]) {
        let same_room = self.room == room;
        for row in rows.iter_mut() {
            row.arrives = same_room && row.line.fresh && row.line.key > self.last && !row.line.is_waiting();
        }
        let newest = rows.iter().map(|row| row.line.key).max().unwrap_or(0);
        self.last = if same_room { self.last.max(newest) } else { newest };
        room.clone_into(&mut self.room);
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::{
        lines::Lines,
        rows::rows,
        sample::{message, peer},
    };

    #[test]
    fn a_line_arrives_once_and_not_when_its_room_is_opened() {
        let (mut arrivals, mut lines) = (Arrivals::default(), Lines::default());
        let mut say = |id: &str, time| lines.insert(message(id, peer(1), time, 0), time, true).then(|| lines.clone());
        let mut arrive = |room: &str, lines: Option<Lines>| {
            let mut rows = rows(lines.expect("a line").as_slice(), None, false, |_| 0);
            arrivals.mark(room, &mut rows);
            rows.iter().map(|row| row.arrives).collect::<Vec<_>>()
        };
        assert_eq!(arrive("den", say("a", 1)), [false], "it stood there");
        assert_eq!(arrive("den", say("b", 2)), [false, true]);
        let both = say("c", 3);
        assert_eq!(arrive("den", both.clone()), [false, false, true]);
        assert_eq!(arrive("den", both.clone()), [false; 3]);
        assert_eq!(arrive("attic", Some(Lines::default())), [false; 0]);
        assert_eq!(arrive("den", both), [false; 3]);
    }
}
