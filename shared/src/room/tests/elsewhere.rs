//! A key that runs in two places.

use super::*;

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
