//! The account of many steps: which passed, which failed, and what was left out.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    lanes::{Job, side_by_side},
    shell::target_dir,
    steps::{say, seconds, step},
};

/// Tests append a line to the file that this variable names for each thing that they cannot try here.
pub(crate) const LEFT_OUT: &str = "TINCAN_LEFT_OUT";

/// How a step ended that did not fail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ran.
    Passed,
    /// It could not run here, for this reason.
    LeftOut(String),
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Passed
    }
}

/// Where tests say what they leave out.
pub(crate) fn left_out_file() -> Result<PathBuf> {
    Ok(target_dir()?.join("left-out.txt"))
}

/// Notes a part of the running step that cannot be tried here.
pub(crate) fn leave_out(what: &str) -> Result<()> {
    let path = left_out_file()?;
    let file = fs::OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{what}")).with_context(|| format!("cannot write {}", path.display()))
}

/// Steps that all run, also after one failed, and the account of them.
#[derive(Debug)]
pub(crate) struct Tally {
    filter: Vec<String>,
    /// Where steps note what they leave out.
    notes: PathBuf,
    start: Instant,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    took: Duration,
    ended: Result<Outcome, String>,
    /// Parts of it that could not be tried here.
    parts_left_out: Vec<String>,
}

impl Row {
    fn state(&self) -> &'static str {
        match self.ended {
            Ok(Outcome::Passed) => "ok",
            Ok(Outcome::LeftOut(_)) => "left out",
            Err(_) => "FAILED",
        }
    }

    fn left_out(&self) -> impl Iterator<Item = &str> {
        let whole = match &self.ended {
            Ok(Outcome::LeftOut(why)) => Some(why.as_str()),
            _ => None,
        };
        whole.into_iter().chain(self.parts_left_out.iter().map(String::as_str))
    }
}

impl Tally {
    /// Nothing yet. Steps append to the file `notes` what they leave out.
    pub(crate) fn new(filter: &[String], notes: PathBuf) -> Self {
        Self { filter: filter.to_vec(), notes, start: Instant::now(), rows: Vec::new() }
    }

    /// Whether the filter lets this step run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|word| name.contains(word.as_str()))
    }

    /// Runs a step the filter wants; its failure is noted.
    pub(crate) fn run<R: Into<Outcome>>(&mut self, name: &str, work: impl FnOnce() -> Result<R>) {
        if self.wants(name) {
            self.always(name, work);
        }
    }

    /// Runs a step that others need, whatever the filter says.
    pub(crate) fn always<R: Into<Outcome>>(&mut self, name: &str, work: impl FnOnce() -> Result<R>) {
        let start = Instant::now();
        // What an interrupted run noted is none of this step's.
        let _ = fs::remove_file(&self.notes);
        let ended = step(name, work).map(Into::into);
        let left_out = fs::read_to_string(&self.notes).unwrap_or_default();
        self.note(name.to_owned(), start.elapsed(), ended, &left_out);
    }

    /// Runs the programs of steps that the filter wants side by side; each is shown when it has ended.
    pub(crate) fn together(&mut self, steps: impl IntoIterator<Item = (String, impl FnOnce() -> Result<Command>)>) {
        let mut jobs = Vec::new();
        for (name, program) in steps {
            if self.wants(&name) {
                match program() {
                    Ok(command) => jobs.push(Job { name, command }),
                    Err(error) => self.note(name, Duration::ZERO, Err(error), ""),
                }
            }
        }
        let told = side_by_side(jobs, |done| {
            done.show();
            self.note(done.name, done.took, done.ended.map(Outcome::from), &done.left_out);
        });
        if let Err(error) = told {
            self.note("side by side".to_owned(), Duration::ZERO, Err(error), "");
        }
    }

    fn note(&mut self, name: String, took: Duration, ended: Result<Outcome>, left_out: &str) {
        let mut parts_left_out: Vec<String> = left_out.lines().map(str::to_owned).collect();
        parts_left_out.sort();
        parts_left_out.dedup();
        self.rows.push(Row { name, took, ended: ended.map_err(|error| format!("{error:#}")), parts_left_out });
    }

    /// The account; an error when any step failed or none ran. Its last line has the form that test runners share.
    pub(crate) fn finish(self) -> Result<()> {
        if self.rows.is_empty() {
            bail!("no step is called {}; run `cargo xtask test` to see their names", self.filter.join(" or "));
        }
        say("\n==> summary");
        for row in &self.rows {
            say(&format!("    {:<9}{:>9}  {}", row.state(), seconds(row.took), row.name));
        }
        for row in &self.rows {
            for what in row.left_out() {
                say(&format!("    left out of {}: {what}", row.name));
            }
            if let Err(why) = &row.ended {
                say(&format!("    {}: {why}", row.name));
            }
        }
        say(&format!("    total {}", seconds(self.start.elapsed())));
        say(&self.closing_line());
        match self.rows.iter().filter(|row| row.ended.is_err()).count() {
            0 => Ok(()),
            n => bail!("{n} of {} steps failed; their lines are above", self.rows.len()),
        }
    }

    fn closing_line(&self) -> String {
        let steps = |state: &str| self.rows.iter().filter(|row| row.state() == state).count();
        let left_out: usize = self.rows.iter().map(|row| row.left_out().count()).sum();
        let skipped = if left_out == 0 { String::new() } else { format!(", {left_out} skipped") };
        format!("{} passed, {} failed{skipped}", steps("ok"), steps("FAILED"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(name: &str, filter: &[String]) -> Tally {
        Tally::new(filter, std::env::temp_dir().join(format!("tincan-{}-{name}", std::process::id())))
    }

    #[test]
    fn a_failed_step_does_not_stop_the_others_but_the_whole() {
        let mut tally = tally("failed", &[]);
        let mut ran = 0;
        tally.run("one", || -> Result<()> { bail!("broken") });
        tally.run("two", || {
            ran += 1;
            Ok(())
        });
        assert_eq!(ran, 1);
        assert_eq!(tally.finish().unwrap_err().to_string(), "1 of 2 steps failed; their lines are above");
    }

    #[test]
    fn what_is_left_out_is_neither_passed_nor_failed() {
        let mut tally = tally("left-out", &[]);
        tally.run("runs", || Ok(()));
        assert_eq!(tally.closing_line(), "1 passed, 0 failed");
        tally.run("cannot run", || Ok(Outcome::LeftOut("no network".into())));
        assert_eq!(tally.closing_line(), "1 passed, 0 failed, 1 skipped");
        let notes = tally.notes.clone();
        tally.run("runs in part", || Ok(fs::write(&notes, "a full disk\na full disk\n")?));
        assert_eq!(tally.closing_line(), "2 passed, 0 failed, 2 skipped");
        fs::remove_file(&notes).unwrap();
        assert!(tally.finish().is_ok());
    }

    #[test]
    fn words_choose_steps() {
        let mut chosen = tally("words", &["clip".into()]);
        chosen.run("fmt", || -> Result<()> { bail!("not wanted") });
        chosen.run("clippy native", || Ok(()));
        assert!(chosen.finish().is_ok());
        assert!(tally("nothing", &["nothing".into()]).finish().is_err(), "running nothing is no success");
    }
}
