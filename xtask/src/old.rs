//! The first published build, with which every later one must share rooms and records: built once, from the history.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    shell::{cache, cargo, output, program, run, run_within},
    steps::step,
};

/// Its commit.
pub(crate) const COMMIT: &str = "12a85ae";
/// Minutes that its page, which builds everything anew, may take.
const BUILD_MINUTES: u64 = 60;

/// Its binary, which serves its page from beside it; nothing when the history does not reach so far back.
pub(crate) fn binary() -> Result<Option<PathBuf>> {
    if output(program("git")?.args(["cat-file", "-e", &format!("{COMMIT}^{{commit}}")])).is_none() {
        return Ok(None);
    }
    let home = cache()?.join("old").join(COMMIT);
    let (source, target) = (home.join("source"), home.join("target"));
    let binary = target.join("debug").join(format!("tincan{}", std::env::consts::EXE_SUFFIX));
    let built = home.join("built");
    if built.is_file() && binary.is_file() {
        return Ok(Some(binary));
    }
    step(&format!("building {COMMIT} (once; it stays in the cache)"), || {
        unpack(&source)?;
        let here = |words: &str| -> Result<()> {
            let mut old = cargo(words)?;
            run_within(old.current_dir(&source).env("CARGO_TARGET_DIR", &target), BUILD_MINUTES)
        };
        here("run --quiet --package xtask -- page")?;
        here("build --quiet --package tincan-node")?;
        fs::write(&built, "").context("cannot write into the cache")
    })?;
    Ok(Some(binary))
}

/// Lays the commit's files out.
fn unpack(into: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(into);
    fs::create_dir_all(into).context("cannot write into the cache")?;
    let archive = into.with_extension("tar");
    run(program("git")?.args(["archive", "--output"]).arg(&archive).arg(COMMIT))?;
    run(program("tar")?.arg("-xf").arg(&archive).arg("-C").arg(into))?;
    fs::remove_file(&archive).context("cannot write into the cache")?;
    if !into.join("Cargo.toml").is_file() {
        bail!("{COMMIT} holds no Cargo.toml");
    }
    Ok(())
}
