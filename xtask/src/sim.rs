//! `cargo xtask sim`: many nodes in virtual time, seed by seed; and faults that are planted to see that it finds them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    shell::{cache, cargo, output, program, root, run, run_within, target_dir},
    steps::{say, step},
};

/// Minutes that 10,000 seeds may take.
const LIMIT: u64 = 90;
/// Faults to plant, one a file: the first line says what it breaks, the rest is a diff of `shared/src`.
const FAULTS: &str = "shared/sim/faults";
/// A planted fault must be found within so many seeds.
const SEEDS_FOR_A_FAULT: u64 = 1000;
/// Where the faults are told of, after [`HEADING`].
const REPORT: &str = "docs/simulator.md";
const HEADING: &str = "\n## Planted faults\n";
/// The version of the copy that faults are planted in: cargo keeps its builds apart from the checkout's by it.
const PLANTED: &str = "0.0.0-planted";

/// Seeds of `cargo xtask test`, and of `nightly`.
pub(crate) const SEEDS: [u64; 2] = [300, 10_000];

/// `cargo xtask sim [--faults [NAMES] | ARGS]`.
pub(crate) fn sim(words: &[String]) -> Result<()> {
    match words.split_first() {
        Some((first, names)) if first == "--faults" => faults(names),
        _ => {
            let binary = step("building the simulator", || built(root()))?;
            run_within(program(binary)?.args(words), LIMIT)
        }
    }
}

/// A step of the tests.
pub(crate) fn seeds(count: u64) -> Result<()> {
    for (name, patch) in patches(&[])? {
        let mut git = program("git")?;
        run(git.args(["apply", "--check", "-C1", "--recount"]).arg(&patch))
            .with_context(|| format!("the planted fault {name} does not apply; write it anew"))?;
    }
    run_within(program(built(root())?)?.args(["--seeds", &count.to_string()]), LIMIT)
}

/// Builds the simulator of a tree of sources.
fn built(tree: &Path) -> Result<PathBuf> {
    run(cargo("build --quiet --profile sim --package tincan-sim")?.current_dir(tree))?;
    Ok(target_dir()?.join("sim").join(format!("tincan-sim{}", std::env::consts::EXE_SUFFIX)))
}

/// How the search for one fault went.
struct Found {
    name: String,
    what: String,
    /// The promise that broke, and the seeds that it took.
    how: Result<(String, u64)>,
}

/// `cargo xtask sim --faults [NAMES]`: plants the faults whose names contain one of the words, one at a time.
pub(crate) fn faults(words: &[String]) -> Result<()> {
    let patches = patches(words)?;
    let tree = cache()?.join("sim-faults");
    step("copying the sources", || copied(&tree))?;
    // Builds with a fault take the place of this one.
    let plain = target_dir()?.join("tincan-sim-without-faults");
    step("building the simulator without a fault", || {
        fs::copy(built(root())?, &plain).map(drop).with_context(|| format!("cannot write {}", plain.display()))
    })?;
    let mut found = Vec::new();
    for (name, patch) in patches {
        let text = fs::read_to_string(&patch).with_context(|| format!("cannot read {}", patch.display()))?;
        let what = text.lines().next().unwrap_or_default().to_owned();
        say(&format!("\n==> {name}: {what}"));
        let how = found_in(&tree, &patch, &plain);
        match &how {
            Ok((promise, seeds)) => say(&format!("    found by {seeds} seeds: {promise}")),
            Err(error) => say(&format!("    NOT FOUND: {error:#}")),
        }
        found.push(Found { name, what, how });
    }
    let missed: Vec<&str> = found.iter().filter(|found| found.how.is_err()).map(|found| found.name.as_str()).collect();
    if !missed.is_empty() {
        bail!("not found: {}", missed.join(", "));
    }
    say(&table(&found));
    if words.is_empty() { write(&table(&found)) } else { Ok(()) }
}

/// The faults whose names contain one of the words, all without words.
fn patches(words: &[String]) -> Result<Vec<(String, PathBuf)>> {
    let folder = root().join(FAULTS);
    let mut all = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_wanted = words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
        if path.extension().is_some_and(|end| end == "patch") && is_wanted {
            all.push((name, path));
        }
    }
    if all.is_empty() {
        bail!("no fault in {FAULTS} has such a name");
    }
    all.sort();
    Ok(all)
}

/// Copies what the checkout holds into a tree of its own, under another version.
fn copied(tree: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(tree);
    let files = output(program("git")?.args(["ls-files", "--cached", "--others", "--exclude-standard"]))
        .context("git lists no files; faults are planted in a checkout")?;
    for file in files.lines() {
        let (from, to) = (root().join(file), tree.join(file));
        // What was removed and not committed is listed, too.
        if from.is_file() {
            let folder = to.parent().context("a file without a folder")?;
            fs::create_dir_all(folder)
                .and_then(|()| fs::copy(&from, &to))
                .with_context(|| format!("cannot copy {file}"))?;
        }
    }
    let manifest = tree.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).context("the copy has no Cargo.toml")?;
    let (before, after) = text.split_once("\nversion = \"").context("Cargo.toml names no version")?;
    let after = after.split_once('"').context("Cargo.toml names no version")?.1;
    fs::write(&manifest, format!("{before}\nversion = \"{PLANTED}\"{after}")).context("cannot write into the copy")
}

/// Plants a fault, runs seeds until one breaks a promise, and takes it out again. Returns the promise and the seeds.
fn found_in(tree: &Path, patch: &Path, plain: &Path) -> Result<(String, u64)> {
    let apply = |words: &[&str]| {
        let mut git = Command::new("git");
        // Not as a part of whatever repository the cache may lie in.
        git.current_dir(tree).env("GIT_CEILING_DIRECTORIES", tree.parent().unwrap_or(tree));
        run(git.arg("apply").args(words).args(["-C1", "--recount"]).arg(patch))
    };
    apply(&[]).context("it does not apply; write it anew")?;
    let found = built(tree).and_then(|binary| first_broken(&binary, plain));
    apply(&["--reverse"]).context("it cannot be taken out again")?;
    found
}

/// The first promise that one simulator breaks and the other, without the fault, does not; and the seeds until then.
fn first_broken(binary: &Path, plain: &Path) -> Result<(String, u64)> {
    let mut from = 0;
    while from < SEEDS_FOR_A_FAULT {
        let Some((promise, seeds)) = broken(binary, from, SEEDS_FOR_A_FAULT - from)? else { break };
        from += seeds;
        if broken(plain, from - 1, 1)?.is_none() {
            return Ok((promise, from));
        }
    }
    bail!("{SEEDS_FOR_A_FAULT} seeds break no promise that holds without it")
}

/// The first promise that these seeds break, and how many seeds that took.
fn broken(binary: &Path, from: u64, seeds: u64) -> Result<Option<(String, u64)>> {
    let words = ["--brief", "--from", &from.to_string(), "--seeds", &seeds.to_string()].map(str::to_owned);
    let done = program(binary)?.args(words).stdin(Stdio::null()).output()?;
    Ok(told_of(&String::from_utf8_lossy(&done.stdout)))
}

/// What `tincan-sim --brief` says: the number of seeds, a tab, the promise.
fn told_of(told: &str) -> Option<(String, u64)> {
    let (seeds, promise) = told.lines().find_map(|line| line.strip_prefix("broken\t")?.split_once('\t'))?;
    Some((promise.to_owned(), seeds.parse().ok()?))
}

fn table(found: &[Found]) -> String {
    let row = |found: &Found| {
        let (promise, seeds) = found.how.as_ref().map_or(("none", 0), |(promise, seeds)| (promise.as_str(), *seeds));
        format!("| `{}` | {} | {promise} | {seeds} |\n", found.name, found.what)
    };
    let rows: String = found.iter().map(row).collect();
    format!("| fault | what it breaks | promise that broke | seeds until then |\n|---|---|---|---:|\n{rows}")
}

/// Puts the table into the report.
fn write(table: &str) -> Result<()> {
    let path = root().join(REPORT);
    let text = fs::read_to_string(&path).context(REPORT)?;
    let (before, _) = text.split_once(HEADING).with_context(|| format!("{REPORT} has no heading for them"))?;
    let says = format!("Written by `cargo xtask sim --faults`: each is found within {SEEDS_FOR_A_FAULT} seeds.");
    fs::write(&path, format!("{before}{HEADING}\n{says}\n\n{table}")).context(REPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_simulator_says_of_a_broken_promise_is_read() {
        let told = "some words\nbroken\t17\tno line is shown twice\n";
        assert_eq!(told_of(told), Some(("no line is shown twice".to_owned(), 17)));
        assert_eq!(told_of("300 seeds: no promise broken\n"), None);
    }
}
