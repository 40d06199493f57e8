use super::{
    Outcome,
    plan::{Lie, Member, Plan, Step},
    run,
};

const ROOM: &str = "lobby";
const SECOND: u64 = 1000;

fn hub(bootstrap: &[usize]) -> Member {
    Member { is_hub: true, bootstrap: bootstrap.to_vec(), ..Member::default() }
}

fn person(hub: usize) -> Member {
    Member { is_hub: false, bootstrap: vec![hub], rooms: vec![ROOM], ..Member::default() }
}

fn says(node: usize) -> Step {
    Step::Say { node, room: ROOM, lines: 1 }
}

fn plan(members: Vec<Member>, steps: Vec<(u64, Step)>) -> Plan {
    let healed_ms = steps.last().map_or(0, |(at, _)| *at) + SECOND;
    super::scenarios_order::plan(1, members, steps, healed_ms)
}

fn holds(plan: &Plan) {
    let Outcome { broken, trace, .. } = run(plan, true);
    assert!(broken.is_none(), "{broken:?}\n{trace}");
}

#[test]
fn nobody_is_a_member_because_a_false_hub_says_so() {
    let liar = |dials: usize| Member::false_hub(vec![dials]);
    // It dials the hub of all, which passes on what it believes; or a person alone.
    for dials in [0, 1] {
        let members = vec![hub(&[]), person(0), person(0), liar(dials)];
        assert!(members[3].lie == Some(Lie::FalseHub));
        holds(&plan(members, vec![(5 * SECOND, says(1)), (6 * SECOND, Step::Nick { node: 2 })]));
    }
}

#[test]
fn a_line_waits_although_a_false_hub_says_that_somebody_is_there() {
    let mut members = vec![hub(&[]), person(0), Member::false_hub(vec![0])];
    members.push(Member { rooms: Vec::new(), ..person(0) });
    // What is said while nobody is there is forgotten by the hub before the other comes, an hour later.
    let steps = vec![(5 * SECOND, says(1)), (4000 * SECOND, Step::Join { node: 3, room: ROOM })];
    holds(&plan(members, steps));
}

#[test]
fn members_of_a_hub_that_was_named_by_one_side_count_on_both() {
    let members = vec![hub(&[]), hub(&[0]), person(0), person(1)];
    holds(&plan(members, vec![(5 * SECOND, says(2)), (5 * SECOND, says(3))]));
}

#[test]
fn lines_of_a_later_version_are_no_offence_and_are_not_handed_over_for_ever() {
    let newer = Member { lie: Some(Lie::Newer), ..person(0) };
    // Over a hub, and dialled by the other: who dials asks.
    let members = vec![hub(&[]), person(0), newer, Member { bootstrap: vec![0, 2], ..person(0) }];
    let mut steps = Vec::new();
    for second in 5..20 {
        steps.push((second * SECOND, says(2)));
        // A new connection is a new sync.
        steps.push((second * SECOND + SECOND / 2, Step::Cut { one: 0, other: 2 }));
        steps.push((second * SECOND + SECOND / 2, Step::Cut { one: 3, other: 2 }));
    }
    steps.push((30 * SECOND, says(1)));
    holds(&plan(members, steps));
}

#[test]
fn who_is_denied_is_not_heard_through_others() {
    let denies = Member { denies: vec![2], ..person(0) };
    let mut steps = vec![(5 * SECOND, says(2)), (6 * SECOND, says(3)), (7 * SECOND, says(1))];
    for second in 8..14 {
        steps.push((second * SECOND, Step::Cut { one: 0, other: 1 }));
        steps.push((second * SECOND + SECOND / 2, says(2)));
    }
    holds(&plan(vec![hub(&[]), denies, person(0), person(0)], steps));
}

#[test]
fn who_says_more_than_a_log_keeps_does_not_erase_what_others_said() {
    let floods = Member { lie: Some(Lie::Floods), ..person(0) };
    let late = Member { rooms: Vec::new(), ..person(0) };
    let steps = vec![
        (5 * SECOND, Step::Say { node: 1, room: ROOM, lines: 3 }),
        (10 * SECOND, Step::Say { node: 2, room: ROOM, lines: 300 }),
        (60 * SECOND, Step::Join { node: 3, room: ROOM }),
    ];
    holds(&plan(vec![hub(&[]), person(0), floods, late], steps));
}

const HOUR: i64 = 3_600_000;

fn wrong_clock(node: usize, hours: i64) -> Step {
    Step::Clock { node, off_ms: hours * HOUR, for_ms: 60 * SECOND }
}

#[test]
fn what_is_said_with_a_wrong_clock_waits_until_it_is_right() {
    for hours in [-2, 2, 48] {
        let members = vec![hub(&[]), person(0), person(0)];
        // The clock jumps while it runs, and a line is said at once; or it is wrong from the start of a run.
        let steps = vec![
            (5 * SECOND, says(1)),
            (5 * SECOND, says(2)),
            (10 * SECOND, wrong_clock(1, hours)),
            (10 * SECOND, says(1)),
            (15 * SECOND, says(2)),
            (20 * SECOND, Step::Crash { node: 1, back_after: 50, forgets: false }),
            (30 * SECOND, says(1)),
            (80 * SECOND, says(1)),
        ];
        holds(&plan(members, steps));
    }
}

#[test]
fn when_a_hubs_clock_is_wrong_lines_wait_until_it_is_right() {
    let members = vec![hub(&[]), person(0), person(0)];
    let steps =
        vec![(5 * SECOND, wrong_clock(0, 2)), (25 * SECOND, says(1)), (40 * SECOND, says(2)), (80 * SECOND, says(1))];
    holds(&plan(members, steps));
}

#[test]
fn a_clock_that_jumps_ahead_takes_nothing_from_what_is_kept() {
    // Nobody tells the hub what time it is: it keeps what it has by the other clock.
    let mut members = vec![hub(&[]), person(0), person(0)];
    members.push(Member { rooms: Vec::new(), ..person(0) });
    let steps = vec![
        (5 * SECOND, says(1)),
        (6 * SECOND, Step::Leave { node: 2, room: ROOM }),
        (10 * SECOND, wrong_clock(0, 2)),
        (10 * SECOND, wrong_clock(1, 2)),
        (80 * SECOND, Step::Join { node: 3, room: ROOM }),
    ];
    holds(&plan(members, steps));
}
