//! Lines go out no faster than they are taken, and are known to be taken by syncs alone.

use super::*;

/// Everything that lies between two lines that may be sent one after the other.
const PACE: Duration = Duration::from_millis(10);

fn say_many(person: &mut Person, count: usize, now: Now) -> usize {
    (0..count).filter(|n| matches!(person.say(&n.to_string(), 1, now), Said::Sent { .. })).count()
}

/// What was sent last is taken by somebody who has all of it.
fn take_all(person: &mut Person, now: Now) {
    person.act(|room, _, out| room.taken(|_| true, now, out));
}

#[test]
fn few_lines_are_on_their_way_at_once() {
    let start = now();
    let mut ann = Person::new(1);
    let sent = say_many(&mut ann, 300, start);
    assert!((32..=100).contains(&sent), "{sent}");
    assert_eq!(ann.room.waiting(), 300 - sent, "the others wait");
    assert_eq!(ann.room.untaken().len(), sent);
    assert_eq!(ann.asked, 1, "half of what may be on its way is: it is asked whether it was taken");
    let soon = later(start, Duration::from_millis(100));
    flush(&mut ann, soon);
    assert_eq!(ann.sent.len(), sent, "time alone frees nothing");
    take_all(&mut ann, soon);
    flush(&mut ann, soon);
    assert!(ann.sent.len() > sent, "what was taken makes room");
}

#[test]
fn a_long_line_counts_for_many_short_ones() {
    let start = now();
    let mut ann = Person::new(1);
    let long = "x".repeat(4000);
    let sent = (0..50).filter(|_| matches!(ann.say(&long, 1, start), Said::Sent { .. })).count();
    assert!((4..=10).contains(&sent), "{sent}");
}

#[test]
fn the_pace_holds_however_fast_lines_are_taken() {
    let start = now();
    let mut ann = Person::new(1);
    say_many(&mut ann, 500, start);
    let (mut time, end) = (start, later(start, Duration::from_secs(2)));
    while time.instant < end.instant {
        take_all(&mut ann, time);
        flush(&mut ann, time);
        let next = ann.room.deadline().map(|at| at.saturating_duration_since(time.instant)).filter(|by| !by.is_zero());
        time = later(time, next.unwrap_or(PACE).clamp(PACE, Duration::from_secs(1)));
    }
    assert!((290..=310).contains(&ann.sent.len()), "100 at once and 100 a second: {}", ann.sent.len());
}

#[test]
fn whoever_pipes_asks_until_all_is_taken() {
    let start = now();
    let mut ann = Person::new(1);
    ann.say("one", 1, start);
    assert_eq!(ann.asked, 0, "a person's line is not asked about");
    ann.act(|room, _, out| room.settle(start, out));
    assert_eq!(ann.asked, 1);
    let asked_again = ann.room.deadline().unwrap();
    let soon = later(start, asked_again.saturating_duration_since(start.instant));
    tick(&mut ann, soon);
    assert_eq!(ann.asked, 2, "asked again while nobody has it");
    let hour = later(start, Duration::from_secs(1800));
    tick(&mut ann, hour);
    assert_eq!(ann.room.untaken().len(), 1, "not given up");
    assert!(!ann.room.is_settled());
    take_all(&mut ann, hour);
    assert!(ann.room.is_settled());
}

#[test]
fn nobody_who_types_is_held_back_for_long() {
    let start = now();
    let mut ann = Person::new(1);
    say_many(&mut ann, 200, start);
    let (before, minute) = (ann.sent.len(), later(start, Duration::from_secs(60)));
    tick(&mut ann, minute);
    flush(&mut ann, minute);
    assert!(ann.sent.len() > before);
}

#[test]
fn where_nobody_can_tell_lines_count_as_taken_after_a_while() {
    let start = now();
    let mut ann = Person::new(1);
    let reach = Reach { members: 1, receipts: false };
    ann.act(|room, me, out| room.say("one".into(), reach, me, start, out)).unwrap();
    ann.act(|room, _, out| room.settle(start, out));
    assert_eq!((ann.asked, ann.room.is_settled()), (0, false));
    tick(&mut ann, later(start, Duration::from_secs(3)));
    assert!(ann.room.is_settled());
}

#[test]
fn gossip_is_given_time_before_a_line_is_sent_twice() {
    let start = now();
    let (mut ann, bob) = (Person::new(1), Person::new(2));
    ann.say("one", 1, start);
    let want = sync::answer(bob.room.ring(), &sync::prefixes(&ann.room.question().have), true).want;
    let given = |ann: &Person, receipt: bool, now: Now| {
        ann.room.give(&want, receipt, now).map_or(0, |question| question.give.len())
    };
    assert_eq!(given(&ann, false, start), 1, "who asks what is lacking gives all");
    assert_eq!(given(&ann, true, start), 0);
    assert_eq!(given(&ann, true, later(start, Duration::from_secs(5))), 1);
}

fn tick(person: &mut Person, now: Now) {
    person.act(|room, _, out| room.tick(now, out));
}

fn flush(person: &mut Person, now: Now) {
    person.act(|room, me, out| room.flush(reaches(1), me, now, out));
}
