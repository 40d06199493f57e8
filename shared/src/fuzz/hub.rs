//! `/tincan/hub/1.0.0`: what a peer says to its hub and a hub to its peer, as it lies on the wire.

use std::time::Duration;

use futures::executor::block_on;
use prost::Message;

use super::{ROOM, TIME_MS, joined, now, peer, pieces};
use crate::{
    config::MAX_LISTED_MEMBERS,
    framing::read,
    hub::{
        desk::Desk,
        listing::Presences,
        members::{Members, Trust},
        wire::{FromHub, Hello, MAX_BYTES, Reason, Report, Watch},
    },
};

/// Whatever is said, a hub reports only to who asked, and within its bounds; a peer lists no more than it may.
pub fn run(bytes: &[u8]) {
    let (mut desk, mut members) = (Desk::new(peer(1)), Members::default());
    desk.open(peer(2));
    let mut at = now().instant;
    for mut piece in pieces(bytes) {
        let mut again = piece;
        if let Ok(watch) = block_on(read::<Watch>(&mut piece, MAX_BYTES)) {
            let _ = desk.watch(peer(2), watch);
        }
        if let Ok(FromHub { report: Some(report), .. }) = block_on(read::<FromHub>(&mut again, MAX_BYTES)) {
            members.report(peer(3), Trust::Chosen, &report, Presences::new(), |_| false);
            let (listed, _) = members.of(&report.room, &peer(2));
            // The reports of several hubs are added up.
            assert!(listed.len() <= (MAX_LISTED_MEMBERS + 1) * members.remote(&report.room).len().max(1));
        }
        // Late enough that whatever has changed is told.
        at += Duration::from_secs(1);
        desk.changed(&members.take_changed(), &members, &|_, _| Presences::new(), at);
        for (to, report) in desk.update(&members, &|_, _| Presences::new(), at, |_| usize::MAX).reports {
            assert_eq!(to, peer(2));
            assert!(report.joined.len() <= MAX_LISTED_MEMBERS, "{}", report.joined.len());
            assert!(FromHub::from(report).encoded_len() <= MAX_BYTES);
        }
    }
}

/// A short conversation.
#[must_use]
pub fn examples() -> Vec<Vec<u8>> {
    let report = |joined: Vec<Vec<u8>>, left: Vec<Vec<u8>>| {
        let total = u32::try_from(joined.len()).unwrap_or_default();
        FromHub::from(Report { room: ROOM.into(), hub: peer(3).to_bytes(), total, joined, left, ..Report::default() })
    };
    let both = [
        Watch { rooms: vec![ROOM.into(), "attic".into()], local_only: false }.encode_length_delimited_to_vec(),
        FromHub::from(Hello { time_ms: TIME_MS, ..Hello::default() }).encode_length_delimited_to_vec(),
        report(vec![peer(4).to_bytes(), peer(5).to_bytes()], Vec::new()).encode_length_delimited_to_vec(),
        report(Vec::new(), vec![peer(4).to_bytes()]).encode_length_delimited_to_vec(),
        FromHub::from(Reason { code: "full".into(), text: "go".into() }).encode_length_delimited_to_vec(),
    ];
    vec![joined(&both), joined(&both[2..4])]
}
