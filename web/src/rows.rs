//! Lines as rows on the screen: grouped by sender, parted by day.

use tincan_shared::PeerId;

use crate::lines::Line;

/// Lines of one sender no further apart than this share one heading.
const GROUP_WITHIN_MS: u64 = 5 * 60 * 1000;

/// One line, and how it stands among its neighbours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) line: Line,
    pub(crate) own: bool,
    /// Shows who speaks: the first of its group.
    pub(crate) head: bool,
    /// The first of its day; the first row of all is one.
    pub(crate) new_day: bool,
    /// The room is one of raw text.
    pub(crate) plain_room: bool,
    /// "New since you were here" stands above it.
    pub(crate) first_new: bool,
    /// Of somebody who is muted, and shown all the same.
    pub(crate) muted: bool,
    /// Moves in when it is drawn.
    pub(crate) arrives: bool,
}

impl Row {
    /// Whether another row is the same on the screen; if not, it is drawn anew. Lines of two rooms may have one key.
    pub(crate) fn looks_as(&self, other: &Self) -> bool {
        self.line.key == other.line.key
            && self.line.message.room == other.line.message.room
            && self.looks() == other.looks()
    }

    /// What the look of one line depends on; everything else of a row never changes.
    fn looks(&self) -> [bool; 6] {
        [self.line.is_waiting(), self.head, self.new_day, self.plain_room, self.first_new, self.muted]
    }
}

/// Rows for lines, oldest first. `day` numbers the local day of a unix time in milliseconds.
pub(crate) fn rows(lines: &[Line], me: Option<PeerId>, plain_room: bool, day: impl Fn(u64) -> i64) -> Vec<Row> {
    let mut previous: Option<(&Line, i64)> = None;
    let mut rows = Vec::with_capacity(lines.len());
    for said in lines {
        // Asking the browser for a day costs more than all the rest here: once a line.
        let today = day(said.message.time_ms);
        let new_day = previous.is_none_or(|(_, day)| day != today);
        let head = new_day || !previous.is_some_and(|(earlier, _)| same_group(earlier, said));
        let own = me == Some(said.message.from) && said.message.claimed_source.is_none();
        let line = said.clone();
        rows.push(Row { line, own, head, new_day, plain_room, first_new: false, muted: false, arrives: false });
        previous = Some((said, today));
    }
    rows
}

fn same_group(earlier: &Line, line: &Line) -> bool {
    let (earlier, line) = (&earlier.message, &line.message);
    earlier.from == line.from
        && earlier.nick == line.nick
        && earlier.plain == line.plain
        && earlier.newer == line.newer
        && earlier.claimed_source == line.claimed_source
        && line.time_ms.abs_diff(earlier.time_ms) <= GROUP_WITHIN_MS
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::{
        lines::Lines,
        sample::{message, peer},
    };

    #[test]
    fn groups_by_sender_within_minutes_and_parts_days() {
        let mut lines = Lines::default();
        let minute = 60_000;
        for (id, from, time) in
            [("a", 1, 0), ("b", 1, 4 * minute), ("c", 2, 5 * minute), ("d", 2, 11 * minute), ("e", 2, 12 * minute)]
        {
            lines.insert(message(id, peer(from), time, 0), u64::MAX, true);
        }
        let rows = rows(lines.as_slice(), Some(peer(2)), false, |time| (time / (12 * minute)) as i64);
        let heads: Vec<_> = rows.iter().map(|row| row.head).collect();
        assert_eq!(heads, [true, false, true, true, true]);
        let days: Vec<_> = rows.iter().map(|row| row.new_day).collect();
        assert_eq!(days, [true, false, false, false, true], "from the first row on");
        assert_eq!(rows.iter().filter(|row| row.own).count(), 3);
    }
}
