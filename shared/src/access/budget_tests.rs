use std::time::Duration;

use super::*;

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn start() -> Instant {
    Instant::now()
}

fn at(address: &str) -> Multiaddr {
    address.parse().unwrap()
}

#[test]
fn many_keys_of_one_address_have_one_budget_and_others_their_own() {
    let (mut budgets, now) = (Budgets::new(&[]), start());
    let flood = at("/ip6/2001:db8::1/udp/1/quic-v1");
    let taken = (0..100_000).filter(|_| budgets.allow_frame(PeerId::random(), &flood, 200, now)).count();
    assert!((MAX_FRAMES_PER_SOURCE..=MAX_FRAMES_PER_SOURCE + 1).contains(&taken), "{taken}");
    assert!(!budgets.allow_frame(PeerId::random(), &at("/ip6/2001:db8::2/tcp/1"), 200, now), "the same /64");
    assert!(budgets.allow_frame(PeerId::random(), &at("/ip6/2001:db8:0:1::1/tcp/1"), 200, now));
    assert!(budgets.allow_frame(PeerId::random(), &at("/ip4/192.0.2.1/tcp/1"), 200, now));
    let later = now + Duration::from_secs(10);
    let taken = (0..100_000).filter(|_| budgets.allow_frame(PeerId::random(), &flood, 200, later)).count();
    let more = 10 * SOURCE_FRAMES_PER_SECOND;
    assert!((more..=more + 1).contains(&taken), "{taken}");
}

#[test]
fn one_peer_cannot_use_up_what_its_address_has() {
    let (mut budgets, now) = (Budgets::new(&[]), start());
    let (school, greedy) = (at("/ip4/192.0.2.1/tcp/1/ws"), PeerId::random());
    let taken = (0..100_000).filter(|_| budgets.allow_frame(greedy, &school, 200, now)).count();
    assert!((MAX_FRAMES_PER_PEER..=MAX_FRAMES_PER_PEER + 1).contains(&taken), "{taken}");
    assert!(budgets.allow_frame(PeerId::random(), &school, 200, now));
}

#[test]
fn who_says_more_than_twice_its_budget_floods() {
    let (mut budgets, now) = (Budgets::new(&[]), start());
    let (here, peer) = (at("/ip4/192.0.2.1/tcp/1"), PeerId::random());
    let mut floods = |now| !budgets.allow_frame(peer, &here, 200, now) && budgets.is_flood(peer, 200, now);
    let said = (0..100_000).take_while(|_| !floods(now)).count();
    assert!((2 * MAX_FRAMES_PER_PEER..=2 * MAX_FRAMES_PER_PEER + 2).contains(&said), "{said}");
    let later = now + Duration::from_secs(1);
    let said = (0..100_000).take_while(|_| !floods(later)).count();
    assert!((2 * FRAMES_PER_SECOND..=2 * FRAMES_PER_SECOND + 2).contains(&said), "{said}");
}

#[test]
fn long_frames_cost_more() {
    let (mut budgets, now) = (Budgets::new(&[]), start());
    let (here, peer) = (at("/ip4/192.0.2.1/tcp/1"), PeerId::random());
    let taken = (0..100_000).filter(|_| budgets.allow_frame(peer, &here, 6000, now)).count();
    assert!((MAX_FRAME_BYTES_PER_PEER / 6000..=MAX_FRAME_BYTES_PER_PEER / 6000 + 2).contains(&taken), "{taken}");
}

#[test]
fn a_school_behind_one_address_comes_at_once_and_talks() {
    let (mut budgets, now) = (Budgets::new(&[]), start());
    let school = at("/ip4/192.0.2.1/tcp/1/ws");
    let pupils: Vec<PeerId> = (0..300).map(|_| PeerId::random()).collect();
    for pupil in &pupils {
        // Four rooms: a question, what was wanted, and a question again; a presence in each.
        assert!((0..12).all(|_| budgets.allow_sync(*pupil, &school, now)));
        assert!((0..4).all(|_| budgets.allow_frame(*pupil, &school, 300, now)));
    }
    // A lesson in which each says a line every five seconds, and a question now and then.
    for second in 1..3600 {
        let now = now + Duration::from_secs(second);
        for pupil in pupils.iter().skip(second as usize % 5).step_by(5) {
            assert!(budgets.allow_frame(*pupil, &school, 300, now) && budgets.allow_sync(*pupil, &school, now));
        }
    }
}

#[test]
fn what_many_share_has_no_budget_by_address() {
    let (mut budgets, now) = (Budgets::new(&["198.51.100.0/24".parse().unwrap()]), start());
    for shared in ["/ip4/127.0.0.1/tcp/1", "/ip4/198.51.100.7/tcp/1"] {
        let allowed = (0..2 * MAX_SYNCS_PER_SOURCE).all(|_| budgets.allow_sync(PeerId::random(), &at(shared), now));
        assert!(allowed, "{shared}");
    }
}
