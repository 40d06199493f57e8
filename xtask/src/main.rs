//! `cargo xtask`: sets up what the repository needs, builds, runs and checks it.
//!
//! | file | what it does |
//! |---|---|
//! | `run` | builds page and hub, becomes the hub |
//! | `page`, `wasm`, `size` | builds the page, makes it small; what it weighs |
//! | `test`, `suite` | every check, one step after the other, by day and by night |
//! | `old` | the first published build, from the history |
//! | `floor`, `structure` | checks of our own: minimum versions, rules of the house |
//! | `circles`, `modules`, `paths` | files of a crate that depend on each other in a circle |
//! | `long`, `fuzz` | benches, soaks and fuzzing, whose reports lie in docs/ |
//! | `sim` | the simulator, and the faults that it must find |
//! | `tools`, `browser` | what has to be installed, and how it gets there |
//! | `checkout` | one directory of builds for several checkouts |
//! | `shell`, `steps`, `tally` | running programs, telling how it went, the account of many steps |

mod browser;
mod checkout;
mod circles;
mod floor;
mod fuzz;
mod lanes;
mod long;
mod modules;
mod native;
mod old;
mod page;
mod paths;
mod run;
mod shell;
mod sim;
mod size;
mod steps;
mod structure;
mod suite;
mod tally;
mod test;
mod tools;
mod trial;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
usage: cargo xtask <word>

  run [-- ARGS]   build the page and the hub, start the hub (ARGS are those of tincan; default: serve)
  test [WORDS]    every check; with words only the steps whose names contain one of them
  nightly [WORDS] every check at its full counts, and a room shared with the first published build
  page            build the page into web/dist
  size            what each shipped file of the page weighs: raw, gzip, brotli
  shots           screenshots of the page into docs/screenshots
  bench join      time to the conversation, beside a js-libp2p page; docs/performance.md
  bench transports
                  ours beside js-libp2p, go-libp2p and the published crates; docs/performance.md
                  (--rows WORDS: only the rows whose names have these words, printed)
  bench hub       what 200, 500 and 1,000 peers in one room cost a hub, disturbed and restarted; docs/performance.md
                  (--rows WORDS as above, --peers COUNTS, --quick, --before: into a section of its own)
  soak session    outages, visits and a checker of every line, about 45 minutes; docs/soak-session.md
  soak transports the long rows of the transports, about 40 minutes; docs/soak-transports.md
  fuzz [TARGET] [SECONDS]
                  libFuzzer on each target, or on one; docs/fuzz.md
  sim [--seeds N] [--from SEED] [--seed SEED]
                  many nodes in virtual time, 300 seeds or as many as are asked for; --seed shows what happens in one
  sim --faults [NAMES]
                  plants the faults of shared/sim/faults, which must be found; docs/simulator.md";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((word, rest)) = words.split_first() else {
        return usage();
    };
    let work: &dyn Fn() -> Result<()> = match (word.as_str(), rest) {
        ("run", rest) => &|| run::run(rest),
        ("test", rest) => &|| test::test(rest),
        ("nightly", rest) => &|| test::nightly(rest),
        ("page", []) => &page::build,
        ("size", []) => &size::print,
        ("bench", rest) => &|| long::bench(rest),
        ("soak", rest) => &|| long::soak(rest),
        ("fuzz", rest) => &|| fuzz::fuzz(rest),
        ("sim", rest) => &|| sim::sim(rest),
        ("shots", []) => &test::shots,
        _ => return usage(),
    };
    match checkout::claim().and_then(|()| work()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
