//! Plans written by hand: whom nodes are connected to, and how often.

use super::{
    Outcome,
    plan::{Member, Plan, Step},
    run,
    scenarios_order::{hub, member, plan},
};

fn say(node: usize) -> Step {
    Step::Say { node, room: "lobby", lines: 1 }
}

fn holds(plan: &Plan) -> Outcome {
    let outcome = run(plan, true);
    assert_eq!(outcome.broken, None, "{}", outcome.trace);
    outcome
}

#[test]
fn two_addresses_of_one_hub_make_one_connection_that_stays() {
    let both = Member { nameless: true, ..member(&[0]) };
    let steps = vec![(10_000, Step::Name { node: 2, to: 0 }), (20_000, say(1)), (21_000, say(2))];
    for seed in 0..8 {
        let outcome = holds(&plan(seed, vec![hub(&[]), both.clone(), member(&[0])], steps.clone(), 30_000));
        assert!(outcome.lost[1] <= 1 && outcome.lost[2] <= 1, "{}", outcome.trace);
    }
}

#[test]
fn all_addresses_of_a_hub_are_tried_when_it_is_lost() {
    let steps = vec![
        (10_000, Step::Name { node: 1, to: 0 }),
        (20_000, Step::Crash { node: 0, back_after: 2_000, forgets: true }),
        (40_000, say(1)),
    ];
    for seed in 0..8 {
        holds(&plan(seed, vec![hub(&[]), member(&[0]), member(&[0])], steps.clone(), 41_000));
    }
}

#[test]
fn of_two_programs_with_one_key_the_older_stays_and_the_later_is_told_once() {
    let twin = Member { twin_of: Some(1), starts_ms: 10_000, ..member(&[0]) };
    let members = vec![hub(&[]), member(&[0]), member(&[0]), twin];
    let steps = vec![(50_000, say(2)), (60_000, say(2))];
    for seed in 0..8 {
        let outcome = holds(&plan(seed, members.clone(), steps.clone(), 90_000));
        assert_eq!(outcome.lost[1], 0, "{}", outcome.trace);
        assert!(outcome.lost[3] <= 3, "{}", outcome.trace);
        let reasons = &outcome.refused[3];
        assert!(reasons.len() == 1 && reasons[0].starts_with("the same key runs twice"), "{reasons:?}");
    }
}

#[test]
fn the_later_program_takes_over_when_the_other_has_ended_and_its_person_wants_it() {
    let twin = Member { twin_of: Some(1), starts_ms: 10_000, ..member(&[0]) };
    let members = vec![hub(&[]), member(&[0]), member(&[0]), twin];
    let steps = vec![
        (50_000, Step::Crash { node: 1, back_after: 900_000, forgets: false }),
        (75_000, Step::Retry { node: 3 }),
        (80_000, Step::Say { node: 3, room: "lobby", lines: 1 }),
    ];
    for seed in 0..8 {
        let outcome = run(&plan(seed, members.clone(), steps.clone(), 90_000), true);
        let shown = outcome.trace.contains("n2 shows \"n3.1\"");
        assert!(shown, "{}", outcome.trace);
    }
}

/// Its old connection still answers for a moment.
#[test]
fn who_reloads_is_no_second_program() {
    let members = vec![hub(&[]), member(&[0]), member(&[0])];
    let reloads = (0..9).map(|n| (10_000 + n * 2_000, Step::Crash { node: 1, back_after: 40, forgets: false }));
    let steps: Vec<_> = reloads.chain([(35_000, say(1)), (36_000, say(2))]).collect();
    for seed in 0..8 {
        holds(&plan(seed, members.clone(), steps.clone(), 40_000));
    }
}

/// While the network is away everybody is forgotten by discovery, which will ask again only long after it is back.
#[test]
fn who_met_on_a_local_network_meets_again_when_it_is_back() {
    let local = Member { local: true, ..member(&[]) };
    let steps = vec![
        (5_000, say(0)),
        (20_000, Step::Partition { apart: vec![0], for_ms: 190_000 }),
        (205_000, say(0)),
        (211_000, say(1)),
    ];
    for seed in 0..8 {
        holds(&plan(seed, vec![local.clone(); 3], steps.clone(), 212_000));
    }
}
