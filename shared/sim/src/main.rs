//! `tincan-sim`: runs plans of seeds, and shows the shortest way to break a promise.

#![allow(clippy::disallowed_methods, reason = "tells how long a run took; the runs themselves have virtual time")]

mod asked;
mod shrink;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use tincan_shared::sim::{Broken, Plan, run};

use crate::asked::Asked;

/// What all runs together were.
#[derive(Debug, Default)]
struct Sum {
    seeds: u64,
    nodes: usize,
    lines: usize,
    happenings: u64,
    /// The lowest seed that breaks a promise.
    broken: Option<(u64, Broken)>,
    /// How often each promise is broken, and by which seed first.
    counts: BTreeMap<&'static str, (usize, u64)>,
}

fn main() -> ExitCode {
    let asked = match Asked::parse(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("error: {why}\n\n{}", asked::USAGE);
            return ExitCode::from(2);
        }
    };
    // A panic is one more broken promise.
    std::panic::set_hook(Box::new(|_| {}));
    let (from, seeds) = asked.one.map_or((asked.from, asked.seeds), |seed| (seed, 1));
    let began = Instant::now();
    let sum = all(from, seeds, asked.direct, asked.all);
    println!(
        "{} seeds from {from}: {} nodes, {} lines, {} happenings, {:.1} s",
        sum.seeds,
        sum.nodes,
        sum.lines,
        sum.happenings,
        began.elapsed().as_secs_f64()
    );
    let Some((seed, broken)) = sum.broken else {
        println!("no promise broken");
        if let Some(seed) = asked.one {
            println!("{}", run(&Plan::of(seed).directly(asked.direct), true).trace);
        }
        return ExitCode::SUCCESS;
    };
    if asked.all {
        for (promise, (count, first)) in sum.counts {
            println!("{count} times, first by seed {first}: {promise}");
        }
    } else if asked.brief {
        println!("broken\t{}\t{}", seed - from + 1, broken.promise);
    } else {
        println!("seed {seed} breaks a promise: {}\n  {}", broken.promise, broken.how);
        shrink::show(Plan::of(seed).directly(asked.direct), broken.promise);
        let direct = if asked.direct { " --direct" } else { "" };
        println!("replay it: cargo xtask sim --seed {seed}{direct}");
    }
    ExitCode::FAILURE
}

/// Runs so many seeds on all processors, until one breaks a promise, or all.
fn all(from: u64, seeds: u64, direct: bool, goes_on: bool) -> Sum {
    let (next, failed) = (AtomicU64::new(from), AtomicU64::new(u64::MAX));
    let sum = Mutex::new(Sum::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // Those before a seed that failed are run, so that the lowest is found.
            if seed >= from.saturating_add(seeds) || !goes_on && seed >= failed.load(Ordering::Relaxed) {
                return;
            }
            let outcome = run(&Plan::of(seed).directly(direct), false);
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.seeds += 1;
            sum.nodes += outcome.nodes;
            sum.lines += outcome.lines;
            sum.happenings += outcome.happenings;
            if let Some(broken) = &outcome.broken {
                let (count, first) = sum.counts.entry(broken.promise).or_insert((0, seed));
                *count += 1;
                *first = seed.min(*first);
            }
            if let Some(broken) = outcome.broken
                && failed.fetch_min(seed, Ordering::Relaxed) > seed
            {
                sum.broken = Some((seed, broken));
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
}
