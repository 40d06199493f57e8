//! A payload on a room's topic.

use super::{ROOM, TIME_MS, key};
use crate::{
    config::{MAX_FRAME_BYTES, MAX_TEXT_BYTES},
    room::frame::{Body, Draft, MARK, VERSION, name_of, sign, verify},
};

/// Whatever verifies is within its bounds and verifies to itself; whatever we sign within bounds verifies.
pub fn run(bytes: &[u8]) {
    if let Ok(frame) = verify(bytes) {
        assert!(bytes.len() <= MAX_FRAME_BYTES && frame.bytes == bytes);
        assert_eq!(name_of(bytes), Some(frame.id));
        if let Body::Message { text, .. } | Body::Bridged { text, .. } = &frame.body {
            assert!((1..=MAX_TEXT_BYTES).contains(&text.len()));
        }
    }
    // As if there were no checksum in the way: the bytes become what is signed.
    let text = String::from_utf8_lossy(bytes).into_owned();
    let sizes = [text.len(), bytes.len()];
    let body = match bytes.first().map(|first| first % 3) {
        Some(0) => Body::Message { nick: "ann".into(), text },
        Some(1) => Body::Bridged { source: bytes.iter().take(8).copied().collect(), number: vec![1], text },
        _ => Body::Presence { nick: text, status: "here".into(), relays: vec![] },
    };
    let draft = Draft { room: ROOM, sequence: 2, previous: 1, time_ms: TIME_MS, body: &body };
    let Ok(signed) = sign(&key(7), &draft) else { return };
    match verify(&signed.bytes) {
        Ok(frame) => assert_eq!(frame, signed),
        Err(error) => assert!(sizes[0] > 64 || sizes[0] == 0, "{error}: {body:?}"),
    }
}

/// One of each kind.
#[must_use]
pub fn examples() -> Vec<Vec<u8>> {
    let bodies = [
        Body::Message { nick: "ann".into(), text: "hello".into() },
        Body::Presence { nick: "ann".into(), status: "here".into(), relays: vec![] },
        Body::Bridged { source: vec![1; 38], number: vec![2; 20], text: "from afar".into() },
        Body::Unknown,
    ];
    let frame = |(sequence, body)| {
        sign(&key(7), &Draft { room: ROOM, sequence, previous: 0, time_ms: TIME_MS, body: &body })
            .expect("the key signs")
            .bytes
    };
    let frames = (1..).zip(bodies).map(frame);
    frames.chain([b"a plain line".to_vec(), vec![MARK, VERSION], vec![MARK, 9, 1], Vec::new()]).collect()
}
