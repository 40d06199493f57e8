//! Programs side by side: most tests wait for a time-out or a peer, so that two of them share two cores well.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        mpsc::{Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{
    shell::{run, target_dir},
    steps::{say, seconds},
    tally::LEFT_OUT,
};

/// Programs that run at once.
pub(crate) const LANES: usize = 2;

/// A program that may run beside others.
#[derive(Debug)]
pub(crate) struct Job {
    pub name: String,
    pub command: Command,
}

/// How a job ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub name: String,
    pub took: Duration,
    pub ended: Result<()>,
    /// All that it wrote, in the order in which it came.
    pub said: String,
    /// What it could not try here, one line each.
    pub left_out: String,
}

impl Done {
    /// Prints what it said under its name, with its time.
    pub(crate) fn show(&self) {
        say(&format!("\n==> {}\n{}", self.name, self.said.trim_end()));
        match &self.ended {
            Ok(()) => say(&format!("    {}: done in {}", self.name, seconds(self.took))),
            Err(error) => say(&format!("    {}: FAILED after {}: {error:#}", self.name, seconds(self.took))),
        }
    }
}

/// Runs the jobs in the order given, [`LANES`] at a time, and tells of each as it ends.
pub(crate) fn side_by_side(jobs: Vec<Job>, mut tell: impl FnMut(Done)) -> Result<()> {
    // The tests of this file run in lanes of their own inside one.
    let folder = target_dir()?.join(format!("lanes-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot write into {}", folder.display()))?;
    let (done, ended) = channel();
    let jobs = Mutex::new(jobs.into_iter());
    thread::scope(|scope| {
        for lane in 0..LANES {
            let (done, jobs, folder) = (done.clone(), &jobs, &folder);
            scope.spawn(move || work(jobs, &folder.join(lane.to_string()), &done));
        }
        drop(done);
        ended.into_iter().for_each(&mut tell);
    });
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))
}

fn work(jobs: &Mutex<impl Iterator<Item = Job>>, files: &Path, done: &Sender<Done>) {
    let next = || jobs.lock().ok().and_then(|mut jobs| jobs.next());
    while let Some(Job { name, mut command }) = next() {
        let start = Instant::now();
        let (output, notes) = (files.with_extension("output"), files.with_extension("left-out"));
        let ended = run_into(&mut command, &output, &notes);
        let read = |path: &PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let (said, left_out) = (read(&output), read(&notes));
        if done.send(Done { name, took: start.elapsed(), ended, said, left_out }).is_err() {
            return;
        }
    }
}

/// Runs to the end; what it writes, and what it leaves out, goes to these files.
fn run_into(command: &mut Command, output: &Path, notes: &Path) -> Result<()> {
    let _ = fs::remove_file(notes);
    let file = File::create(output).with_context(|| format!("cannot write {}", output.display()))?;
    command.stdout(file.try_clone().context("cannot share a file")?).stderr(file).env(LEFT_OUT, notes);
    run(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::program;

    #[test]
    fn each_job_is_told_of_with_what_it_said_and_left_out() {
        let shell = |name: &str, words: &str| {
            let mut command = program("sh").unwrap();
            command.args(["-c", words]);
            Job { name: name.to_owned(), command }
        };
        let jobs = vec![
            shell("good", "echo out; echo err >&2; echo a disk >> $TINCAN_LEFT_OUT"),
            shell("bad", "echo broken; exit 3"),
            shell("third", "true"),
        ];
        let mut all = Vec::new();
        side_by_side(jobs, |done| all.push((done.name, done.ended.is_ok(), done.said, done.left_out))).unwrap();
        all.sort();
        let expected =
            [("bad", false, "broken\n", ""), ("good", true, "out\nerr\n", "a disk\n"), ("third", true, "", "")];
        assert_eq!(all, expected.map(|(name, ok, said, left)| (name.into(), ok, said.into(), left.into())));
    }
}
