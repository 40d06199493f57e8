//! `cargo xtask run`: from a fresh clone to a hub that serves the page.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{
    page,
    shell::{cargo, run as finish, target_dir},
    steps::{say, step},
};

/// Builds page and hub and becomes the hub.
pub(crate) fn run(words: &[String]) -> Result<()> {
    page::build()?;
    step("building the hub", || finish(&mut cargo("build --release --package tincan-node")?))?;
    let given = words.strip_prefix(&["--".to_owned()]).unwrap_or(words);
    let mut hub = Command::new(target_dir()?.join("release/tincan"));
    match given {
        [] => hub.arg("serve"),
        given => hub.args(given),
    };
    say("\n==> starting the hub; Ctrl-C ends it");
    become_program(&mut hub)
}

/// Replaces this process, so that signals and the exit status are the hub's own.
#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))
}

/// Waits for the hub and ends with its status.
#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<()> {
    let status =
        command.status().with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    std::process::exit(status.code().unwrap_or(1))
}
