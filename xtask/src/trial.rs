//! The peers that test and measure transports: a program, and a page.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    shell::{cargo, program, run, target_dir},
    steps::step,
    tools::Tools,
};

/// How the program is built: quickly, or as it would be shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// Builds `trial`, with libp2p's own WebRTC beside ours. Returns where it is.
pub(crate) fn binary(profile: Profile) -> Result<PathBuf> {
    let flag = if profile == Profile::Release { "--release" } else { "" };
    step("building the trial's program", || {
        run(&mut cargo(&format!("build {flag} --quiet --package tincan-trial --features stock"))?)
    })?;
    path(profile)
}

/// Where the program is.
pub(crate) fn path(profile: Profile) -> Result<PathBuf> {
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    Ok(target_dir()?.join(folder).join(format!("trial{}", std::env::consts::EXE_SUFFIX)))
}

/// Where the page's module and glue are.
pub(crate) fn page_dir() -> Result<PathBuf> {
    Ok(target_dir()?.join("trial-page"))
}

/// Builds the trial's page as the page is built. Returns the folder of its module and glue.
pub(crate) fn page() -> Result<PathBuf> {
    let tools = Tools::ready()?;
    let (module, folder) = (target_dir()?.join("wasm32-unknown-unknown/page"), page_dir()?);
    step("building the trial's page", || {
        let mut build =
            cargo("build --profile page --quiet --target wasm32-unknown-unknown --package tincan-trial-page")?;
        run(tools.on(&mut build)?)?;
        let mut bindgen = program("wasm-bindgen")?;
        bindgen.args(["--target", "web", "--no-typescript", "--out-dir"]).arg(&folder);
        run(tools.on(bindgen.arg(module.join("tincan_trial_page.wasm")))?)
    })?;
    Ok(folder)
}
