use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::{
    lines::MAX_SHOWN_LINES,
    sample::{message, peer},
};

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
        self.reading.arrived(self.lines.last_key(), &self.lines, looking, OPENED)
    }

    /// The line that the mark on the screen stands above.
    fn first_new(&self) -> Option<&str> {
        self.first_shown(|_| true)
    }

    /// The same where not all lines are shown.
    fn first_shown(&self, shown: impl Fn(&Line) -> bool) -> Option<&str> {
        Some(self.lines.get(self.reading.first_new(&self.lines, shown)?)?.message.id.as_str())
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
fn what_was_read_in_a_room_that_was_left_is_not_new_when_it_is_sent_again() {
    let mut scene = Scene::new(Some(Mark { at_ms: OPENED - 500, id: "seen".into() }));
    for (id, ago) in [("seen long before", 2_000), ("missed", 400), ("seen", 500), ("seen before", 600)] {
        scene.line(id, OPENED - ago, true, true);
    }
    assert_eq!(scene.first_new(), Some("missed"));
}

#[test]
fn a_line_that_waited_for_the_reader_was_missed() {
    let mut scene = Scene::new(Some(Mark { at_ms: OPENED - 500_000, id: "seen".into() }));
    let waited = message("waited", peer(1), OPENED + 10, OPENED - 1000);
    assert!(scene.lines.insert(waited, OPENED + 20, true));
    scene.reading.arrived(scene.lines.last_key(), &scene.lines, true, OPENED + 20);
    assert_eq!(scene.first_new(), Some("waited"));
}

#[test]
fn a_clock_that_is_behind_makes_nothing_new_that_came_before_a_readers_eyes() {
    let mut scene = Scene::new(Some(Mark { at_ms: OPENED - 3_000_000, id: "seen".into() }));
    scene.line("seen", OPENED - 3_000_000, false, true);
    let mut behind = |id: &str, now_ms: u64| {
        assert!(scene.lines.insert(message(id, peer(2), OPENED - 1_200_000, 0), now_ms, true));
        scene.reading.arrived(scene.lines.last_key(), &scene.lines, true, now_ms);
        scene.first_new().map(str::to_owned)
    };
    assert_eq!(behind("said now", OPENED + CATCH_UP_MS), None);
    assert_eq!(behind("sent by a hub at once", OPENED + CATCH_UP_MS - 1).as_deref(), Some("sent by a hub at once"));
}

#[test]
fn of_more_new_lines_than_are_kept_the_topmost_that_is_left_is_the_first() {
    let mut scene = Scene::new(None);
    scene.line("seen", OPENED, true, true);
    scene.reading.look_away(&scene.lines, OPENED);
    for n in 0..MAX_SHOWN_LINES as u64 + 200 {
        scene.line(&format!("new {n}"), OPENED + 10 + n, true, false);
    }
    assert_eq!(scene.first_new(), Some("new 200"));
    scene.reading.look();
    for n in 0..MAX_SHOWN_LINES as u64 - 1 {
        scene.line(&format!("seen as it came {n}"), OPENED + 10_000 + n, true, true);
    }
    assert_eq!(scene.first_new(), Some("new 699"), "the last one that is left");
    scene.line("seen as it came, too", OPENED + 90_000, true, true);
    assert_eq!(scene.first_new(), None, "all that is left was seen as it came");
}

#[test]
fn the_first_new_line_is_one_that_is_shown() {
    let mut scene = Scene::new(None);
    scene.reading.look_away(&scene.lines, OPENED);
    for id in ["muted", "muted too", "shown", "shown too"] {
        scene.line(id, OPENED + 10, true, false);
    }
    scene.line("seen as it came", OPENED + 20, true, true);
    let shows = |line: &Line, except: &str| !line.message.id.starts_with(except);
    assert_eq!(scene.first_shown(|line| shows(line, "muted")), Some("shown"));
    assert_eq!(scene.first_shown(|line| shows(line, "muted") && shows(line, "shown")), None);
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
