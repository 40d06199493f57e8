//! Telling what is being done, how long it took and how it ended.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Does one thing under a heading, with its time.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say(&format!("\n==> {what}"));
    let start = Instant::now();
    let done = work();
    let took = seconds(start.elapsed());
    match &done {
        Ok(_) => say(&format!("    {what}: done in {took}")),
        Err(error) => say(&format!("    {what}: FAILED after {took}: {error:#}")),
    }
    done
}

/// Prints a line; standard output ends its buffer at each, so lines of programs in between stay in order.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// A time as people say it.
pub(crate) fn seconds(time: Duration) -> String {
    let all = time.as_secs();
    if all < 60 { format!("{:.1} s", time.as_secs_f64()) } else { format!("{} min {:02} s", all / 60, all % 60) }
}
