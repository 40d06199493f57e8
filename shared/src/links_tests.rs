use super::{found::KEPT_FOUND, *};

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn start() -> Instant {
    Instant::now()
}

fn connection() -> DialId {
    DialId(7)
}

#[test]
fn waits_grow_to_a_bound_and_start_anew_after_success() {
    let (mut links, mut now) = (Links::new(9), start());
    links.add(vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap()], now);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let due = links.due(now, true);
        assert_eq!(due.len(), 1);
        links.dialling(due[0].link, connection(), false, now);
        assert!(links.due(now, true).is_empty() && links.is_dialling());
        links.failed(connection(), now, 1.0);
        let next = links.retry_at().unwrap();
        waits.push(next - now);
        now = next;
    }
    assert_eq!(waits[0], FIRST_WAIT);
    assert_eq!(waits[7], LONGEST_WAIT);
    let peer = PeerId::random();
    links.dialling(0, connection(), false, now);
    links.up(peer, Some(connection()), now);
    assert_eq!(links.retry_at(), None);
    links.down(peer, now, 1.0);
    assert_eq!(links.retry_at(), Some(now + LONGEST_WAIT), "it closed at once, as if it had not answered");
    links.dialling(0, connection(), false, now);
    links.up(peer, Some(connection()), now);
    now += LASTS;
    links.down(peer, now, 0.0);
    assert_eq!(links.retry_at(), Some(now + FIRST_WAIT / 2));
}

#[test]
fn a_hub_that_says_to_stay_away_is_left_alone_whoever_else_reaches_it() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    let until = now + LONGEST_WAIT * 6;
    links.add(vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()], now);
    links.dialling(0, connection(), false, now);
    links.up(hub, Some(connection()), now);
    links.pause_until(hub, until);
    for _ in 0..2 {
        links.down(hub, now, 0.0);
        assert_eq!(links.retry_at(), Some(until));
        links.retry_now(now);
        assert_eq!(links.retry_at(), Some(until));
        // It connects to us, say.
        links.up(hub, Some(DialId(8)), now);
    }
    links.welcomed(hub);
    links.down(hub, now, 0.0);
    assert_eq!(links.retry_at(), Some(now + FIRST_WAIT / 2));
    links.up(hub, Some(connection()), now);
    links.pause_until(hub, until);
    links.down(hub, now, 0.0);
    links.want();
    links.retry_now(now);
    assert_eq!(links.retry_at(), Some(now), "a person wants it");
    assert!(links.due(now, true)[0].at_once);
    links.dialling(0, connection(), false, now);
    links.failed(connection(), now, 0.0);
    assert!(!links.due(links.retry_at().unwrap(), true)[0].at_once, "once");
}

#[test]
fn a_dial_of_somebody_else_is_no_failure() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    links.add(vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()], now);
    for _ in 0..9 {
        links.dialling(0, connection(), false, now);
        assert!(links.busy(connection(), now));
        assert_eq!(links.retry_at(), Some(now + FIRST_WAIT));
        assert!(links.due(now + FIRST_WAIT, true)[0].at_once, "beside whatever else is dialled");
    }
    links.dialling(0, connection(), false, now);
    links.failed(connection(), now, 1.0);
    assert_eq!(links.retry_at(), Some(now + FIRST_WAIT), "the first failure");
}

#[test]
fn a_dial_that_never_tells_anything_is_given_up() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    links.add(vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()], now);
    links.dialling(0, connection(), false, now);
    assert_eq!((links.retry_at(), links.deadline()), (None, Some(now + SILENCE)));
    assert!(links.silent(now + SILENCE / 2).is_empty());
    let later = now + SILENCE;
    assert_eq!(links.silent(later), [connection()]);
    links.failed(connection(), later, 1.0);
    assert_eq!(links.deadline(), Some(later + FIRST_WAIT));
    assert!(links.due(later + FIRST_WAIT, true)[0].at_once, "the swarm believes that it still dials");
}

#[test]
fn a_reason_is_told_once_until_the_hub_was_reached() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap();
    links.add(vec![address.clone()], now);
    let fail = |links: &mut Links, reason: &str| {
        links.dialling(0, connection(), false, now);
        let news = links.reason(connection(), reason);
        links.failed(connection(), now, 0.0);
        news
    };
    assert_eq!(fail(&mut links, "refused"), Some(address.clone()));
    assert_eq!(fail(&mut links, "refused"), None);
    assert_eq!(fail(&mut links, "no name"), Some(address.clone()));
    assert_eq!(fail(&mut links, "refused"), None, "also when reasons take turns");
    assert_eq!((0..99).filter(|n| fail(&mut links, &n.to_string()).is_some()).count(), 6, "not without end");
    links.up(hub, Some(connection()), now);
    assert_eq!(fail(&mut links, "refused"), Some(address));
    links.found(PeerId::random(), "/ip4/10.0.0.1/tcp/1".parse().unwrap(), now);
    links.dialling(1, DialId(8), false, now);
    assert_eq!(links.reason(DialId(8), "gone"), None, "nobody named it");
}

#[test]
fn each_try_begins_with_another_address_and_families_take_turns() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    let hosts = ["ip4/10.0.0.1", "ip4/10.0.0.2", "ip4/10.0.0.3", "ip6/fd00::1", "ip6/fd00::2"];
    let addresses = hosts.iter().map(|host| format!("/{host}/tcp/1/p2p/{hub}").parse().unwrap());
    links.add(addresses.collect(), now);
    let order = |links: &Links, in_turn: bool| -> Vec<String> {
        let addresses = links.due(now + LONGEST_WAIT, in_turn).remove(0).addresses;
        addresses.iter().map(|address| address.to_string().split('/').nth(2).unwrap().to_owned()).collect()
    };
    assert_eq!(order(&links, true), ["10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2", "10.0.0.3"]);
    links.dialling(0, connection(), false, now);
    links.failed(connection(), now, 1.0);
    assert_eq!(order(&links, true), ["10.0.0.2", "fd00::1", "10.0.0.3", "fd00::2", "10.0.0.1"]);
    assert_eq!(order(&links, false), ["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1", "fd00::2"]);
}

#[test]
fn who_was_reached_at_an_address_without_an_id_is_looked_for_elsewhere_too() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    let later = now + LONGEST_WAIT;
    links.add(vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap()], now);
    links.dialling(0, connection(), false, now);
    links.failed(connection(), now, 0.0);
    assert_eq!(links.due(later, true)[0].peer, None, "nobody was reached yet");
    links.dialling(0, connection(), false, now);
    links.up(hub, Some(connection()), now);
    links.learnt(&hub, &["/ip6/fd00::1/tcp/1".parse().unwrap(), "/ip4/127.0.0.1/tcp/1".parse().unwrap()]);
    links.down(hub, now, 0.0);
    assert_eq!(links.due(later, true)[0].addresses.len(), 2);
    links.dialling(0, connection(), true, now);
    assert_eq!(links.deadline(), Some(now + WIDE_TIMEOUT));
    assert_eq!((links.too_wide(now), links.too_wide(now + WIDE_TIMEOUT)), (vec![], vec![hub]));
    assert!(links.too_wide(now + WIDE_TIMEOUT).is_empty(), "once");
    links.down(hub, now, 0.0);
    links.failed(connection(), now, 0.0);
    links.dialling(0, connection(), false, now);
    links.failed(connection(), now, 0.0);
    let mut peers = Vec::new();
    for _ in 0..3 {
        assert_eq!(links.due(later, false)[0].peer, None);
        peers.push(links.due(later, true)[0].peer);
        links.dialling(0, connection(), false, now);
        links.failed(connection(), now, 0.0);
    }
    assert_eq!(peers, [Some(hub), None, Some(hub)]);
    links.add(vec![format!("/ip4/127.0.0.1/tcp/2/p2p/{hub}").parse().unwrap()], now);
    links.up(hub, Some(DialId(8)), now);
    links.dialling(0, connection(), false, now);
    links.wrong_peer(connection());
    links.failed(connection(), now, 0.0);
    assert_eq!(links.due(later, true).len(), 1, "somebody else is there now; it was not named by id");
}

#[test]
fn a_name_that_nobody_answers_to_is_forgotten_when_another_hub_is_there() {
    let (mut links, now, old, new) = (Links::new(9), start(), PeerId::random(), PeerId::random());
    let address = |hub| -> Vec<Multiaddr> { vec![format!("/ip4/127.0.0.1/tcp/1/p2p/{hub}").parse().unwrap()] };
    links.add(address(old), now);
    links.dialling(0, connection(), false, now);
    links.wrong_peer(connection());
    links.failed(connection(), now, 0.0);
    assert!(links.retry_at().is_some(), "nobody else is there: keep trying");
    links.add(address(new), now);
    links.up(new, Some(DialId(8)), now);
    links.dialling(0, connection(), false, now);
    links.wrong_peer(connection());
    links.failed(connection(), now, 0.0);
    assert_eq!(links.retry_at(), None);
}

#[test]
fn addresses_of_one_hub_are_one_link() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    let address = |port: u16| -> Multiaddr { format!("/ip4/127.0.0.1/tcp/{port}/p2p/{hub}").parse().unwrap() };
    links.add(vec![address(1)], now);
    links.add(vec![address(2), address(1)], now);
    assert_eq!(
        links.due(now, true),
        [Due { link: 0, peer: Some(hub), addresses: vec![address(2), address(1)], wide: false, at_once: false }]
    );
}

#[test]
fn who_was_found_is_dialled_again_until_that_expires_and_makes_place_for_who_was_named() {
    let (mut links, mut now) = (Links::new(2), start());
    let [found, other, third] = [PeerId::random(), PeerId::random(), PeerId::random()];
    let address = |n: u8| -> Multiaddr { format!("/ip4/10.0.0.{n}/tcp/4747").parse().unwrap() };
    links.found(found, address(1), now);
    links.found(found, address(2), now);
    assert!(links.due(now, true).is_empty(), "it is being dialled");
    links.up(found, Some(connection()), now);
    now += LASTS;
    links.down(found, now, 0.0);
    now += FIRST_WAIT;
    let due = links.due(now, true);
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
        [found, other, third].iter().for_each(|peer| links.expired(peer, &address(n), now));
    }
    assert_eq!(links.links.len(), 1, "only who was named is left");
}

#[test]
fn however_many_named_addresses_are_silent_one_that_a_hub_told_is_tried_soon() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    let address = |host: usize| -> Multiaddr { format!("/ip4/10.0.0.{host}/tcp/1").parse().unwrap() };
    links.add((1..=30).map(address).collect(), now);
    links.dialling(0, connection(), false, now);
    links.up(hub, Some(connection()), now);
    links.learnt(&hub, &[address(200), address(201)]);
    links.down(hub, now, 0.0);
    links.dialling(0, connection(), false, now);
    links.failed(connection(), now, 0.0);
    let due = links.due(now + LONGEST_WAIT, true);
    let at = |host| due[0].addresses.iter().position(|other| *other == address(host));
    assert_eq!((at(200), at(201), due[0].addresses.len()), (Some(1), Some(3), 32));
}

#[test]
fn who_was_found_and_in_a_room_of_ours_is_dialled_for_a_while_after_it_expired() {
    let (mut links, now, peer) = (Links::new(9), start(), PeerId::random());
    let address: Multiaddr = "/ip4/10.0.0.1/tcp/1".parse().unwrap();
    links.found(peer, address.clone(), now);
    links.up(peer, None, now);
    links.expired(&peer, &address, now);
    assert_eq!(links.links.len(), 1, "it is connected");
    links.keep(&peer, now);
    links.down(peer, now, 0.0);
    let mut at = now;
    while let Some(next) = links.retry_at() {
        at = next;
        let due = links.due(at, true);
        assert_eq!(due[0].addresses, std::slice::from_ref(&address));
        links.dialling(due[0].link, connection(), false, at);
        links.failed(connection(), at, 1.0);
        links.forget_expired(at);
    }
    assert!(at >= now + KEPT_FOUND && at <= now + KEPT_FOUND + LONGEST_WAIT, "{:?}", at - now);

    links.found(peer, address.clone(), now);
    links.up(peer, None, now);
    links.down(peer, now, 0.0);
    links.expired(&peer, &address, now);
    assert!(links.links.is_empty(), "who was in no room of ours is forgotten at once");
}

#[test]
fn addresses_of_one_hub_become_one_link_and_a_second_program_sleeps_until_it_is_wanted() {
    let (mut links, now, hub) = (Links::new(9), start(), PeerId::random());
    let address = |n: usize| format!("/ip4/10.0.0.{n}/tcp/1").parse::<Multiaddr>().unwrap();
    for n in 0..3 {
        links.add(vec![address(n)], now);
        links.dialling(n, DialId(n as u64), false, now);
    }
    links.failed(DialId(2), now, 0.0);
    links.up(hub, Some(DialId(0)), now);
    links.up(hub, Some(DialId(1)), now);
    assert_eq!(links.links.iter().map(|link| link.addresses.len()).collect::<Vec<_>>(), [2, 1]);
    links.sleep(hub);
    links.down(hub, now, 0.0);
    let due = |links: &Links| links.due(now + LONGEST_WAIT, true).iter().map(|due| due.link).collect::<Vec<_>>();
    assert_eq!(due(&links), [1], "the other hub");
    links.retry_now(now);
    assert_eq!(due(&links), [1]);
    links.want();
    assert_eq!(due(&links), [0, 1]);
}
