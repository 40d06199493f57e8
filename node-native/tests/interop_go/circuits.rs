//! go-libp2p reserves a place at a hub, and others reach it there.

use crate::{
    Transport,
    go::{Go, Kademlia},
    over_every_transport,
    place::Place,
    support::{Hub, tincan},
};

/// Seconds a reservation lasts.
const RESERVED: std::ops::RangeInclusive<u32> = 3500..=3600;

over_every_transport! { a_reservation_and_who_comes_through_it nobody_comes_without_a_reservation }

/// Where a hub is, with two of go-libp2p that may dial it.
fn place(over: Transport) -> Option<(Hub, [Go; 2])> {
    let place = Place::found()?;
    let hub = place.hub(over);
    let both = [(); 2].map(|()| place.go(over, Kademlia::Client));
    Some((hub, both))
}

fn a_reservation_and_who_comes_through_it(over: Transport) {
    let Some((hub, [mut first, mut second])) = place(over) else { return };
    let address = hub.address(over.name());
    first.dial(address);
    let reserved = first.ask(&format!("reserve {}", hub.id));
    let words = reserved.strip_prefix("reserved for ").expect(&reserved);
    let (seconds, rest) = words.split_once(" s, ").expect(words);
    assert!(RESERVED.contains(&seconds.parse().expect(seconds)), "{reserved}");
    let vouched = rest.strip_prefix("circuits of 120 s and 1048576 bytes, at ").expect(rest);
    assert!(vouched.split(' ').any(|vouched| vouched == address), "{reserved}");

    let circuit = format!("{address}/p2p-circuit/p2p/{}", first.id);
    second.dial(address);
    second.dial(&circuit);
    second.ping(&first.id);
    let back = second.id.clone();
    first.ping(&back);

    let ping = format!("ping {}/p2p-circuit/p2p/{} -c 1 --ephemeral", hub.address("tcp"), first.id);
    let ended = tincan(&ping).run(b"");
    ended.assert_status(0);
    assert!(ended.out[0].starts_with(&format!("pong from {}: time=", first.id)), "{ended:?}");
}

fn nobody_comes_without_a_reservation(over: Transport) {
    let Some((hub, [mut first, mut second])) = place(over) else { return };
    let address = hub.address(over.name());
    first.dial(address);
    second.dial(address);
    let refused = second.answer(&format!("dial {address}/p2p-circuit/p2p/{}", first.id));
    assert!(refused.starts_with("error: ") && refused.contains("NO_RESERVATION"), "{refused}");
}
