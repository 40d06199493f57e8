//! go-libp2p dials a hub of ours.

use crate::{
    Transport,
    go::{self, Go, Kademlia},
    over_every_transport,
    place::{Known, Place},
    records, rooms,
    support::{Hub, tincan},
};

/// What a hub tells that it speaks, as far as others know it.
const SPOKEN: [&str; 8] = [
    "/ipfs/id/1.0.0",
    "/ipfs/ping/1.0.0",
    "/libp2p/circuit/relay/0.2.0/hop",
    "/libp2p/circuit/relay/0.2.0/stop",
    "/meshsub/1.1.0",
    "/tincan/hub/1.0.0",
    "/tincan/kad/1.0.0",
    "/tincan/sync/1.0.0",
];

over_every_transport! { ping_and_identify an_ordinary_room a_plain_room records providers }

/// A hub and a peer that has dialled it.
#[derive(Debug)]
struct Dialled {
    go: Go,
    hub: Hub,
}

impl Dialled {
    /// Nothing where that cannot be.
    fn over(over: Transport) -> Option<Self> {
        let place = Place::found()?;
        let (hub, mut go) = (place.hub(over), place.go(over, Kademlia::Client));
        go.dial(hub.address(over.name()));
        Some(Self { go, hub })
    }

    /// Ours, which knows the hub alone.
    fn start(&self, arguments: &str) -> Known {
        Known::start(tincan(arguments).arguments(self.hub.address("tcp")))
    }
}

fn ping_and_identify(over: Transport) {
    let Some(Dialled { mut go, mut hub, .. }) = Dialled::over(over) else { return };
    go.ping(&hub.id);
    go.identifies(&hub.id, &SPOKEN);
    let (agent, measured) = (format!("agent: Some({:?})", go::AGENT), "rtt_us: Some(");
    hub.running.err.expect("agent and ping of go", |line| {
        line.contains("PeerChanged") && line.contains(&go.id) && line.contains(&agent) && line.contains(measured)
    });
}

fn an_ordinary_room(over: Transport) {
    let Some(mut dialled) = Dialled::over(over) else { return };
    rooms::join(&mut dialled.go, &dialled.hub.id);
    let mut chat = dialled.start(&format!("chat --room {}", rooms::NAME));
    rooms::converse_in_frames(&mut chat, &mut dialled.go);
}

fn a_plain_room(over: Transport) {
    let Some(mut dialled) = Dialled::over(over) else { return };
    rooms::join(&mut dialled.go, &dialled.hub.id);
    let mut chat = dialled.start(&format!("chat --plain --room {}", rooms::NAME));
    rooms::converse_in_plain_lines(&mut chat, &mut dialled.go);
}

fn records(over: Transport) {
    let Some(mut dialled) = Dialled::over(over) else { return };
    dialled.go.ask(&format!("routes {}", dialled.hub.id));
    let mut kv = dialled.start(&records::store());
    records::exchange(&mut kv, &mut dialled.go);
}

fn providers(over: Transport) {
    let Some(mut dialled) = Dialled::over(over) else { return };
    dialled.go.ask(&format!("routes {}", dialled.hub.id));
    let mut kv = dialled.start(&records::store());
    records::exchange_providers(&mut kv, &mut dialled.go);
}
