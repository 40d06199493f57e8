//! What a bridge brings, and what does not follow from it.

use super::*;

#[test]
fn a_forgotten_line_that_we_brought_is_no_predecessor_of_ours() {
    let (mut bridge, mut reader) = (Person::new(1), Person::new(2));
    let source = Keypair::ed25519_from_bytes([9; 32]).unwrap().public().to_peer_id();
    let line = Elsewhere { room: "lobby".into(), source, number: vec![1], text: "afar".into() };
    bridge.act(|room, me, out| room.bring(line, me, now(), out));
    let brought = bridge.sent[0].clone();
    let mut again = Person::new(1);
    assert_eq!(again.hear(&brought, now()), Verdict::Accept);
    again.say("first", 1, now());
    reader.hear(&brought, now());
    reader.hear(&again.sent[0], now());
    assert_eq!(frame::verify(&again.sent[0]).unwrap().previous, 0);
    assert_eq!(reader.texts(), ["afar", "first"]);
}
