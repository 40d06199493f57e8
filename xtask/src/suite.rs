//! What the steps of `cargo xtask test` run.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    browser::{Browser, node_packages},
    native, old, page,
    shell::{cargo, output, program, root, run, target_dir, which},
    tally::{Outcome, leave_out},
    tools::Tools,
    trial,
};

/// Packages that run on a machine.
const NATIVE: &str = "--workspace --exclude tincan-web --exclude tincan-wasm";
/// Packages that run in a page.
const WASM: &str = "--target wasm32-unknown-unknown --package tincan-wasm --package tincan-web";
/// Packages that a page is made of besides, whose tests do not run in one.
const WASM_LIBRARIES: &str = "--package tincan-shared --package tincan-webrtc --package tincan-trial-page";
/// Tests against go-libp2p, which need Go and run as a step of their own.
const GO_TESTS: &str = "--package tincan-node --test interop_go";
/// The peer they drive.
const GO_PEER: &str = "node-native/tests/go";
/// The end-to-end test that needs the first published build besides.
const OLD_AND_NEW: &str = "nightly/old-and-new";
/// End-to-end tests that measure how soon something happens, or keep both cores busy.
const ALONE: [&str; 4] = ["dials", "hostile", "slow-path", "transports"];
/// Seconds a test in a browser may take; two busy cores are slow.
const BROWSER_TEST_SECONDS: &str = "180";

/// Everything that has to be installed, before anything is built.
pub(crate) fn ready() -> Result<()> {
    Tools::ready()?;
    Browser::ready()?;
    node_packages()
}

pub(crate) fn fmt() -> Result<()> {
    run(&mut cargo("fmt --all --check")?)
}

/// What deny.toml asks of our dependencies; needs the network for the advisories.
pub(crate) fn deny() -> Result<Outcome> {
    if which("cargo-deny").is_none() {
        return Ok(Outcome::LeftOut("cargo-deny is not installed (cargo install --locked cargo-deny)".into()));
    }
    run(&mut cargo("deny check licenses bans sources")?)?;
    if output(&mut cargo("deny fetch db")?).is_none() {
        leave_out("the advisories, whose database cannot be fetched from here")?;
        return Ok(Outcome::Passed);
    }
    run(&mut cargo("deny check advisories")?).map(Outcome::from)
}

pub(crate) fn clippy_native() -> Result<()> {
    run(&mut cargo(&format!("clippy --quiet {NATIVE} --all-targets -- -D warnings"))?)?;
    // Tests that run by name only are none of all targets.
    run(&mut cargo(&format!("clippy --quiet {GO_TESTS} -- -D warnings"))?)
}

pub(crate) fn clippy_wasm() -> Result<()> {
    let tools = Tools::ready()?;
    run(tools.on(&mut cargo(&format!("clippy --quiet {WASM} {WASM_LIBRARIES} -- -D warnings"))?)?)?;
    run(tools.on(&mut cargo(&format!("clippy --quiet {WASM} --all-targets -- -D warnings"))?)?)
}

/// Unit, integration and documentation tests.
pub(crate) fn native() -> Result<()> {
    let tests = native::built(NATIVE)?;
    native::run_all(tests)?;
    run(&mut cargo(&format!("test --doc --no-fail-fast {NATIVE}"))?)
}

/// Interoperation with go-libp2p, where Go is installed.
pub(crate) fn go_libp2p() -> Result<Outcome> {
    if which("go").is_none() {
        return Ok(Outcome::LeftOut("go is not installed".into()));
    }
    let peer = root().join(GO_PEER);
    match output(program("gofmt")?.arg("-l").arg(&peer)).as_deref() {
        Some("") => {}
        Some(files) => bail!("gofmt would change {}", files.replace('\n', ", ")),
        None => bail!("gofmt does not run; it comes with Go"),
    }
    run(program("go")?.current_dir(&peer).args(["vet", "./..."]))?;
    run(&mut cargo(&format!("test {GO_TESTS}"))?).map(Outcome::from)
}

/// The node with libp2p's own WebRTC in place of ours.
pub(crate) fn stock_webrtc() -> Result<()> {
    run(&mut cargo("test --package tincan-node --features stock-webrtc --test ping")?)
}

pub(crate) fn rustdoc() -> Result<()> {
    for which in [NATIVE, WASM] {
        run(cargo(&format!("doc --quiet --no-deps {which}"))?.env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

/// Tests compiled to wasm, inside a headless browser.
pub(crate) fn wasm() -> Result<()> {
    let tools = Tools::ready()?;
    let browser = Browser::ready()?;
    let mut tests = cargo(&format!("test --no-fail-fast {WASM} --package tincan-shared --bins --lib --tests"))?;
    run(browser.on(tools.on(&mut tests)?).env("WASM_BINDGEN_TEST_TIMEOUT", BROWSER_TEST_SECONDS))
}

/// Names of the end-to-end tests in a folder of web/e2e, one a file.
pub(crate) fn e2e_names(folder: &str) -> Result<Vec<String>> {
    let dir = root().join("web/e2e").join(folder);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        let name = file.strip_suffix(".test.mjs");
        names.extend(name.map(|name| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }));
    }
    names.sort();
    Ok(names)
}

/// What all end-to-end tests need beside the page: their packages, a `tincan` that serves it, and the trial.
pub(crate) fn e2e_build() -> Result<()> {
    node_packages()?;
    run(&mut cargo("build --quiet --package tincan-node")?)?;
    trial::binary(trial::Profile::Dev)?;
    trial::page().map(drop)
}

/// The end-to-end test that takes longest: it begins before the others.
pub(crate) const LONGEST: &str = "states";

/// Whether an end-to-end test wants the machine to itself: it measures times, or dials so often that it slows others.
pub(crate) fn is_alone(name: &str) -> bool {
    name.starts_with("nightly/") || ALONE.contains(&name)
}

/// The program of one end-to-end test through the real binary and a real browser.
pub(crate) fn e2e_program(name: &str) -> Result<Command> {
    node_program(&["--test", "--test-reporter=spec", &format!("web/e2e/{name}.test.mjs")])
}

/// An end-to-end test that runs alone.
pub(crate) fn e2e(name: &str) -> Result<Outcome> {
    let mut test = e2e_program(name)?;
    if name == OLD_AND_NEW {
        let Some(old) = old::binary()? else {
            return Ok(Outcome::LeftOut(format!("the history does not reach back to {}", old::COMMIT)));
        };
        test.env("TINCAN_OLD_BIN", old);
    }
    run(&mut test).map(Outcome::from)
}

/// Runs a script of web/e2e in its environment.
pub(crate) fn node(words: &[&str]) -> Result<()> {
    run(&mut node_program(words)?)
}

fn node_program(words: &[&str]) -> Result<Command> {
    let binary: PathBuf = target_dir()?.join("debug").join(format!("tincan{}", std::env::consts::EXE_SUFFIX));
    if !binary.is_file() || !page::dist().join("index.html").is_file() {
        bail!("the page or the hub was not built; see the steps before");
    }
    let mut node = program("node")?;
    Browser::ready()?.on(&mut node).args(words);
    node.env("TINCAN_BIN", binary).env("TRIAL_BIN", trial::path(trial::Profile::Dev)?);
    node.env("TRIAL_PAGE", trial::page_dir()?);
    Ok(node)
}
