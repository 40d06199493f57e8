//! Where a reader is in a room: how far they have read, and what is new since then. Pure: time is an argument.

use std::{collections::BTreeMap, fmt::Write, ops::RangeInclusive};

use crate::{
    lines::{Line, Lines},
    routing,
};

/// Clocks of authors may be so much behind ours without their lines counting as history.
const CLOCK_SLACK_MS: u64 = 60_000;
/// After a room was opened, what others said before counts as missed for so long: until hubs and members have sent it.
/// Whatever comes later while somebody looks is seen, even if its author's clock is behind.
const CATCH_UP_MS: u64 = 10_000;
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
    new: Option<New>,
    /// The reader has left since `new` was set, so the next new line begins anew.
    outdated: bool,
    mark: Option<Mark>,
}

/// The lines that the reader has missed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct New {
    /// The key of the topmost one; the line may be gone since.
    topmost: u64,
    /// Keys of all of them. Lines that are not new may have come in between.
    keys: RangeInclusive<u64>,
}

impl Reading {
    /// `mark` is where an earlier page was left.
    pub(crate) fn begin(mark: Option<Mark>, opened_ms: u64) -> Self {
        let since = mark.clone().map_or(Since::Opened, Since::Mark);
        Self { since, opened_ms, unread: 0, new: None, outdated: true, mark }
    }

    pub(crate) fn unread(&self) -> u32 {
        self.unread
    }

    /// Which lines are new.
    pub(crate) fn new_lines(&self) -> Option<&New> {
        self.new.as_ref()
    }

    /// The key of the first new line among those that are `shown`: above it stands "new since you were here".
    pub(crate) fn first_new(&self, lines: &Lines, shown: impl Fn(&Line) -> bool) -> Option<u64> {
        let New { topmost, keys } = self.new.as_ref()?;
        let lines = lines.as_slice();
        // Lines go from the top, so all that are left of the new ones stood below one that is gone.
        let from = lines.iter().position(|line| line.key == *topmost).unwrap_or(0);
        lines[from..].iter().find(|line| keys.contains(&line.key) && shown(line)).map(|line| line.key)
    }

    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }

    /// Somebody else's line was put in its place. Tells whether the reader has yet to see it.
    pub(crate) fn arrived(&mut self, key: u64, lines: &Lines, looking: bool, now_ms: u64) -> bool {
        let Some(line) = lines.get(key) else { return false };
        let said_ms = said_ms(line);
        let new = match &self.since {
            Since::Opened => !looking && said_ms.saturating_add(CLOCK_SLACK_MS) >= self.opened_ms,
            // What was said before the room was opened was missed, even though somebody looks now.
            Since::Mark(mark) => {
                let catches_up = said_ms < self.opened_ms && now_ms < self.opened_ms.saturating_add(CATCH_UP_MS);
                follows(line, mark, lines, looking) && (!looking || catches_up)
            }
            Since::Shown => !looking,
        };
        if !new {
            return false;
        }
        let earlier = self.new.take().filter(|_| !self.outdated);
        self.new = Some(earlier.map_or(New { topmost: key, keys: key..=key }, |New { topmost, keys }| New {
            topmost: lines.topmost(topmost, key),
            keys: key.min(*keys.start())..=key.max(*keys.end()),
        }));
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

/// Whether a line comes after the mark. What arrives while nobody looks was not there then, even if its author's clock is
/// behind; but who has just opened a room is sent again what they have read in it.
fn follows(line: &Line, mark: &Mark, lines: &Lines, looking: bool) -> bool {
    let behind = !looking && line.fresh && line.at_ms().saturating_add(CLOCK_SLACK_MS) >= mark.at_ms;
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
mod tests;
