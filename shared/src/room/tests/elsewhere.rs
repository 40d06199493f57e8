//! A key that runs in two places.

use super::*;
use crate::room::{
    frame::{Body, Draft, sign},
    order::Came,
};

/// Whether somebody is told, when they get this, that their key runs elsewhere.
fn told(person: &mut Person, payload: &[u8], now: Now) -> bool {
    let mut out = Vec::new();
    person.room.merge(&[payload.to_vec()], PeerId::random(), |_| true, false, now, &mut out);
    out.iter().any(|output| matches!(output, RoomOutput::Emit(event) if **event == Event::RunsElsewhere))
}

#[test]
fn what_our_key_signs_elsewhere_while_we_run_is_told_and_earlier_lines_are_not() {
    let soon = later(now(), Duration::from_secs(60));
    let (mut here, mut there) = (Person::new(1), Person::new(1));
    there.say("before we came", 1, now());
    there.say("while we are here", 1, soon);
    let mut other = Person::new(2);
    other.say("somebody else's", 1, soon);
    assert!(!told(&mut here, &there.sent[0], soon), "a line of an earlier run");
    assert!(told(&mut here, &there.sent[1], soon));
    assert!(!told(&mut here, &there.sent[1], soon), "once for each line");
    assert!(!told(&mut here, &other.sent[0], soon));
    here.say("our own", 1, soon);
    let own = here.sent[0].clone();
    assert!(!told(&mut here, &own, soon), "our own comes back");
}

#[test]
fn lines_that_come_again_after_a_flood_are_neither_shown_nor_told() {
    let (mut ann, mut bob) = (Person::new(1), Person::new(2));
    let flooders: Vec<Keypair> = (0..30).map(|_| Keypair::generate_ed25519()).collect();
    let soon = later(now(), Duration::from_secs(60));
    ann.say("one", 1, soon);
    ann.say("two", 1, soon);
    let lines = ann.sent.clone();
    lines.iter().for_each(|line| _ = bob.hear(line, soon));
    assert_eq!(bob.texts(), ["one", "two"]);
    let body = Body::Message { nick: "n".into(), text: "a flood".into() };
    for number in 1..=9_000 {
        let sequence = soon.unix_ms + number;
        let draft = Draft { room: "lobby", sequence, previous: sequence - 1, time_ms: soon.unix_ms, body: &body };
        let frame = sign(&flooders[number as usize % flooders.len()], &draft).unwrap();
        for person in [&mut ann, &mut bob] {
            person.act(|room, _, out| room.take(frame.clone(), Came::Live, soon, out));
        }
    }
    for person in [&mut ann, &mut bob] {
        person.shown.clear();
        for line in &lines {
            assert!(!person.room.knows(line), "its name is forgotten");
            assert!(!told(person, line, soon));
            person.hear(line, soon);
        }
        assert!(person.texts().is_empty(), "{:?}", person.texts());
    }
}
