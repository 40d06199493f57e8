//! Lines said while nobody was there: queued, sent when somebody comes, and sent once.
//!
//! A line gets its number when it is said, and is stored with it. If the removal of a sent line does not reach the
//! storage (a full disk, a killed process), the next run finds the line waiting, and sends it under the same number:
//! receivers know it by that. Before it does so, it asks those who are there, as they may hand the sent line back.

use std::collections::VecDeque;

use n0_future::time::Instant;

/// A line that waits for somebody to appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Unique in the room; sorts by when it was said.
    pub id: String,
    /// The line.
    pub text: String,
    /// When it was said, unix time in milliseconds.
    pub time_ms: u64,
    /// Its number among the author's lines. 0 in entries of a version that numbered lines when it sent them.
    pub sequence: u64,
    /// The number of the author's line before this one, 0 if there is none.
    pub previous: u64,
}

/// Whether lines of an earlier run may be sent, or were perhaps sent by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recheck {
    /// No sync has ended yet.
    Needed,
    /// Somebody is there. Without a sync until then, the lines are sent anyway.
    Until(Instant),
    /// A sync has ended, or there was nothing to check.
    Done,
}

/// What an earlier run left, with numbers for those lines that have none, which are the changes.
pub(super) fn restore(saved: Vec<Waiting>, last_line: &mut u64) -> (VecDeque<Waiting>, Vec<Waiting>) {
    let mut numbered = Vec::new();
    *last_line = saved.iter().map(|line| line.sequence).fold(*last_line, u64::max);
    let number = |mut line: Waiting| {
        if line.sequence == 0 {
            (line.sequence, line.previous) = next_number(last_line, line.time_ms);
            numbered.push(line.clone());
        }
        line
    };
    let waiting = saved.into_iter().map(number).collect();
    (waiting, numbered)
}

/// The next line's number, and that of the line before it.
pub(super) fn next_number(last_line: &mut u64, now_ms: u64) -> (u64, u64) {
    let previous = *last_line;
    *last_line = now_ms.max(previous.saturating_add(1));
    (*last_line, previous)
}
