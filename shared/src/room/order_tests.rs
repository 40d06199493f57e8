use libp2p::identity::Keypair;

use super::{
    super::frame::{Body, Draft, sign},
    *,
};

fn line(sequence: u64, previous: u64) -> Frame {
    line_of(1, sequence, previous)
}

fn line_of(author: u8, sequence: u64, previous: u64) -> Frame {
    let key = Keypair::ed25519_from_bytes([author; 32]).unwrap();
    let body = Body::Message { nick: "a".into(), text: "x".into() };
    sign(&key, &Draft { room: "r", sequence, previous, time_ms: sequence, body: &body }).unwrap()
}

/// What is shown when no sync is under way any more.
fn settled(order: &mut Order) -> Vec<Frame> {
    order.set_syncing(false);
    order.show_synced(|_| false)
}

fn numbers(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.sequence).collect()
}

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn start() -> Instant {
    Instant::now()
}

#[test]
fn a_gap_is_waited_for_and_filled() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    assert_eq!(numbers(&order.push(line(1, 0), Came::Live, now)), [1]);
    assert_eq!(numbers(&order.push(line(3, 2), Came::Live, now)), [0u64; 0]);
    assert_eq!(numbers(&order.push(line(2, 1), Came::Live, now)), [2, 3]);
}

#[test]
fn a_jump_that_names_its_predecessor_is_no_gap() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    order.push(line(1, 0), Came::Live, now);
    assert_eq!(numbers(&order.push(line(1000, 1), Came::Live, now)), [1000]);
}

#[test]
fn what_never_comes_is_given_up_after_the_hold() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    order.push(line(1, 0), Came::Live, now);
    order.push(line(3, 2), Came::Live, now);
    assert_eq!(order.deadline(), Some(now + Duration::from_secs(2)));
    assert!(order.tick(now + Duration::from_millis(1999)).is_empty());
    assert_eq!(numbers(&order.tick(now + Duration::from_secs(2))), [3]);
    assert_eq!(numbers(&order.push(line(2, 1), Came::Live, now)), [2], "late is better than never");
}

#[test]
fn a_later_deadline_never_hides_an_earlier_one() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    order.push(line(1, 0), Came::Live, now);
    order.push(line(9, 8), Came::Live, now);
    order.push(line(7, 6), Came::Live, now + Duration::from_secs(1));
    assert_eq!(numbers(&order.tick(now + Duration::from_secs(2))), [7, 9]);
    assert_eq!(order.deadline(), None);
}

#[test]
fn a_stranger_who_spoke_long_ago_is_not_waited_for() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    assert_eq!(numbers(&order.push(line(LONGEST_GAP + 6, 5), Came::Live, now)), [LONGEST_GAP + 6]);
}

#[test]
fn two_lines_of_one_number_are_both_shown() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    order.push(line(1, 0), Came::Live, now);
    let mut twin = line(3, 2);
    twin.time_ms += 1;
    let mut shown = order.push(line(3, 2), Came::Live, now);
    shown.extend(order.push(twin, Came::Live, now));
    shown.extend(order.tick(now + Duration::from_secs(2)));
    assert_eq!(numbers(&shown), [3, 3]);
    assert_eq!(order.held, 0);
}

#[test]
fn who_leaves_out_many_lines_ends_the_hold_for_nobody_else() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    for n in 1..=MAX_HELD as u64 {
        assert!(order.push(line_of(2, 2 * n + 1, 2 * n), Came::Live, now).is_empty());
    }
    order.push(line(1, 0), Came::Live, now);
    let mut shown = order.push(line(3, 2), Came::Live, now);
    shown.extend(order.push(line(2, 1), Came::Live, now));
    let author = line(1, 0).author;
    shown.retain(|frame| frame.author == author);
    assert_eq!(numbers(&shown), [2, 3]);
    assert!(order.held <= MAX_HELD);
}

#[test]
fn a_crowd_of_newcomers_makes_the_room_forget_who_spoke_longest_ago() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    let mut crowd = |from: u64, count: usize| {
        for n in 0..count as u64 {
            let mut line = line(from + n, 0);
            line.author = PeerId::random();
            order.push(line, Came::Live, now);
        }
    };
    crowd(1, MAX_AUTHORS - 1);
    crowd(MAX_AUTHORS as u64, 1);
    let (mut first, second) = (line(90_001, 0), line(90_003, 90_002));
    first.author = second.author;
    order.push(first, Came::Live, now);
    for n in 0..100 {
        let mut line = line(80_000 + n, 0);
        line.author = PeerId::random();
        order.push(line, Came::Live, now);
    }
    assert!(order.authors.len() <= MAX_AUTHORS);
    assert_eq!(order.authors[&second.author].last, 90_001, "it spoke just now");
    assert!(order.push(second, Came::Live, now).is_empty(), "and its next line but one waits");
}

#[test]
fn the_last_sync_settles_what_it_brought_of_strangers() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    order.set_syncing(true);
    assert!(order.push(line(5, 4), Came::Synced, now).is_empty());
    assert!(order.push(line(9, 8), Came::Live, now).is_empty());
    assert!(order.show_synced(|_| false).is_empty(), "another answer may bring what is before it");
    assert_eq!(numbers(&settled(&mut order)), [5], "what was said just now may be asked for");
    assert!(order.push(line(7, 6), Came::Synced, now).is_empty());
    assert!(order.show_synced(|_| false).is_empty(), "this author is no stranger any more");
}

#[test]
fn a_gap_in_what_a_sync_brought_of_a_stranger_is_waited_for() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    order.set_syncing(true);
    for frame in [line(5, 4), line(6, 5), line(8, 7)] {
        order.push(frame, Came::Synced, now);
    }
    assert_eq!(numbers(&settled(&mut order)), [5, 6]);
    assert_eq!(numbers(&order.push(line(7, 6), Came::Synced, now)), [7, 8]);
}

#[test]
fn a_live_line_of_a_stranger_waits_whatever_a_sync_brings_after_it() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    order.push(line(5, 4), Came::Live, now);
    order.push(line(6, 5), Came::Synced, now);
    assert!(order.show_synced(|_| false).is_empty());
    assert_eq!(numbers(&order.tick(now + Duration::from_secs(2))), [5, 6]);
}

#[test]
fn a_strangers_first_line_waits_for_the_one_before_it_that_should_come() {
    let (mut order, now) = (Order::new(Duration::from_secs(2)), start());
    order.push(line(5, 4), Came::Synced, now);
    assert!(order.show_synced(|frame| frame.previous == 4).is_empty());
    assert_eq!(numbers(&order.push(line(4, 3), Came::Synced, now)), [] as [u64; 0]);
    assert_eq!(numbers(&order.show_synced(|frame| frame.previous == 4)), [4, 5]);
}
