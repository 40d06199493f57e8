//! Test programs that run on this machine: built by one call of cargo, run side by side.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    lanes::{Job, side_by_side},
    shell::{cargo, printed, program},
    tally::leave_out,
};

/// They take longest, so they start first.
const LONGEST: [&str; 5] = ["hostile_before", "hostile_after", "hoarding", "access", "ping"];

/// They measure memory or time of a hub closely: nothing runs beside them.
const ALONE: [&str; 5] = ["bounded", "bounds", "desk", "toggling", "visitors"];

/// Builds the tests of these packages.
pub(crate) fn built(packages: &str) -> Result<Vec<Job>> {
    let mut build = cargo(&format!("test --no-run --message-format json-render-diagnostics {packages}"))?;
    let told = printed(&mut build)?;
    let mut tests = told.lines().filter_map(|line| test_program(line).transpose()).collect::<Result<Vec<Job>>>()?;
    if tests.is_empty() {
        bail!("cargo built no tests of {packages}");
    }
    tests.sort_by_key(|test| !is_one_of(test, &LONGEST));
    Ok(tests)
}

/// The test program that a line of cargo's tells of, if it does; run as cargo would, in its package.
fn test_program(line: &str) -> Result<Option<Job>> {
    let told: Value = serde_json::from_str(line).context("cargo said what is no JSON")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (Some(file), true) = (text(&told["executable"]), told["profile"]["test"] == true) else {
        return Ok(None);
    };
    let manifest = text(&told["manifest_path"]).map(PathBuf::from).context("cargo names no manifest")?;
    let package = manifest.parent().context("a manifest lies in a folder")?;
    let (folder, kind) = (package.file_name().unwrap_or_default().to_string_lossy(), &told["target"]);
    let name = format!("{folder} {}", kind["name"].as_str().unwrap_or_default());
    let mut command: Command = program(file)?;
    command.current_dir(package).env("CARGO_MANIFEST_DIR", package);
    Ok(Some(Job { name, command }))
}

fn is_one_of(test: &Job, names: &[&str]) -> bool {
    names.iter().any(|name| test.name.ends_with(&format!(" {name}")))
}

/// Runs them all; an error names those that failed.
pub(crate) fn run_all(tests: Vec<Job>) -> Result<()> {
    let (mut failed, mut left_out) = (Vec::new(), String::new());
    let (alone, together): (Vec<_>, Vec<_>) = tests.into_iter().partition(|test| is_one_of(test, &ALONE));
    let mut turns: Vec<Vec<Job>> = vec![together];
    turns.extend(alone.into_iter().map(|test| vec![test]));
    for turn in turns {
        side_by_side(turn, |done| {
            left_out += &done.left_out;
            done.show();
            if done.ended.is_err() {
                failed.push(done.name);
            }
        })?;
    }
    left_out.lines().try_for_each(leave_out)?;
    match failed.is_empty() {
        true => Ok(()),
        false => bail!("failed: {}", failed.join(", ")),
    }
}
