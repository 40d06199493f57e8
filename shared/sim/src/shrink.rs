//! Cuts a plan that breaks a promise down to what is needed to break it.

use std::time::{Duration, Instant};

use tincan_shared::sim::{Plan, run};

/// How long a shorter way is looked for.
const TIME: Duration = Duration::from_secs(20);

/// Shows the shortest way found in which a plan breaks this promise.
pub(crate) fn show(plan: Plan, promise: &str) {
    let plan = shortest(plan, promise);
    let outcome = run(&plan, true);
    println!("\nthe same in {} nodes and {} steps:\n{}\n", outcome.nodes, plan.steps(), plan.describe());
    println!("what happens, by seconds:\n{}", outcome.trace);
    if let Some(broken) = outcome.broken {
        println!("\n{}: {}", broken.promise, broken.how);
    }
}

/// Takes steps and nodes away for as long as the same promise is broken.
fn shortest(mut plan: Plan, promise: &str) -> Plan {
    let began = Instant::now();
    'smaller: loop {
        for smaller in plan.smaller() {
            if began.elapsed() > TIME {
                return plan;
            }
            if smaller.size() < plan.size() && run(&smaller, false).broken.is_some_and(|it| it.promise == promise) {
                plan = smaller;
                continue 'smaller;
            }
        }
        return plan;
    }
}
