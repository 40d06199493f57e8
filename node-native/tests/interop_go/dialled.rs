//! go-libp2p listens; ours dials it, with no hub anywhere.

use crate::{
    Transport,
    go::{Go, Kademlia},
    over_every_transport,
    place::{Known, Place},
    records, rooms,
    support::tincan,
};

/// What anybody but a hub tells that it speaks.
const SPOKEN: [&str; 5] =
    ["/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/meshsub/1.1.0", "/tincan/kad/1.0.0", "/tincan/sync/1.0.0"];

over_every_transport! { ping_and_identify an_ordinary_room a_plain_room records providers }

/// A peer, and ours that dials it; nothing where go-libp2p is not installed.
fn dialled(over: Transport, arguments: &str) -> Option<(Go, Known)> {
    let go = Place::found()?.go(over, Kademlia::Server);
    let known = Known::start(tincan(arguments).arguments(&go.address));
    Some((go, known))
}

fn ping_and_identify(over: Transport) {
    let Some((mut go, mut ping)) = dialled(over, "ping") else { return };
    for _ in 0..3 {
        let line = ping.running.out.next();
        assert!(line.starts_with(&format!("pong from {}: time=", go.id)), "{line}");
    }
    go.ping(&ping.id);
    go.identifies(&ping.id, &SPOKEN);
}

fn an_ordinary_room(over: Transport) {
    let Some((mut go, mut chat)) = dialled(over, &format!("chat --room {}", rooms::NAME)) else { return };
    rooms::join(&mut go, &chat.id);
    rooms::converse_in_frames(&mut chat, &mut go);
}

fn a_plain_room(over: Transport) {
    let Some((mut go, mut chat)) = dialled(over, &format!("chat --plain --room {}", rooms::NAME)) else { return };
    rooms::join(&mut go, &chat.id);
    rooms::converse_in_plain_lines(&mut chat, &mut go);
}

fn records(over: Transport) {
    let Some((mut go, mut kv)) = dialled(over, &records::store()) else { return };
    go.ask(&format!("routes {}", kv.id));
    records::exchange(&mut kv, &mut go);
}

fn providers(over: Transport) {
    let Some((mut go, mut kv)) = dialled(over, &records::store()) else { return };
    go.ask(&format!("routes {}", kv.id));
    records::exchange_providers(&mut kv, &mut go);
}
