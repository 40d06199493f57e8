use super::*;
use crate::config::MAX_TEXT_BYTES;

fn key() -> Keypair {
    Keypair::ed25519_from_bytes([7; 32]).unwrap()
}

fn hello() -> Frame {
    let body = Body::Message { nick: "ann".into(), text: "hello".into() };
    sign(
        &key(),
        &Draft { room: "lobby", sequence: 1_700_000_000_001, previous: 0, time_ms: 1_700_000_000_000, body: &body },
    )
    .unwrap()
}

#[test]
fn a_signed_frame_verifies_to_itself() {
    let frame = hello();
    assert_eq!(verify(&frame.bytes), Ok(frame));
}

#[test]
fn every_flipped_byte_is_noticed() {
    let frame = hello();
    for at in 0..frame.bytes.len() {
        let mut bytes = frame.bytes.clone();
        bytes[at] ^= 0x01;
        // A flip in the envelope's own framing may still decode; it then names the same signed part.
        if let Ok(other) = verify(&bytes) {
            assert_eq!(other.id, frame.id, "byte {at}");
        }
    }
    for end in 0..frame.bytes.len() {
        assert!(verify(&frame.bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn what_is_no_frame_is_told_apart() {
    assert_eq!(verify(b"hello"), Err(FrameError::NotAFrame));
    assert_eq!(verify(b""), Err(FrameError::NotAFrame));
    assert_eq!(verify(&[MARK, 9, 1, 2]), Err(FrameError::UnknownVersion));
    assert_eq!(verify(&[MARK, VERSION, 0xff]), Err(FrameError::Malformed));
    assert_eq!(verify(&[&[MARK, VERSION][..], &[0; MAX_FRAME_BYTES]].concat()), Err(FrameError::Malformed));
}

#[test]
fn text_above_the_limit_does_not_verify_even_when_signed() {
    let body = Body::Message { nick: String::new(), text: "x".repeat(MAX_TEXT_BYTES + 1) };
    let frame = sign(&key(), &Draft { room: "lobby", sequence: 1, previous: 0, time_ms: 1, body: &body }).unwrap();
    assert_eq!(verify(&frame.bytes), Err(FrameError::Malformed));
}

/// The vectors that `docs/wire.md` shows; other implementations check theirs against them.
#[test]
fn the_documents_vectors_hold() {
    let wire = include_str!("../../../docs/wire.md");
    let vector = |name: &str| {
        let line = wire.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).expect(name);
        line.trim_matches('`').to_owned()
    };
    let frame = hello();
    assert_eq!(vector("frame"), hex::encode(&frame.bytes));
    assert_eq!(vector("id"), frame.id.to_hex());
    assert_eq!(vector("author"), frame.author.to_string());
    let body = Body::Presence { nick: "ann".into(), status: "here".into(), relays: vec![] };
    let draft =
        Draft { room: "lobby", sequence: 1_700_000_000_002, previous: 0, time_ms: 1_700_000_000_000, body: &body };
    assert_eq!(vector("presence"), hex::encode(sign(&key(), &draft).unwrap().bytes));
    let body = Body::Bridged { source: vec![1; 4], number: vec![2, 3], text: "from afar".into() };
    let draft =
        Draft { room: "lobby", sequence: 1_700_000_000_003, previous: 0, time_ms: 1_700_000_000_000, body: &body };
    let bridged = sign(&key(), &draft).unwrap();
    assert_eq!(verify(&bridged.bytes).as_ref(), Ok(&bridged));
    assert_eq!(vector("bridged"), hex::encode(&bridged.bytes));
    assert_eq!(vector("origin"), bridged.origin().unwrap().to_hex());
}
