//! Sixty peers that know nobody but one hub, in a room it was never told of: what `cargo xtask bench hub` does with many.

use std::{path::PathBuf, time::Duration};

use tincan_crowd::{
    bench,
    plan::Plan,
    rows::{Beside, Join, Kind, Lines, Restart, Row},
};
use tokio::sync::Mutex;

const PEERS: usize = 60;
const LINES: usize = 10;
/// Of a hundred deliveries 99 take no longer, when the machine is not busy with something else.
const SOON_MS: f64 = 1000.0;

/// Less than the lines of a room that a hub gets back: 20 of 1,200 bytes among them.
const MEMORY_MIB: f64 = 0.025;

/// Crowds of one process would disturb each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The rows of one session, each of which holds: everybody knows the total, and was shown each line once and in order.
async fn rows(words: &str) -> Vec<Row> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let quick = Plan::quick(PathBuf::from(env!("CARGO_BIN_EXE_tincan")));
    let words = words.split(' ').map(str::to_owned).collect();
    let plan = Plan { peers: vec![PEERS], lines: LINES, every: Duration::from_millis(100), words, ..quick };
    let mut rows = Vec::new();
    bench::run(&plan, |_| {}, |row| rows.push(row)).await.expect("a hub and a crowd");
    for row in &rows {
        println!("{row:?}");
        row.holds().expect("everything arrives");
    }
    rows
}

fn lines(row: &Row) -> &Lines {
    let Row::Lines(lines) = row else { panic!("no lines: {row:?}") };
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_reaches_everybody_within_a_second() {
    let rows = rows("evenly tincan").await;
    let [
        Row::Join(Join { all_know_s: Some(_), .. }),
        quiet,
        before_watcher,
        watcher,
        before_deaf,
        deaf,
        Row::Restart(restart),
    ] = &rows[..]
    else {
        panic!("other rows: {rows:?}");
    };
    let undisturbed = [quiet, before_watcher, before_deaf].map(lines);
    for lines in undisturbed {
        assert_eq!((lines.beside, lines.expected), (Beside::Nobody, LINES * (PEERS - 1)));
    }
    // What else the machine does slows one of them, or two.
    let p99 = undisturbed.into_iter().filter_map(|lines| lines.p99_ms).reduce(f64::min);
    assert!(p99.is_some_and(|p99| p99 <= SOON_MS), "{undisturbed:?}");
    assert!(lines(watcher).told_kib_per_s > 0.0, "its watches are read: {watcher:?}");
    assert!(lines(deaf).beside_count > 0, "some read nothing: {deaf:?}");
    let Restart { line_uploads_most, uploaded_mib, .. } = restart;
    assert!(*line_uploads_most >= 1 && *uploaded_mib > MEMORY_MIB, "the hub gets its memory back: {restart:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_of_another_program_hear_each_other_through_the_hub() {
    let rows = rows("evenly stock").await;
    let [Row::Join(Join { kind: Kind::Stock, .. }), heard] = &rows[..] else { panic!("other rows: {rows:?}") };
    assert_eq!(lines(heard).expected, LINES * PEERS, "each other and a Tincan peer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_may_come_at_once() {
    let rows = rows("at-once tincan").await;
    assert!(matches!(&rows[..], [Row::Join(_)]), "{rows:?}");
}
