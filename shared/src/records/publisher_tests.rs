use super::*;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn origin() -> Instant {
    Instant::now()
}

fn item(n: u8) -> Item {
    Item::Record(vec![n])
}

#[test]
fn nothing_is_published_until_a_peer_comes_that_keeps_records() {
    let (mut publisher, now) = (Publisher::default(), origin());
    publisher.add(item(1), now);
    assert_eq!((publisher.next(now + DAY), publisher.deadline()), (None, None));
    publisher.keeper_up(PeerId::random(), now + DAY);
    assert_eq!(publisher.next(now + DAY), None, "others may come, too");
    assert_eq!(publisher.deadline(), Some(now + DAY + SETTLE));
    assert_eq!(publisher.next(now + DAY + SETTLE), Some(item(1)));
}

#[test]
fn a_few_at_a_time() {
    let (mut publisher, now) = (Publisher::default(), origin());
    publisher.keeper_up(PeerId::random(), now - SECOND);
    (0..10).for_each(|n| publisher.add(item(n), now));
    assert!((0..MAX_LOOKS).all(|_| publisher.next(now).is_some()));
    assert_eq!((publisher.next(now), publisher.deadline()), (None, None));
    publisher.look_ended();
    assert!(publisher.next(now).is_some());
}

#[test]
fn a_peer_that_comes_and_goes_causes_a_look_now_and_then() {
    let (mut publisher, mut now) = (Publisher::default(), origin());
    let (peer, mut looks, began) = (PeerId::random(), 0, now);
    publisher.add(item(1), now);
    while now < began + 10 * MAX_LOOK_PAUSE {
        publisher.keeper_up(peer, now);
        now += SECOND;
        if let Some(item) = publisher.next(now) {
            looks += 1;
            publisher.look_ended();
            publisher.succeeded(item, DAY, now);
        }
        publisher.keeper_down(&peer);
    }
    assert!((9..=16).contains(&looks), "{looks}");
    now += 2 * MAX_LOOK_PAUSE;
    publisher.keeper_up(peer, now);
    now += SECOND;
    let item = publisher.next(now).unwrap();
    publisher.look_ended();
    publisher.succeeded(item, DAY, now);
    publisher.keeper_up(PeerId::random(), now);
    assert_eq!(publisher.deadline(), Some(now + LOOK_PAUSE), "after a calm time it is soon again");
}

#[test]
fn what_nobody_takes_is_tried_again_more_and_more_seldom_and_soon_when_somebody_comes() {
    let (mut publisher, mut now) = (Publisher::default(), origin());
    publisher.keeper_up(PeerId::random(), now);
    publisher.add(item(1), now);
    let mut waits = Vec::new();
    for _ in 0..10 {
        let due = publisher.deadline().unwrap();
        waits.push(due - now);
        now = due;
        let item = publisher.next(now).unwrap();
        publisher.look_ended();
        publisher.failed(item, now);
    }
    assert!(waits.is_sorted() && waits[1] == TRY_WAIT && waits[9] == MAX_TRY_WAIT, "{waits:?}");
    publisher.keeper_up(PeerId::random(), now + SECOND);
    assert_eq!(publisher.deadline(), Some(now + LOOK_PAUSE));
}

#[test]
fn a_caller_goes_first_and_what_came_of_nothing_is_tried_again() {
    let (mut publisher, now) = (Publisher::default(), origin());
    publisher.keeper_up(PeerId::random(), now - SECOND);
    publisher.add(item(1), now);
    publisher.caller_publishes(item(1), now);
    assert_eq!((publisher.next(now), publisher.deadline()), (None, Some(now + CALLER_WAIT)));
    publisher.succeeded(item(1), DAY, now);
    assert_eq!(publisher.deadline(), Some(now + DAY));
}

#[test]
fn in_a_crowd_a_newcomer_causes_nothing() {
    let (mut publisher, now) = (Publisher::default(), origin());
    publisher.add(item(1), now);
    (0..ENOUGH_PEERS).for_each(|_| publisher.keeper_up(PeerId::random(), now));
    let item = publisher.next(now + SETTLE).unwrap();
    publisher.succeeded(item, DAY, now + SETTLE);
    publisher.keeper_up(PeerId::random(), now + MAX_LOOK_PAUSE);
    assert_eq!(publisher.deadline(), Some(now + DAY + SETTLE));
}

#[test]
fn who_comes_during_a_look_causes_the_next_one() {
    let (mut publisher, now) = (Publisher::default(), origin());
    publisher.add(item(1), now);
    publisher.keeper_up(PeerId::random(), now - SECOND);
    let item = publisher.next(now).unwrap();
    publisher.keeper_up(PeerId::random(), now);
    publisher.look_ended();
    publisher.succeeded(item, DAY, now);
    assert_eq!(publisher.deadline(), Some(now + LOOK_PAUSE));
    let item = publisher.next(now + LOOK_PAUSE).unwrap();
    publisher.keeper_up(PeerId::random(), now + LOOK_PAUSE);
    publisher.look_ended();
    publisher.failed(item, now + LOOK_PAUSE);
    assert_eq!(publisher.deadline(), Some(now + 2 * LOOK_PAUSE), "also when nobody took it");
}
