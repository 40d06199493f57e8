use std::time::Duration;

use super::*;
use crate::hub::peer_set::PeerSet;

/// Every peer is counted by itself.
fn alone(_: &PeerId) -> Option<IpNet> {
    None
}

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn start() -> Instant {
    Instant::now()
}

#[test]
fn a_room_is_carried_while_somebody_is_in_it_and_a_little_longer() {
    let (mut carrier, limits, now) = (Carrier::default(), crate::Config::hub().limits, start());
    let ann = PeerId::random();
    let demand = BTreeMap::from([("r".into(), PeerSet::from([ann]))]);
    assert_eq!(carrier.update(&demand, alone, &limits, now), [Output::Carry("r".into())]);
    assert!(carrier.update(&BTreeMap::new(), alone, &limits, now).is_empty());
    assert_eq!(carrier.deadline(&limits), Some(now + limits.carry_linger));
    assert!(carrier.update(&demand, alone, &limits, now + Duration::from_secs(5)).is_empty(), "came back");
    assert!(carrier.update(&BTreeMap::new(), alone, &limits, now + Duration::from_secs(6)).is_empty());
    let end = now + Duration::from_secs(6) + limits.carry_linger;
    assert_eq!(carrier.update(&BTreeMap::new(), alone, &limits, end), [Output::Release("r".into())]);
}

#[test]
fn one_peer_cannot_fill_the_hub() {
    let (mut carrier, limits, now) = (Carrier::default(), crate::Config::hub().limits, start());
    let (greedy, modest) = (PeerId::random(), PeerId::random());
    let mut demand: PeersByRoom = (0..100).map(|n| (format!("r{n:03}").into(), PeerSet::from([greedy]))).collect();
    demand.insert("r099".into(), PeerSet::from([greedy, modest]));
    let outputs = carrier.update(&demand, alone, &limits, now);
    assert_eq!(carrier.rooms().count(), limits.carried_rooms_per_peer);
    assert!(carrier.rooms().any(|room| **room == *"r099"), "carried for the modest one");
    demand.insert("r098".into(), PeerSet::from([greedy, modest]));
    carrier.update(&demand, alone, &limits, now);
    assert!(carrier.rooms().any(|room| **room == *"r098"), "carried for the modest one alone");
    assert!(outputs.contains(&Output::Refuse(greedy, NotCarried::TooMany)));
}

type Demand = PeersByRoom;

/// Adds a peer in so many rooms of its own.
fn add(demand: &mut Demand, rooms: usize) -> PeerId {
    let peer = PeerId::random();
    demand.extend((0..rooms).map(|n| (format!("{peer} {n:02}").into(), PeerSet::from([peer]))));
    peer
}

fn carries(carrier: &Carrier, room: &str) -> bool {
    carrier.rooms().any(|carried| **carried == *room)
}

/// A hub whose places are all taken by these keys, each in as many rooms as it may bring.
fn filled(keys: usize, source_of: impl Fn(&PeerId) -> Option<IpNet>) -> (Carrier, Limits, Demand) {
    let (mut carrier, limits) = (Carrier::default(), crate::Config::hub().limits);
    let mut demand = Demand::new();
    for _ in 0..keys {
        add(&mut demand, limits.carried_rooms_per_peer);
    }
    carrier.update(&demand, source_of, &limits, start());
    assert_eq!(carrier.rooms().count(), limits.carried_rooms);
    (carrier, limits, demand)
}

#[test]
fn who_has_few_rooms_gets_places_of_those_who_have_many() {
    let (mut carrier, limits, mut demand) = filled(16, alone);
    let modest = add(&mut demand, 3);
    let outputs = carrier.update(&demand, alone, &limits, start());
    assert!((0..3).all(|n| carries(&carrier, &format!("{modest} {n:02}"))));
    let count = |kind: fn(&Output) -> bool| outputs.iter().filter(|output| kind(output)).count();
    assert_eq!(count(|output| matches!(output, Output::Carry(_))), 3);
    assert_eq!(count(|output| matches!(output, Output::Release(_))), 3);
    assert!(outputs.iter().position(|output| matches!(output, Output::Carry(_))) >= Some(3), "room is made first");
    assert!(outputs.iter().any(|output| matches!(output, Output::Refuse(_, NotCarried::NoPlace(_)))));
    assert!(!outputs.iter().any(|output| matches!(output, Output::Refuse(peer, _) if *peer == modest)));
    assert!(carrier.update(&demand, alone, &limits, start()).is_empty(), "and then nothing changes any more");
}

#[test]
fn places_settle_however_many_want_them() {
    let (mut carrier, limits, mut demand) = filled(17, alone);
    let modest: Vec<PeerId> = (0..400).map(|n| add(&mut demand, 1 + n % 3)).collect();
    carrier.update(&demand, alone, &limits, start());
    assert!(modest.iter().all(|peer| carries(&carrier, &format!("{peer} 00"))), "everybody's first room");
    assert_eq!(carrier.rooms().count(), limits.carried_rooms);
    assert!(carrier.update(&demand, alone, &limits, start()).is_empty());
}

#[test]
fn keys_of_one_network_count_as_one() {
    let network: IpNet = "192.0.2.1/32".parse().unwrap();
    // As many keys as places, each in one room.
    let (mut carrier, limits) = (Carrier::default(), crate::Config::hub().limits);
    let mut demand = Demand::new();
    let greedy: Vec<PeerId> = (0..limits.carried_rooms + 9).map(|_| add(&mut demand, 1)).collect();
    let source_of = |peer: &PeerId| greedy.contains(peer).then_some(network);
    carrier.update(&demand, source_of, &limits, start());
    assert_eq!(carrier.rooms().count(), limits.carried_rooms);
    let modest = add(&mut demand, 2);
    carrier.update(&demand, source_of, &limits, start());
    assert!(carries(&carrier, &format!("{modest} 00")) && carries(&carrier, &format!("{modest} 01")));
}

#[test]
fn a_room_that_two_share_goes_before_rooms_of_one_alone() {
    let (mut carrier, limits) = (Carrier::default(), crate::Config::hub().limits);
    let mut demand = Demand::new();
    for _ in 0..limits.carried_rooms {
        add(&mut demand, 1);
    }
    carrier.update(&demand, alone, &limits, start());
    let (ann, bob, carol) = (PeerId::random(), PeerId::random(), PeerId::random());
    demand.insert("shared".into(), PeerSet::from([ann, bob]));
    demand.insert("alone".into(), PeerSet::from([carol]));
    let outputs = carrier.update(&demand, alone, &limits, start());
    assert!(carries(&carrier, "shared") && !carries(&carrier, "alone"));
    assert!(outputs.contains(&Output::Refuse(carol, NotCarried::NoPlace("alone".into()))), "she is told which");
}

#[test]
fn rooms_that_nobody_is_in_make_place_first() {
    let (mut carrier, limits, mut demand) = filled(16, alone);
    let (gone, _) = demand.pop_first().unwrap();
    carrier.update(&demand, alone, &limits, start());
    assert!(carries(&carrier, &gone), "it lingers");
    let modest = add(&mut demand, 1);
    let outputs = carrier.update(&demand, alone, &limits, start());
    assert_eq!(outputs, [Output::Release(gone), Output::Carry(format!("{modest} 00").into())]);
}
