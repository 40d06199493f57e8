//! Plans written by hand: lines that do not come, or come in another order.

use super::{
    Broken, keypair,
    plan::{Member, Plan, Step},
    run,
};

const ROOM: &str = "lobby";

pub(super) fn member(bootstrap: &[usize]) -> Member {
    Member { bootstrap: bootstrap.to_vec(), rooms: vec![ROOM], ..Member::default() }
}

pub(super) fn hub(bootstrap: &[usize]) -> Member {
    Member { is_hub: true, bootstrap: bootstrap.to_vec(), ..Member::default() }
}

pub(super) fn plan(seed: u64, members: Vec<Member>, steps: Vec<(u64, Step)>, healed_ms: u64) -> Plan {
    Plan {
        seed,
        members,
        latency_ms: 20,
        loss: 0.0,
        queue: 1000,
        tight: false,
        direct: false,
        write_ms: 5,
        steps,
        healed_ms,
    }
}

fn say(node: usize) -> Step {
    Step::Say { node, room: ROOM, lines: 1 }
}

fn broken(plan: &Plan) -> Option<Broken> {
    let outcome = run(plan, true);
    if outcome.broken.is_some() {
        println!("{}", outcome.trace);
    }
    outcome.broken
}

/// For a network in which nobody knows all members.
fn assert_all_told(plan: &Plan) {
    if let Some(broken) = broken(plan) {
        assert_eq!(broken.promise, "members and counts agree", "{}", broken.how);
    }
}

/// The reader is connected to four others; only the last of them, whom it would ask after all others, has the line.
#[test]
fn who_handed_over_the_later_line_is_asked_for_the_one_before_it() {
    let is_last = |seed: &u64| {
        let peer = |node| keypair(*seed, node).public().to_peer_id();
        (1..4).all(|node| peer(node) < peer(4))
    };
    let seed = (0..).find(is_last).unwrap();
    let members = vec![member(&[1, 2, 3, 4]), member(&[]), member(&[]), member(&[]), member(&[]), member(&[4])];
    let steps = vec![(5000, Step::Lose { from: 4, to: 0, for_ms: 500 }), (5100, say(5)), (6000, say(5))];
    assert_all_told(&plan(seed, members, steps, 7000));
}

/// What a hub lacks, everybody lacks who is connected to it alone.
#[test]
fn a_hub_asks_for_what_another_hub_did_not_pass_on() {
    let members = vec![hub(&[]), hub(&[0]), member(&[0]), member(&[1])];
    let steps =
        vec![(5000, say(2)), (6000, Step::Lose { from: 0, to: 1, for_ms: 500 }), (6100, say(2)), (7000, say(2))];
    for seed in 0..8 {
        assert_eq!(broken(&plan(seed, members.clone(), steps.clone(), 8000)), None, "seed {seed}");
    }
}

/// Each in a row knows its neighbours alone; who hands over the later line gets the one before it some seconds later.
#[test]
fn who_is_asked_in_vain_is_asked_again() {
    let members = vec![member(&[]), member(&[0]), member(&[1]), member(&[2])];
    let steps = vec![
        (5000, Step::Lose { from: 0, to: 1, for_ms: 500 }),
        (5100, say(0)),
        (6000, say(0)),
        (6200, Step::Freeze { node: 0, for_ms: 4000 }),
    ];
    for seed in 0..8 {
        assert_all_told(&plan(seed, members.clone(), steps.clone(), 11_000));
    }
}

/// What is lost soon after a burst of losses is made up for as soon as what is lost at any other time.
#[test]
fn after_many_losses_the_next_ones_are_made_up_for_in_time() {
    let members = vec![hub(&[]), member(&[0]), member(&[0])];
    let mut steps = vec![(5000, Step::Say { node: 1, room: ROOM, lines: 60 })];
    steps.extend((7..26).map(|second| (second * 1000, say(1))));
    for seed in 0..16 {
        let plan = Plan { loss: 0.3, ..plan(seed, members.clone(), steps.clone(), 25_000) };
        assert_eq!(broken(&plan), None, "seed {seed}");
    }
}
