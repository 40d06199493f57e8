//! How much of a room is drawn at once. A sync, a room that is opened or a flood may bring hundreds of long lines; drawn
//! in one go they would stop the page. So each portion is bounded, the newest rows come first, and between two portions
//! the browser can do other things.

use std::collections::HashMap;

use crate::{links::MAX_LINKS, rows::Row};

/// What one portion may cost, where a byte of text costs 1.
pub(crate) const PORTION: usize = 16 * 1024;
/// What a row costs beside its text: its heading, marks and time.
const ROW_COST: usize = 500;
/// What a link costs beside its text, and a line break.
const LINK_COST: usize = 100;
const BREAK_COST: usize = 4;

/// The rows to show next, as a step on the way from those that are drawn to those that are wanted.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) rows: Vec<Row>,
    /// Whether another step has to follow.
    pub(crate) left: bool,
}

/// Draws one portion.
pub(crate) fn step(wanted: &[Row], drawn: &[Row]) -> Step {
    let drawn: HashMap<u64, &Row> = drawn.iter().map(|row| (row.line.key, row)).collect();
    let mut step = Step { rows: Vec::with_capacity(wanted.len()), left: false };
    let mut spent = 0;
    for row in wanted.iter().rev() {
        let before = drawn.get(&row.line.key).copied();
        if before.is_some_and(|before| before.looks_as(row)) {
            step.rows.push(row.clone());
        } else if spent < PORTION {
            spent += cost(row);
            step.rows.push(row.clone());
        } else {
            // Until its turn comes, a row that changed stays as it was.
            step.left = true;
            step.rows.extend(before.cloned());
        }
    }
    step.rows.reverse();
    step
}

fn cost(row: &Row) -> usize {
    let text = &row.line.message.text;
    let links = text.matches("://").count().min(MAX_LINKS);
    let breaks = text.bytes().filter(|byte| *byte == b'\n').count();
    ROW_COST + text.len() + links * LINK_COST + breaks * BREAK_COST
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

    fn room(count: u64, text: &str) -> Vec<Row> {
        let mut lines = Lines::default();
        for time in 0..count {
            let mut line = message(&time.to_string(), peer(1), time, 0);
            line.text = text.to_owned();
            lines.insert(line, u64::MAX, false);
        }
        rows(lines.as_slice(), None, false, |_| 0)
    }

    fn keys(rows: &[Row]) -> Vec<u64> {
        rows.iter().map(|row| row.line.key).collect()
    }

    /// Rows drawn in each portion until nothing is left.
    fn portions(wanted: &[Row]) -> Vec<usize> {
        let (mut drawn, mut sizes) = (Vec::<Row>::new(), Vec::new());
        loop {
            let next = step(wanted, &drawn);
            assert_eq!(keys(&next.rows), keys(&wanted[wanted.len() - next.rows.len()..]), "the newest first, in order");
            sizes.push(next.rows.len() - drawn.len());
            drawn = next.rows;
            if !next.left {
                assert_eq!(drawn, wanted);
                return sizes;
            }
        }
    }

    #[test]
    fn short_lines_come_at_once_and_long_ones_a_few_at_a_time() {
        assert_eq!(portions(&room(20, "hello")), [20]);
        assert_eq!(portions(&room(0, "")), [0]);
        for long in ["x".repeat(4096), "\n".repeat(4096), "http://a ".repeat(455)] {
            let sizes = portions(&room(60, &long));
            assert!(sizes.iter().all(|rows| (1..=4).contains(rows)), "{sizes:?}");
        }
    }

    #[test]
    fn what_changed_stays_as_it_was_until_its_turn() {
        let drawn = room(30, &"x".repeat(4096));
        let mut wanted = drawn.clone();
        wanted.iter_mut().for_each(|row| row.head = !row.head);
        let next = step(&wanted, &drawn);
        assert!(next.left);
        assert_eq!(keys(&next.rows), keys(&wanted), "no row vanishes");
        assert_eq!(next.rows.last(), wanted.last());
        assert_eq!(next.rows[0], drawn[0]);
    }
}
