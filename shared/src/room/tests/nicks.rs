//! What a nick is learnt from, and what outlasts it.

use super::*;

#[test]
fn a_nick_from_a_clock_far_ahead_gives_way_to_the_next_one_though_that_clock_is_a_little_behind() {
    let (author, mut reader) = (Keypair::ed25519_from_bytes([1; 32]).unwrap(), Person::new(2));
    let id = author.public().to_peer_id();
    let presence = |nick: &str, sequence: u64, time_ms: u64| {
        let body = frame::Body::Presence { nick: nick.into(), status: "here".into(), relays: vec![] };
        let draft = frame::Draft { room: "lobby", sequence, previous: 0, time_ms, body: &body };
        frame::sign(&author, &draft).unwrap().bytes
    };
    let now = now();
    let merge = |reader: &mut Person, frame: Vec<u8>| {
        reader.act(|room, _, out| drop(room.merge(&[frame], id, |_| true, false, now, out)));
    };
    const DAY_MS: u64 = 86_400_000;
    merge(&mut reader, presence("before", 1, now.unix_ms + DAY_MS));
    assert_eq!(reader.room.nick(&id), Some("before"));
    merge(&mut reader, presence("after", 2, now.unix_ms - 1_000));
    assert_eq!(reader.room.nick(&id), Some("after"));
}
