//! The lines of one room, in the order the screen shows them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tincan_shared::{Message, MessageState, PeerId};

/// Lines of one room kept in memory and on the screen; the oldest go first.
pub(crate) const MAX_SHOWN_LINES: usize = 500;

/// A line with a name that stays the same when a waiting line is sent and gets its final id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) key: u64,
    /// Where the line stands in time: its author's clock, but never later than its arrival here, so
    /// that a clock that runs ahead cannot pin a line to the end.
    at_ms: u64,
    /// Arrived while the page was open, in contrast to history.
    pub(crate) fresh: bool,
    pub(crate) message: Arc<Message>,
}

impl Line {
    /// Where it stands in time, unix time in milliseconds.
    pub(crate) fn at_ms(&self) -> u64 {
        self.at_ms
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.message.state == MessageState::Waiting
    }
}

/// Sorted by time, and for one author by sequence: an author's lines never stand in another order than
/// they were said in, however the author's clock jumps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    lines: Vec<Line>,
    /// The ids of all lines.
    ids: HashSet<String>,
    /// The highest sequence that each author's lines had. A line with a higher one stands before none of theirs, so that
    /// the usual one is put in its place without a look at all others.
    latest: HashMap<PeerId, u64>,
    last_key: u64,
    revision: u64,
}

impl Lines {
    pub(crate) fn as_slice(&self) -> &[Line] {
        &self.lines
    }

    /// The line with this key.
    pub(crate) fn get(&self, key: u64) -> Option<&Line> {
        self.position(key).and_then(|at| self.lines.get(at))
    }

    /// The key of the line that came last.
    pub(crate) fn last_key(&self) -> u64 {
        self.last_key
    }

    /// Which of two lines stands above the other: lines go from the top, so the `earlier` one did if it is gone.
    pub(crate) fn topmost(&self, earlier: u64, other: u64) -> u64 {
        let is_above = self.position(earlier) < self.position(other);
        if is_above { earlier } else { other }
    }

    /// Whether a line stands below the one with this id; nothing when there is none.
    pub(crate) fn is_after(&self, line: &Line, id: &str) -> Option<bool> {
        let other = self.ids.contains(id).then(|| self.lines.iter().rposition(|other| other.message.id == id))??;
        Some(self.position(line.key)? > other)
    }

    fn position(&self, key: u64) -> Option<usize> {
        // Most questions are about the last lines.
        self.lines.iter().rposition(|line| line.key == key)
    }

    /// Another number after every change, so that who shows the lines need not compare them.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Puts a line in its place, unless it is there already. Tells whether it was new.
    pub(crate) fn insert(&mut self, message: Message, now_ms: u64, fresh: bool) -> bool {
        if self.ids.contains(&message.id) {
            return false;
        }
        self.last_key += 1;
        self.place(Line { key: self.last_key, at_ms: message.time_ms.min(now_ms), fresh, message: Arc::new(message) });
        true
    }

    /// A waiting line was sent: the same line goes on under its final id and time.
    pub(crate) fn sent(&mut self, waiting_id: &str, message: Message, now_ms: u64) {
        let Some(index) = self.lines.iter().position(|line| line.message.id == waiting_id) else {
            self.insert(message, now_ms, true);
            return;
        };
        let line = self.lines.remove(index);
        self.ids.remove(waiting_id);
        self.revision += 1;
        if !self.ids.contains(&message.id) {
            self.place(Line { at_ms: message.time_ms.min(now_ms), fresh: false, message: Arc::new(message), ..line });
        }
    }

    /// Takes in what the node has: lines missed here are added, and lines that no longer wait are dropped. Answers with
    /// the keys of those that were added.
    pub(crate) fn merge(&mut self, known: Vec<Message>, now_ms: u64) -> Vec<u64> {
        let still: HashSet<&str> = known.iter().map(|message| message.id.as_str()).collect();
        let gone =
            |line: &Line| line.message.state == MessageState::Waiting && !still.contains(line.message.id.as_str());
        for line in self.lines.extract_if(.., |line| gone(line)) {
            self.ids.remove(&line.message.id);
            self.revision += 1;
        }
        let add = |message| self.insert(message, now_ms, false).then_some(self.last_key);
        known.into_iter().filter_map(add).collect()
    }

    fn place(&mut self, line: Line) {
        let by_time = self.lines.iter().rposition(|other| other.at_ms <= line.at_ms).map_or(0, |index| index + 1);
        let (above, below) = self.lines.split_at(by_time);
        let after = below.iter().rposition(|other| said_before(other, &line)).map_or(0, |index| index + 1);
        let wanted = above.len() + after;
        let Message { from, sequence, .. } = *line.message;
        let latest = self.latest.get(&from).copied().unwrap_or(0);
        let before = if sequence == 0 || sequence > latest {
            None
        } else {
            self.lines[..wanted].iter().position(|other| said_before(&line, other))
        };
        if sequence > latest {
            self.latest.insert(from, sequence);
        }
        self.revision += 1;
        self.ids.insert(line.message.id.clone());
        self.lines.insert(before.unwrap_or(wanted), line);
        if self.lines.len() > MAX_SHOWN_LINES {
            let oldest = self.lines.remove(0);
            let Message { id, from, sequence, .. } = &*oldest.message;
            self.ids.remove(id);
            // Their lines go in the order of their sequence: no other one is left.
            if self.latest.get(from) == Some(sequence) {
                self.latest.remove(from);
            }
        }
    }
}

/// Whether one author said one line before the other. Waiting and plain lines have no sequence.
fn said_before(one: &Line, other: &Line) -> bool {
    let (one, other) = (&one.message, &other.message);
    one.from == other.from && one.sequence != 0 && other.sequence != 0 && one.sequence < other.sequence
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::sample::{message, peer};

    const NOW: u64 = 1_000_000;

    fn ids(lines: &Lines) -> Vec<&str> {
        lines.as_slice().iter().map(|line| line.message.id.as_str()).collect()
    }

    #[test]
    fn history_merges_by_time() {
        let mut lines = Lines::default();
        for (id, time) in [("c", 30), ("a", 10), ("b", 20)] {
            assert!(lines.insert(message(id, peer(1), time, 0), NOW, true));
        }
        assert_eq!(ids(&lines), ["a", "b", "c"]);
        let revision = lines.revision();
        assert!(!lines.insert(message("b", peer(1), 20, 0), NOW, true), "a line is shown once");
        assert_eq!(lines.revision(), revision, "nothing changed");
    }

    #[test]
    fn equal_times_stay_in_order_of_arrival() {
        let mut lines = Lines::default();
        for id in ["a", "b", "c"] {
            lines.insert(message(id, peer(1), 10, 0), NOW, true);
        }
        assert_eq!(ids(&lines), ["a", "b", "c"]);
    }

    #[test]
    fn an_author_is_never_out_of_sequence() {
        let mut lines = Lines::default();
        lines.insert(message("second", peer(1), 100, 2), NOW, true);
        lines.insert(message("other", peer(2), 120, 1), NOW, true);
        lines.insert(message("first", peer(1), 150, 1), NOW, true);
        lines.insert(message("third", peer(1), 50, 3), NOW, true);
        let order = ids(&lines);
        let place = |id| order.iter().position(|other| *other == id);
        assert!(place("first") < place("second") && place("second") < place("third"), "{order:?}");
    }

    #[test]
    fn a_bridge_cannot_push_the_lines_of_the_peer_it_names_away() {
        let mut lines = Lines::default();
        let mut bridged = message("forged", peer(2), 50, 0);
        bridged.claimed_source = Some(peer(1).to_string());
        lines.insert(message("first", peer(1), 40, 1), NOW, true);
        lines.insert(bridged, NOW, true);
        lines.insert(message("second", peer(1), 60, 2), NOW, true);
        assert_eq!(ids(&lines), ["first", "forged", "second"]);
    }

    #[test]
    fn a_clock_ahead_does_not_pin_a_line_to_the_end() {
        let mut lines = Lines::default();
        lines.insert(message("ahead", peer(1), NOW + 500_000, 1), NOW, true);
        lines.insert(message("mine", peer(2), NOW + 1, 1), NOW + 1, true);
        assert_eq!(ids(&lines), ["ahead", "mine"]);
    }

    #[test]
    fn a_sent_line_keeps_its_key_and_loses_its_waiting_id() {
        let mut lines = Lines::default();
        let mut waiting = message("w1", peer(1), 10, 0);
        waiting.state = MessageState::Waiting;
        lines.insert(waiting, NOW, true);
        let key = lines.as_slice()[0].key;
        let sent = message("final", peer(1), 20, 7);
        lines.sent("w1", sent.clone(), NOW);
        assert_eq!(ids(&lines), ["final"]);
        assert_eq!(lines.as_slice()[0].key, key);
        lines.sent("w1", sent, NOW);
        assert_eq!(ids(&lines), ["final"], "said twice is shown once");
    }

    #[test]
    fn merging_drops_lines_that_no_longer_wait() {
        let mut lines = Lines::default();
        let mut waiting = message("w1", peer(1), 10, 0);
        waiting.state = MessageState::Waiting;
        lines.insert(waiting, NOW, true);
        lines.merge(vec![message("final", peer(1), 10, 7)], NOW);
        assert_eq!(ids(&lines), ["final"]);
    }

    #[test]
    fn the_oldest_lines_go_first() {
        let mut lines = Lines::default();
        for time in 0..MAX_SHOWN_LINES as u64 + 3 {
            lines.insert(message(&time.to_string(), peer(1), time, time + 1), NOW, true);
        }
        assert_eq!(lines.as_slice().len(), MAX_SHOWN_LINES);
        assert_eq!(lines.as_slice()[0].message.id, "3");
        assert_eq!(lines.ids.len(), MAX_SHOWN_LINES, "what is gone is forgotten");
        assert_eq!(lines.latest.len(), 1);
        for seed in 0..=u8::MAX {
            for time in [1, 2] {
                lines.insert(message(&format!("{seed} {time}"), peer(seed), NOW, time), NOW, true);
            }
        }
        assert_eq!(lines.latest.len(), MAX_SHOWN_LINES / 2, "authors too");
    }

    #[test]
    fn whatever_the_order_of_arrival_an_author_stays_in_sequence() {
        let mut lines = Lines::default();
        // Each author's numbers come in some order, with clocks that jump.
        for n in 0..300_u64 {
            let (author, sequence) = (n % 5, n * 67 % 301 + 1);
            lines.insert(message(&n.to_string(), peer(author as u8), n * 31 % 300, sequence), NOW, true);
        }
        for author in 0..5 {
            let of = lines.as_slice().iter().filter(|line| line.message.from == peer(author));
            let sequences: Vec<_> = of.map(|line| line.message.sequence).collect();
            assert!(sequences.is_sorted() && sequences.len() == 60, "{sequences:?}");
        }
    }
}
