//! Several checkouts, one directory of builds.

use std::fs;

use anyhow::{Context, Result};

use crate::{
    shell::{cargo, root, run, target_dir},
    steps::step,
};

/// The file in the target directory that names the checkout that built last.
const MARK: &str = "tincan-checkout";
/// Our packages; what they depend on is the same for all checkouts.
const OURS: &str = "-p tincan-shared -p tincan-node -p tincan-wasm -p tincan-web -p tincan-sim -p xtask";
/// Everything that is built, as `cargo clean` wants to be told.
const BUILDS: [&str; 5] = [
    "",
    "--release",
    "--profile sim",
    "--target wasm32-unknown-unknown",
    "--target wasm32-unknown-unknown --profile page",
];

/// Makes sure that what lies in the target directory is of this checkout. Cargo compares times, not
/// paths: it takes an older file of this checkout for the newer one that another checkout built.
pub(crate) fn claim() -> Result<()> {
    let target = target_dir()?;
    let (mark, here) = (target.join(MARK), root().to_string_lossy());
    let last = fs::read_to_string(&mark).unwrap_or_default();
    if last == here {
        return Ok(());
    }
    if !last.is_empty() {
        step("forgetting what another checkout built", || {
            BUILDS.iter().try_for_each(|build| run(&mut cargo(&format!("clean --quiet {build} {OURS}"))?))
        })?;
    }
    fs::create_dir_all(&target)
        .and_then(|()| fs::write(&mark, &*here))
        .context("cannot write into the target directory")
}
