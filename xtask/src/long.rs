//! What takes long and is written down: benches and soaks, through the hub as it is shipped.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{
    browser::{Browser, node_packages},
    page,
    shell::{cargo, program, run_within, target_dir},
    steps::step,
    trial::{self, Profile},
};

/// No bench and no soak may take longer.
const LIMIT_HOURS: u64 = 6;

/// A script of web/e2e and where its words go.
struct Script {
    name: &'static str,
    file: &'static str,
    report: &'static str,
    through: Through,
}

/// What a script drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Through {
    /// The hub and the page, as they are shipped.
    Tincan,
    /// The trial of transports.
    Trial,
    /// The hub as it is shipped but for the page, and a crowd of native peers. Needs no browser.
    Crowd,
}

const BENCHES: [Script; 3] = [
    Script { name: "join", file: "web/e2e/bench-join.mjs", report: "docs/performance.md", through: Through::Tincan },
    Script {
        name: "transports",
        file: "web/e2e/bench-transports.mjs",
        report: "docs/performance.md",
        through: Through::Trial,
    },
    Script { name: "hub", file: "web/e2e/bench-hub.mjs", report: "docs/performance.md", through: Through::Crowd },
];
const SOAKS: [Script; 2] = [
    Script {
        name: "session",
        file: "web/e2e/soak-session.mjs",
        report: "docs/soak-session.md",
        through: Through::Tincan,
    },
    Script {
        name: "transports",
        file: "web/e2e/soak-transports.mjs",
        report: "docs/soak-transports.md",
        through: Through::Trial,
    },
];

/// `cargo xtask bench NAME [ARGS]`.
pub(crate) fn bench(words: &[String]) -> Result<()> {
    script(&BENCHES, words)
}

/// `cargo xtask soak NAME [ARGS]`.
pub(crate) fn soak(words: &[String]) -> Result<()> {
    script(&SOAKS, words)
}

fn script(scripts: &[Script], words: &[String]) -> Result<()> {
    let chosen = words.split_first().and_then(|(name, rest)| Some((scripts.iter().find(|s| s.name == name)?, rest)));
    let Some((script, rest)) = chosen else {
        let names: Vec<&str> = scripts.iter().map(|script| script.name).collect();
        bail!("name one of: {}", names.join(", "));
    };
    let built = match script.through {
        Through::Tincan => {
            node_packages()?;
            page::build()?;
            vec![("TINCAN_BIN", hub()?)]
        }
        Through::Trial => {
            node_packages()?;
            vec![("TRIAL_BIN", trial::binary(Profile::Release)?), ("TRIAL_PAGE", trial::page()?)]
        }
        Through::Crowd => hub_and_crowd()?,
    };
    step(&format!("{}, into {}", script.name, script.report), || {
        let mut node = program("node")?;
        node.arg(script.file).args(["--out", script.report]).args(rest).envs(built);
        if script.through != Through::Crowd {
            Browser::ready()?.on(&mut node);
        }
        run_within(&mut node, LIMIT_HOURS * 60)
    })
}

/// The hub as it is shipped: optimised, with the page inside.
fn hub() -> Result<PathBuf> {
    step("building the hub", || crate::shell::run(&mut cargo("build --release --quiet --package tincan-node")?))?;
    released("tincan")
}

/// The hub and its crowd, by one call of cargo: their dependencies are built once.
fn hub_and_crowd() -> Result<Vec<(&'static str, PathBuf)>> {
    step("building the hub and the crowd", || {
        crate::shell::run(&mut cargo("build --release --quiet --package tincan-node --package tincan-crowd")?)
    })?;
    Ok(vec![("TINCAN_BIN", released("tincan")?), ("CROWD_BIN", released("crowd")?)])
}

/// Where an optimised program is.
fn released(name: &str) -> Result<PathBuf> {
    Ok(target_dir()?.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}
