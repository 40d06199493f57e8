//! `/tincan/sync/1.0.0`: questions and answers as they lie on the wire.

use futures::executor::block_on;
use prost::Message;

use super::{ROOM, frame, peer};
use crate::{
    Config,
    framing::read,
    room::{
        frame::verify,
        ring::Ring,
        sync::{Answer, MAX_BYTES, Question, answer, ask, give, prefixes},
    },
};

fn ring() -> Ring {
    let limits = Config::peer().limits;
    let mut ring = Ring::new(limits.kept_frames, limits.kept_bytes, limits.kept_presences);
    for bytes in frame::examples() {
        if let Ok(frame) = verify(&bytes) {
            ring.insert(frame, super::TIME_MS);
        }
    }
    ring
}

/// No question makes an answer larger than what is kept; no answer makes us give what we do not have.
pub fn run(bytes: &[u8]) {
    let ring = ring();
    if let Ok(question) = block_on(read::<Question>(&mut &bytes[..], MAX_BYTES)) {
        let answer = answer(&ring, &prefixes(&question.have), true);
        assert!(answer.frames.len() <= ring.all().count());
        assert!(answer.want.len() <= question.have.len());
        assert!(answer.encoded_len() <= MAX_BYTES + question.encoded_len());
    }
    if let Ok(answer) = block_on(read::<Answer>(&mut &bytes[..], MAX_BYTES)) {
        let given = give(ROOM, &ring, &answer.want).map_or(0, |given| given.give.len());
        assert!(given <= prefixes(&answer.want).len());
        super::room::run(&super::joined(&answer.frames));
    }
}

/// What two nodes say to each other.
#[must_use]
pub fn examples() -> Vec<Vec<u8>> {
    let (ours, empty) = (ring(), Ring::new(4, 1024, 2));
    let answered = answer(&ours, &prefixes(&ask(ROOM, &empty).have), true);
    let wanting = answer(&empty, &prefixes(&ask(ROOM, &ours).have), true);
    let given = give(ROOM, &ours, &wanting.want).unwrap_or_else(|| ask(&peer(1).to_string(), &ours));
    vec![
        ask(ROOM, &ours).encode_length_delimited_to_vec(),
        answered.encode_length_delimited_to_vec(),
        wanting.encode_length_delimited_to_vec(),
        given.encode_length_delimited_to_vec(),
    ]
}
