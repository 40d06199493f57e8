use super::*;

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn start() -> Instant {
    Instant::now()
}

fn connection() -> ConnectionId {
    ConnectionId::new_unchecked(7)
}

#[test]
fn waits_grow_to_a_bound_and_start_anew_after_success() {
    let (mut links, mut now) = (Links::new(9), start());
    links.add(vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap()], now);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let due = links.due(now);
        assert_eq!(due.len(), 1);
        links.dialling(due[0].link, connection());
        assert!(links.due(now).is_empty() && links.is_dialling());
        links.failed(connection(), now, 1.0);
        let next = links.deadline().unwrap();
        waits.push(next - now);
        now = next;
    }
    assert_eq!(waits[0], FIRST_WAIT);
    assert_eq!(waits[7], LONGEST_WAIT);
    let peer = PeerId::random();
    links.dialling(0, connection());
    links.up(peer, connection(), now);
    assert_eq!(links.deadline(), None);
    links.down(peer, now, 1.0);
    assert_eq!(links.deadline(), Some(now + LONGEST_WAIT), "it closed at once, as if it had not answered");
    links.dialling(0, connection());
    links.up(peer, connection(), now);
    now += LASTS;
    links.down(peer, now, 0.0);
    assert_eq!(links.deadline(), Some(now + FIRST_WAIT / 2));
}

#[test]
fn a_hub_that_says_to_stay_away_is_left_alone_whoever_else_reaches_it() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    let until = now + LONGEST_WAIT * 6;
    links.add(vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()], now);
    links.dialling(0, connection());
    links.up(hub, connection(), now);
    links.rest(hub, until);
    for _ in 0..2 {
        links.down(hub, now, 0.0);
        assert_eq!(links.deadline(), Some(until));
        links.hurry(now);
        assert_eq!(links.deadline(), Some(until));
        // It connects to us, say.
        links.up(hub, ConnectionId::new_unchecked(8), now);
    }
    links.welcomed(hub);
    links.down(hub, now, 0.0);
    assert_eq!(links.deadline(), Some(now + FIRST_WAIT / 2));
    links.up(hub, connection(), now);
    links.rest(hub, until);
    links.down(hub, now, 0.0);
    links.want();
    links.hurry(now);
    assert_eq!(links.deadline(), Some(now), "a person wants it");
    assert!(links.due(now)[0].at_once);
    links.dialling(0, connection());
    links.failed(connection(), now, 0.0);
    assert!(!links.due(links.deadline().unwrap())[0].at_once, "once");
}

#[test]
fn a_dial_of_somebody_else_is_no_failure() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    links.add(vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()], now);
    for _ in 0..9 {
        links.busy(0, now);
        assert_eq!(links.deadline(), Some(now + FIRST_WAIT));
    }
    links.refused(0, now, 1.0);
    assert_eq!(links.deadline(), Some(now + FIRST_WAIT), "the first failure");
}

#[test]
fn a_name_that_nobody_answers_to_is_forgotten_when_another_hub_is_there() {
    let (mut links, now, old, new) = (Links::new(9), start(), PeerId::random(), PeerId::random());
    let address = |hub| -> Vec<Multiaddr> { vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()] };
    links.add(address(old), now);
    links.dialling(0, connection());
    links.mistaken(connection(), now, 0.0);
    assert!(links.deadline().is_some(), "nobody else is there: keep trying");
    links.add(address(new), now);
    links.up(new, ConnectionId::new_unchecked(8), now);
    links.dialling(0, connection());
    links.mistaken(connection(), now, 0.0);
    assert_eq!(links.deadline(), None);
}

#[test]
fn addresses_of_one_hub_are_one_link() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    let address = |port: u16| -> Multiaddr { format!("/ip4/127.0.0.1/tcp/{port}/p2p/{hub}").parse().unwrap() };
    links.add(vec![address(1)], now);
    links.add(vec![address(2), address(1)], now);
    assert_eq!(
        links.due(now),
        [Due { link: 0, peer: Some(hub), addresses: vec![address(2), address(1)], at_once: false }]
    );
}

#[test]
fn who_was_found_is_dialled_again_until_that_expires_and_makes_place_for_who_was_named() {
    let (mut links, mut now) = (Links::new(2), start());
    let [found, other, third] = [PeerId::random(), PeerId::random(), PeerId::random()];
    let address = |n: u8| -> Multiaddr { format!("/ip4/10.0.0.{n}/tcp/4747").parse().unwrap() };
    links.found(found, address(1), now);
    links.found(found, address(2), now);
    assert!(links.due(now).is_empty(), "it is being dialled");
    links.up(found, connection(), now);
    now += LASTS;
    links.down(found, now, 0.0);
    now += FIRST_WAIT;
    let due = links.due(now);
    assert_eq!((due[0].peer, due[0].addresses.clone()), (Some(found), vec![address(2), address(1)]));
    links.found(other, address(3), now);
    links.found(third, address(4), now);
    assert_eq!(links.links.len(), 2, "no more than there may be");
    assert!(!links.has(&found), "nobody named it");
    links.add(vec![address(5).with_p2p(third).unwrap()], now);
    assert!(links.has(&third));
    assert_eq!(links.links.len(), 2);
    assert!(links.links.iter().any(|link| link.expected == Some(third) && !link.found));
    for n in [1, 2, 3, 5] {
        [found, other, third].iter().for_each(|peer| links.expired(peer, &address(n)));
    }
    assert_eq!(links.links.len(), 1, "only who was named is left");
}
