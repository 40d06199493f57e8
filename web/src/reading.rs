//! Where a reader is in a room: how far they have read, and what is new since then. Pure: time is an argument.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    lines::{Line, Lines},
    routing,
};

/// Clocks of authors may be so much behind ours without their lines counting as history.
const CLOCK_SLACK_MS: u64 = 60_000;
/// Rooms whose marks are kept over a reload.
pub(crate) const MAX_MARKS: usize = 64;

/// The last line that a reader saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Where the line stands in time, unix time in milliseconds.
    pub(crate) at_ms: u64,
    /// The line's id; empty where the room had no lines.
    pub(crate) id: String,
}

/// Since when lines are new.
#[derive(Debug, Clone, PartialEq)]
enum Since {
    /// The reader never saw the room: only what is said after it was opened is new, all else is history.
    Opened,
    /// An earlier page was left at this mark.
    Mark(Mark),
    /// This page has shown the room, so what arrives while nobody looks is new.
    Shown,
}

/// How far somebody has read in one room.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    since: Since,
    /// When the room came to the page, unix time in milliseconds.
    opened_ms: u64,
    unread: u32,
    /// The key of the topmost new line: above it stands "new since you were here".
    first_new: Option<u64>,
    /// The reader has left since `first_new` was set, so the next new line begins anew.
    outdated: bool,
    mark: Option<Mark>,
}

impl Reading {
    /// `mark` is where an earlier page was left.
    pub(crate) fn begin(mark: Option<Mark>, opened_ms: u64) -> Self {
        let since = mark.clone().map_or(Since::Opened, Since::Mark);
        Self { since, opened_ms, unread: 0, first_new: None, outdated: true, mark }
    }

    pub(crate) fn unread(&self) -> u32 {
        self.unread
    }

    pub(crate) fn first_new(&self) -> Option<u64> {
        self.first_new
    }

    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }

    /// Somebody else's line was put in its place. Tells whether the reader has yet to see it.
    pub(crate) fn arrived(&mut self, key: u64, lines: &Lines, looking: bool) -> bool {
        let Some(line) = lines.get(key) else { return false };
        let said_ms = said_ms(line);
        let new = match &self.since {
            Since::Opened => !looking && said_ms.saturating_add(CLOCK_SLACK_MS) >= self.opened_ms,
            // What was said before the room was opened was missed, even though somebody looks now.
            Since::Mark(mark) => follows(line, mark, lines) && (!looking || said_ms < self.opened_ms),
            Since::Shown => !looking,
        };
        if !new {
            return false;
        }
        let earlier = self.first_new.filter(|_| !self.outdated);
        self.first_new = earlier.map_or(Some(key), |earlier| lines.topmost(earlier, key));
        self.outdated = false;
        if !looking {
            self.unread = self.unread.saturating_add(1);
        }
        !looking
    }

    /// The reader sees the room now.
    pub(crate) fn look(&mut self) {
        self.unread = 0;
    }

    /// The reader saw everything up to here.
    pub(crate) fn saw(&mut self, lines: &Lines, now_ms: u64) {
        let last = lines.as_slice().iter().rfind(|line| !line.is_waiting());
        self.mark = Some(last.map_or(Mark { at_ms: now_ms, id: String::new() }, |line| Mark {
            at_ms: line.at_ms(),
            id: line.message.id.clone(),
        }));
    }

    /// The reader goes away, having seen everything up to here.
    pub(crate) fn look_away(&mut self, lines: &Lines, now_ms: u64) {
        self.saw(lines, now_ms);
        self.since = Since::Shown;
        self.outdated = true;
    }
}

/// When a line was said, by its author's clock: one that waited was sent later, and its number tells.
fn said_ms(line: &Line) -> u64 {
    match line.message.sequence {
        0 => line.message.time_ms,
        number => number.min(line.message.time_ms),
    }
}

/// Whether a line comes after the mark. What arrives now was not there then, even if its author's clock is behind.
fn follows(line: &Line, mark: &Mark, lines: &Lines) -> bool {
    let behind = line.fresh && line.at_ms().saturating_add(CLOCK_SLACK_MS) >= mark.at_ms;
    behind || lines.is_after(line, &mark.id).unwrap_or_else(|| line.at_ms() > mark.at_ms)
}

/// Marks by room.
pub(crate) type Marks = BTreeMap<String, Mark>;

/// As kept by the browser: `<at_ms> <id> <room>` a line, the room percent-encoded.
pub(crate) fn write_marks<'a>(marks: impl Iterator<Item = (&'a str, &'a Mark)>) -> String {
    marks.take(MAX_MARKS).fold(String::new(), |mut text, (room, mark)| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {} {}", mark.at_ms, mark.id, routing::encode(room));
        text
    })
}

/// What does not read as a mark is passed over.
pub(crate) fn read_marks(text: &str) -> Marks {
    let mark = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let at_ms = words.next()?.parse().ok()?;
        let id = words.next()?.to_owned();
        Some((routing::decode(words.next()?), Mark { at_ms, id }))
    };
    text.lines().take(MAX_MARKS).filter_map(mark).collect()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::sample::{message, peer};

    const OPENED: u64 = 10_000_000;

    struct Scene {
        lines: Lines,
        reading: Reading,
    }

    impl Scene {
        fn new(mark: Option<Mark>) -> Self {
            Self { lines: Lines::default(), reading: Reading::begin(mark, OPENED) }
        }

        fn line(&mut self, id: &str, time_ms: u64, fresh: bool, looking: bool) -> bool {
            assert!(self.lines.insert(message(id, peer(1), time_ms, 0), time_ms.max(OPENED), fresh));
            self.reading.arrived(self.lines.last_key(), &self.lines, looking)
        }

        /// The line that the mark on the screen stands above.
        fn first_new(&self) -> Option<&str> {
            Some(self.lines.get(self.reading.first_new()?)?.message.id.as_str())
        }
    }

    #[test]
    fn history_of_a_room_never_seen_is_not_new() {
        let mut scene = Scene::new(None);
        assert!(!scene.line("old", OPENED - 3_000_000, true, true));
        assert!(!scene.line("old too", OPENED - 2_000_000, true, false));
        assert!(scene.line("now", OPENED + 5, true, false));
        assert_eq!((scene.first_new(), scene.reading.unread()), (Some("now"), 1));
    }

    #[test]
    fn what_arrives_while_nobody_looks_is_new_from_its_topmost_line_on() {
        let mut scene = Scene::new(None);
        scene.line("seen", OPENED, true, true);
        scene.reading.look_away(&scene.lines, OPENED);
        assert!(scene.line("b", OPENED + 20, true, false));
        assert!(scene.line("a, by a clock that is behind", OPENED - 400, true, false));
        assert!(scene.line("c", OPENED + 30, true, false));
        assert_eq!((scene.first_new(), scene.reading.unread()), (Some("a, by a clock that is behind"), 3));
        scene.reading.look();
        assert!(!scene.line("d", OPENED + 40, true, true));
        assert_eq!((scene.first_new(), scene.reading.unread()), (Some("a, by a clock that is behind"), 0));
        scene.reading.look_away(&scene.lines, OPENED);
        assert!(scene.line("e", OPENED + 50, true, false));
        assert_eq!((scene.first_new(), scene.reading.unread()), (Some("e"), 1), "the mark begins anew");
    }

    #[test]
    fn a_reload_goes_on_where_the_page_was_left() {
        let mark = Mark { at_ms: OPENED - 500_000, id: "seen".into() };
        let mut scene = Scene::new(Some(mark));
        for (id, ago, fresh) in
            [("older", 600_000, false), ("seen", 500_000, false), ("hidden", 400_000, false), ("synced", 300_000, true)]
        {
            scene.line(id, OPENED - ago, fresh, true);
        }
        assert_eq!(scene.first_new(), Some("hidden"));
        scene.line("said now", OPENED + 1, true, true);
        scene.line("history that others still had", OPENED - 700_000, true, true);
        assert_eq!(scene.first_new(), Some("hidden"));
        assert_eq!(scene.reading.unread(), 0, "somebody looks");
    }

    #[test]
    fn a_line_that_waited_for_the_reader_was_missed() {
        let mut scene = Scene::new(Some(Mark { at_ms: OPENED - 500_000, id: "seen".into() }));
        let waited = message("waited", peer(1), OPENED + 10, OPENED - 1000);
        assert!(scene.lines.insert(waited, OPENED + 20, true));
        scene.reading.arrived(scene.lines.last_key(), &scene.lines, true);
        assert_eq!(scene.first_new(), Some("waited"));
    }

    #[test]
    fn nothing_is_new_after_a_reload_when_nothing_was_said() {
        let mut scene = Scene::new(Some(Mark { at_ms: OPENED - 10, id: "seen".into() }));
        scene.line("older", OPENED - 20, false, true);
        scene.line("seen", OPENED - 10, false, true);
        scene.line("said now", OPENED + 1, true, true);
        assert_eq!(scene.first_new(), None);
    }

    #[test]
    fn a_mark_whose_line_is_gone_still_tells_by_time() {
        let mut scene = Scene::new(Some(Mark { at_ms: OPENED - 500_000, id: "gone".into() }));
        scene.line("older", OPENED - 600_000, false, true);
        scene.line("newer", OPENED - 400_000, false, true);
        assert_eq!(scene.first_new(), Some("newer"));
    }

    #[test]
    fn marks_survive_being_kept() {
        let rooms = [("tea & cake\n", "ab12", 5), ("lobby", "", 7)];
        let marks: Marks =
            rooms.map(|(room, id, at_ms)| (room.to_owned(), Mark { at_ms, id: id.to_owned() })).into_iter().collect();
        let text = write_marks(marks.iter().map(|(room, mark)| (room.as_str(), mark)));
        assert_eq!(read_marks(&text), marks);
        assert_eq!(read_marks("nonsense\n1\n2 x\n3 y lobby\n").len(), 1);
        let many = (0..100).map(|n| format!("1 x room{n}\n")).collect::<String>();
        assert_eq!(read_marks(&many).len(), MAX_MARKS);
    }
}
