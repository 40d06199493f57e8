//! Telling what is being done, how long it took and how it ended.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

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

/// Steps that all run, also after one failed, and the account of them.
#[derive(Debug)]
pub(crate) struct Tally {
    filter: Vec<String>,
    start: Instant,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    took: Duration,
    failure: Option<String>,
}

impl Tally {
    pub(crate) fn new(filter: &[String]) -> Self {
        Self { filter: filter.to_vec(), start: Instant::now(), rows: Vec::new() }
    }

    /// Whether the filter lets this step run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|word| name.contains(word.as_str()))
    }

    /// Runs a step the filter wants; its failure is noted.
    pub(crate) fn run(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        if self.wants(name) {
            self.always(name, work);
        }
    }

    /// Runs a step that others need, whatever the filter says.
    pub(crate) fn always(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        let start = Instant::now();
        let failure = step(name, work).err().map(|error| format!("{error:#}"));
        self.rows.push(Row { name: name.to_owned(), took: start.elapsed(), failure });
    }

    /// The account; an error when any step failed or none ran.
    pub(crate) fn finish(self) -> Result<()> {
        if self.rows.is_empty() {
            bail!("no step is called {}; run `cargo xtask test` to see their names", self.filter.join(" or "));
        }
        say("\n==> summary");
        for row in &self.rows {
            let state = if row.failure.is_some() { "FAILED" } else { "ok" };
            say(&format!("    {:<7}{:>9}  {}", state, seconds(row.took), row.name));
        }
        let failed: Vec<&Row> = self.rows.iter().filter(|row| row.failure.is_some()).collect();
        for row in &failed {
            say(&format!("    {}: {}", row.name, row.failure.as_deref().unwrap_or_default()));
        }
        say(&format!("    total {}", seconds(self.start.elapsed())));
        say(&format!("{} passed, {} failed", self.rows.len() - failed.len(), failed.len()));
        match failed.len() {
            0 => Ok(()),
            n => bail!("{n} of {} steps failed; their lines are above", self.rows.len()),
        }
    }
}

fn seconds(time: Duration) -> String {
    let all = time.as_secs();
    if all < 60 { format!("{:.1} s", time.as_secs_f64()) } else { format!("{} min {:02} s", all / 60, all % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_does_not_stop_the_others_but_the_whole() {
        let mut tally = Tally::new(&[]);
        let mut ran = 0;
        tally.run("one", || bail!("broken"));
        tally.run("two", || {
            ran += 1;
            Ok(())
        });
        assert_eq!(ran, 1);
        assert_eq!(tally.finish().unwrap_err().to_string(), "1 of 2 steps failed; their lines are above");
    }

    #[test]
    fn words_choose_steps() {
        let mut tally = Tally::new(&["clip".into()]);
        tally.run("fmt", || bail!("not wanted"));
        tally.run("clippy native", || Ok(()));
        assert!(tally.finish().is_ok());
        assert!(Tally::new(&["nothing".into()]).finish().is_err(), "running nothing is no success");
    }
}
