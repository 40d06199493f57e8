//! `tincan-sim`: runs plans of seeds, and shows the shortest way to break a promise.

#![allow(clippy::disallowed_methods, reason = "tells how long a run took; the runs themselves have virtual time")]

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use tincan_shared::sim::{Outcome, Plan, run};

const USAGE: &str = "usage: tincan-sim [--seeds N] [--from SEED] [--seed SEED]

  --seeds N    runs so many seeds (default 300)
  --from SEED  the first of them (default 0)
  --seed SEED  runs one seed, and shows what happens";

/// How long a shorter way to break the same promise is looked for.
const SHRINK_TIME: Duration = Duration::from_secs(40);

struct Asked {
    seeds: u64,
    from: u64,
    one: Option<u64>,
}

fn asked() -> Option<Asked> {
    let mut asked = Asked { seeds: 300, from: 0, one: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next()?.parse().ok()?;
        match word.as_str() {
            "--seeds" => asked.seeds = number,
            "--from" => asked.from = number,
            "--seed" => asked.one = Some(number),
            _ => return None,
        }
    }
    Some(asked)
}

fn main() -> ExitCode {
    let Some(asked) = asked() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let failed = match asked.one {
        Some(seed) => find(seed, 1),
        None => find(asked.from, asked.seeds),
    };
    let Some(seed) = failed else {
        if let Some(seed) = asked.one {
            println!("{}", run(&Plan::of(seed), true).trace);
        }
        return ExitCode::SUCCESS;
    };
    show(seed);
    ExitCode::FAILURE
}

/// Runs so many seeds on all processors. The first that breaks a promise.
fn find(from: u64, seeds: u64) -> Option<u64> {
    let (next, failed, lines) = (AtomicU64::new(from), AtomicU64::new(u64::MAX), AtomicU64::new(0));
    let began = Instant::now();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds || seed >= failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let Outcome { broken, lines: said, .. } = run(&Plan::of(seed), false);
                    lines.fetch_add(said as u64, Ordering::Relaxed);
                    if broken.is_some() {
                        failed.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    let found = (failed != u64::MAX).then_some(failed);
    let seconds = began.elapsed().as_secs_f64();
    match found {
        None => {
            println!("{seeds} seeds from {from}: no promise broken; {} lines said, {seconds:.1} s", lines.into_inner())
        }
        Some(seed) => println!("seed {seed} breaks a promise, after {seconds:.1} s"),
    }
    found
}

/// Cuts the plan of a seed down, and shows what happens in it.
fn show(seed: u64) {
    let mut plan = Plan::of(seed);
    let Some(first) = run(&plan, false).broken else { return };
    println!("{}: {}", first.promise, first.how);
    let began = Instant::now();
    'smaller: loop {
        for smaller in plan.smaller() {
            if began.elapsed() > SHRINK_TIME {
                break 'smaller;
            }
            let broken = run(&smaller, false).broken;
            if broken.is_some_and(|broken| broken.promise == first.promise) && smaller.size() < plan.size() {
                plan = smaller;
                continue 'smaller;
            }
        }
        break;
    }
    let outcome = run(&plan, true);
    println!("the same with {} nodes and {} steps:\n{plan:#?}\n{}", outcome.nodes, plan.steps(), outcome.trace);
    if let Some(broken) = outcome.broken {
        println!("{}: {}", broken.promise, broken.how);
    }
}
