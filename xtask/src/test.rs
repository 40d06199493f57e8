//! `cargo xtask test`: every check, in the order in which failures are cheapest to learn of.

use anyhow::Result;

use crate::{
    floor, page,
    shell::thoroughly,
    sim,
    steps::step,
    structure, suite,
    tally::{Tally, left_out_file},
};

/// Runs the steps whose names contain one of the words; all without words.
pub(crate) fn test(words: &[String]) -> Result<()> {
    let mut tally = Tally::new(words, left_out_file()?);
    steps(&mut tally, &suite::e2e_names("")?, sim::SEEDS[0])?;
    tally.finish()
}

/// The same at full counts, and what takes too long for every change.
pub(crate) fn nightly(words: &[String]) -> Result<()> {
    thoroughly();
    let mut tally = Tally::new(words, left_out_file()?);
    steps(&mut tally, &[suite::e2e_names("")?, suite::e2e_names("nightly")?].concat(), sim::SEEDS[1])?;
    tally.run("planted faults", || sim::faults(&[]));
    tally.finish()
}

fn steps(tally: &mut Tally, e2e: &[String], seeds: u64) -> Result<()> {
    let e2e_step = |name: &String| format!("e2e {name}");
    tally.run("fmt", suite::fmt);
    tally.run("security floor", floor::check);
    tally.run("structure", structure::check);
    tally.run("licences and advisories", suite::deny);
    tally.run("set-up", suite::ready);
    tally.run("clippy native", suite::clippy_native);
    tally.run("clippy wasm", suite::clippy_wasm);
    tally.run("native tests", suite::native);
    tally.run("simulator", || sim::seeds(seeds));
    tally.run("go-libp2p", suite::go_libp2p);
    tally.run("stock WebRTC", suite::stock_webrtc);
    tally.run("rustdoc", suite::rustdoc);
    tally.run("wasm tests", suite::wasm);
    tally.run("page", page::build);
    if e2e.iter().any(|name| tally.wants(&e2e_step(name))) {
        // Without the step before, an old page would be tested.
        let page_is_built = tally.wants("page");
        tally.always("e2e build", || {
            if page_is_built { Ok(()) } else { page::build() }.and_then(|()| suite::e2e_build())
        });
    }
    let (alone, mut others): (Vec<_>, Vec<_>) = e2e.iter().partition(|name| suite::is_alone(name));
    others.sort_by_key(|name| *name != suite::LONGEST);
    tally.together(others.into_iter().map(|name| (e2e_step(name), || suite::e2e_program(name))));
    for name in alone {
        tally.run(&e2e_step(name), || suite::e2e(name));
    }
    Ok(())
}

/// Screenshots for README and review.
pub(crate) fn shots() -> Result<()> {
    page::build()?;
    step("building the hub", suite::e2e_build)?;
    step("screenshots into docs/screenshots", || suite::node(&["web/e2e/shots.mjs"]))
}
