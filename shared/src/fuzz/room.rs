//! Many payloads in one room, in any order.

use super::{ROOM, frame, joined, key, now, peer, pieces};
use crate::{
    Config,
    room::{Identity, Room, SavedRoom},
};

/// However mixed, what is kept stays within its bounds.
pub fn run(bytes: &[u8]) {
    let mut limits = Config::peer().limits;
    (limits.kept_frames, limits.kept_bytes, limits.kept_presences) = (4, 2048, 2);
    let (mut room, mut out, key) = (Room::new(ROOM, peer(1), &limits), Vec::new(), key(1));
    room.join(false, SavedRoom::default(), &limits, now(), &mut out);
    for (number, piece) in (0..).zip(pieces(bytes)) {
        let _ = room.receive(piece, peer(2), (peer(2), number), false, now(), &mut out);
    }
    let handed: Vec<Vec<u8>> = pieces(bytes).into_iter().map(<[u8]>::to_vec).collect();
    let _ = room.merge(&handed, peer(2), |_| true, false, now(), &mut out);
    room.tick(now(), &mut out);
    assert!(room.ring().lines().count() <= limits.kept_frames);
    assert!(room.ring().all().count() <= limits.kept_frames + limits.kept_presences);
    assert!(room.ring().lines().map(|frame| frame.bytes.len()).sum::<usize>() <= limits.kept_bytes);
    let shown = room.messages(Identity { keypair: &key, nick: "n", bridge: false, relays: &[] });
    assert!(shown.len() <= pieces(bytes).len() * 2);
}

/// The frames in two orders.
#[must_use]
pub fn examples() -> Vec<Vec<u8>> {
    let mut frames = frame::examples();
    let forward = joined(&frames);
    frames.reverse();
    vec![forward, joined(&frames)]
}
