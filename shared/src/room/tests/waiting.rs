//! A line that waited is said once, whatever the storage lost.

use super::*;

/// Somebody whose last run left this.
fn restarted(seed: u8, stored: &crate::Saved, now: Now) -> Person {
    let keypair = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
    let room = Room::new("lobby", keypair.public().to_peer_id(), &limits());
    let mut person = Person {
        keypair,
        room,
        shown: Vec::new(),
        sent: Vec::new(),
        stored: stored.clone(),
        waited: Vec::new(),
        asked: 0,
    };
    let saved = load(stored).remove("lobby").unwrap();
    person.act(|room, _, out| room.join(false, saved, &limits(), now, out));
    person
}

/// Two lines wait: what is stored then, and whoever said them.
fn two_wait() -> (Person, crate::Saved) {
    let mut ann = Person::new(1);
    ann.say("one", 0, now());
    ann.say("two", 0, now());
    let stored = ann.stored.clone();
    (ann, stored)
}

fn flush(person: &mut Person, now: Now) {
    person.act(|room, me, out| room.flush(reaches(1), me, now, out));
}

fn flush_unchecked(person: &mut Person, now: Now) {
    person.act(|room, _, _| room.rechecked());
    flush(person, now);
}

#[test]
fn a_line_sent_by_two_runs_is_shown_once_and_forwarded_once() {
    let (mut ann, stored) = two_wait();
    flush(&mut ann, now());
    // Neither the removal nor the sent frame reached the storage.
    let hours_later = later(now(), Duration::from_secs(3 * 3600));
    let mut again = restarted(1, &stored, hours_later);
    flush_unchecked(&mut again, hours_later);
    assert_eq!(again.texts(), ["one", "two"]);
    let mut bob = Person::new(2);
    for payload in &ann.sent {
        assert_eq!(bob.hear(payload, now()), Verdict::Accept);
    }
    for payload in &again.sent {
        assert!(!ann.sent.contains(payload), "signed anew, as the hour is over");
        assert_eq!(bob.hear(payload, hours_later), Verdict::Ignore);
        assert!(frame::verify(payload).is_ok());
    }
    again.say("three", 1, hours_later);
    assert_eq!(bob.hear(&again.sent[2], hours_later), Verdict::Accept);
    assert_eq!(bob.texts(), ["one", "two", "three"]);

    // By sync just the same, in one answer or in two, and over the receiver's own restart.
    let twice: Vec<_> = ann.sent.iter().chain(&again.sent).cloned().collect();
    let soon = later(now(), Duration::from_secs(1));
    let mut cleo = Person::new(3);
    cleo.act(|room, _, out| room.merge(&ann.sent, PeerId::random(), |_| true, false, soon, out));
    let mut cleo = restarted(3, &cleo.stored, soon);
    let mut near = restarted(1, &stored, soon);
    flush_unchecked(&mut near, soon);
    let merged = cleo.act(|room, _, out| room.merge(&near.sent, PeerId::random(), |_| true, false, soon, out));
    assert!(merged.new.is_empty() && cleo.shown.is_empty(), "shown before the restart: {:?}", cleo.shown);
    let mut dan = Person::new(4);
    dan.act(|room, _, out| room.merge(&twice, PeerId::random(), |_| true, false, soon, out));
    assert_eq!(dan.texts(), ["one", "two"]);
}

#[test]
fn lines_of_an_earlier_run_are_held_until_a_sync_and_not_sent_if_it_brings_them() {
    let (mut ann, stored) = two_wait();
    flush(&mut ann, now());
    let mut bob = Person::new(2);
    bob.hear(&ann.sent[0], now());
    let mut again = restarted(1, &stored, now());
    flush(&mut again, now());
    assert!(again.sent.is_empty() && again.room.deadline().is_some(), "held for a while");
    let answer = sync::answer(bob.room.ring(), &sync::prefixes(&[]), true);
    again.act(|room, _, out| room.merge(&answer.frames, PeerId::random(), |_| true, false, now(), out));
    assert_eq!((again.texts(), again.room.waiting()), (vec!["one"], 1), "sent, as bob has it");
    assert!(again.waited[0].starts_with('w'), "its waiting line is named, so that a screen does not show both");
    flush_unchecked(&mut again, now());
    assert_eq!((again.texts(), again.sent.len()), (vec!["one", "two"], 1));
    bob.hear(&again.sent[0], now());
    assert_eq!(bob.texts(), ["one", "two"]);
    assert!(!again.stored.keys().any(|key| key.starts_with("waiting/")));
}

#[test]
fn without_a_sync_they_are_sent_in_the_end() {
    let (_, stored) = two_wait();
    let mut again = restarted(1, &stored, now());
    flush(&mut again, now());
    let due = again.room.deadline().unwrap();
    let due = Now { instant: due, ..now() };
    again.act(|room, _, out| room.tick(due, out));
    assert_eq!(again.room.deadline(), None);
    flush(&mut again, due);
    assert_eq!(again.texts(), ["one", "two"]);
}

#[test]
fn a_removal_that_was_lost_is_made_up_when_the_sent_frame_was_stored() {
    let (mut ann, waiting) = two_wait();
    flush(&mut ann, now());
    let mut stored = ann.stored.clone();
    stored.extend(waiting);
    let again = restarted(1, &stored, now());
    assert_eq!(again.room.waiting(), 0);
    assert!(!again.stored.keys().any(|key| key.starts_with("waiting/")), "{:?}", again.stored.keys());
}

#[test]
fn a_number_given_twice_hides_no_other_line() {
    let (mut ann, mut bob) = (Person::new(1), Person::new(2));
    // Nothing was stored, and the clock was set back.
    let mut again = Person::new(1);
    ann.say("before", 1, now());
    again.say("after", 1, now());
    for payload in [&ann.sent[0], &again.sent[0]] {
        assert_eq!(bob.hear(payload, now()), Verdict::Accept);
    }
    assert_eq!(bob.texts(), ["before", "after"]);
}

#[test]
fn lines_stored_without_a_number_get_one_and_keep_it() {
    let mut ann = Person::new(1);
    ann.say("said", 1, now());
    ann.say("one", 0, now());
    ann.say("two", 0, now());
    let mut old = crate::Saved::new();
    for (key, value) in ann.stored {
        // Fields 3 and 4 are the last ones: without them it is as older versions wrote it.
        let kept = if key.starts_with("waiting/") { value.len() - 14 } else { value.len() };
        old.insert(key, value[..kept].to_vec());
    }
    assert!(load(&old).remove("lobby").unwrap().waiting.iter().all(|line| line.sequence == 0 && line.time_ms > 0));
    let mut first = restarted(1, &old, now());
    let mut second = restarted(1, &first.stored, now());
    for person in [&mut first, &mut second] {
        flush_unchecked(person, now());
    }
    assert_eq!(first.sent, second.sent);
    let numbers: Vec<_> = first.sent.iter().map(|payload| frame::verify(payload).unwrap()).collect();
    assert!(numbers[0].sequence > 0 && numbers[1].previous == numbers[0].sequence);
}
