use super::*;

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn start() -> Instant {
    Instant::now()
}

fn address(ip: &str) -> Multiaddr {
    format!("/{}/{ip}/tcp/1", if ip.contains(':') { "ip6" } else { "ip4" }).parse().unwrap()
}

/// How many of these a fresh peer each takes from one address, one after the other.
fn taken(rates: &mut Rates, ip: &str, now: Instant, of: usize) -> usize {
    (0..of).filter(|_| rates.allow(PeerId::random(), &address(ip), now)).count()
}

#[test]
fn a_school_behind_one_address_joins_unhindered() {
    let (config, now) = (Config::hub(), start());
    let (mut reservations, mut circuits) = (Rates::of_reservations(&config), Rates::of_circuits(&config));
    for pupil in (0..300).map(|_| PeerId::random()) {
        assert!(reservations.allow(pupil, &address("192.0.2.1"), now));
        for _ in 0..4 {
            assert!(circuits.allow(pupil, &address("192.0.2.1"), now));
        }
    }
    // Renewed each half of an hour, for a day.
    for round in 1..48 {
        let later = now + RESERVATION_DURATION / 2 * round;
        assert_eq!(taken(&mut reservations, "192.0.2.1", later, 300), 300, "round {round}");
    }
}

#[test]
fn what_one_address_can_hold_leaves_a_part_for_others() {
    let config = Config::hub();
    let limits = &config.limits;
    for (mut rates, lasts, at_most) in [
        (Rates::of_reservations(&config), RESERVATION_DURATION, limits.reservations / 2),
        (Rates::of_circuits(&config), limits.circuit_duration, limits.circuits / 5 * 4),
    ] {
        let now = start();
        // Whatever was taken within the time it lasts is held. The source takes all it can, at each moment.
        let mut held: Vec<Instant> = Vec::new();
        for moment in 0..300 {
            let now = now + lasts / 100 * moment;
            held.retain(|at| *at + lasts > now);
            while rates.allow(PeerId::random(), &address("2001:db8::1"), now) {
                held.push(now);
            }
            assert!((1..=at_most + 1).contains(&held.len()), "{} of {at_most} at {moment}", held.len());
        }
        assert!(rates.allow(PeerId::random(), &address("2001:db8:0:1::1"), now), "another network");
        assert!(!rates.allow(PeerId::random(), &address("2001:db8::2"), now), "the same /64");
    }
}

#[test]
fn one_peer_that_opens_again_and_again_is_stopped_and_goes_on_later() {
    let (config, now) = (Config::hub(), start());
    let (greedy, kind) = (PeerId::random(), PeerId::random());
    let mut circuits = Rates::of_circuits(&config);
    let allowed = (0..1000).filter(|_| circuits.allow(greedy, &address("127.0.0.1"), now)).count();
    assert_eq!(allowed, config.limits.circuits_per_peer * 2);
    assert!(circuits.allow(kind, &address("127.0.0.1"), now));
    assert!(circuits.allow(greedy, &address("127.0.0.1"), now + config.limits.circuit_duration));
    let mut reservations = Rates::of_reservations(&config);
    let allowed = (0..1000).filter(|_| reservations.allow(greedy, &address("127.0.0.1"), now)).count();
    assert_eq!(allowed, PEER_RESERVATIONS as usize);
}

#[test]
fn who_is_refused_uses_nothing_up() {
    let (config, now) = (Config::hub(), start());
    let mut rates = Rates::of_circuits(&config);
    let full = taken(&mut rates, "192.0.2.1", now, config.limits.circuits);
    let peer = PeerId::random();
    for _ in 0..1000 {
        assert!(!rates.allow(peer, &address("192.0.2.1"), now));
    }
    let again = now + config.limits.circuit_duration;
    assert!(rates.allow(peer, &address("192.0.2.1"), again));
    assert!(full < config.limits.circuits);
}

#[test]
fn this_machine_and_trusted_proxies_are_many() {
    let now = start();
    let mut config = Config::hub();
    config.trusted_proxies = vec!["198.51.100.0/24".parse().unwrap()];
    for ip in ["127.0.0.1", "::1", "198.51.100.9", "::ffff:198.51.100.9"] {
        assert_eq!(taken(&mut Rates::of_circuits(&config), ip, now, 5000), 5000, "{ip}");
    }
}

#[test]
fn a_crowd_does_not_make_the_worst_forgotten() {
    let (config, now) = (Config::hub(), start());
    let mut rates = Rates::of_circuits(&config);
    let greedy = PeerId::random();
    while rates.allow(greedy, &address("127.0.0.1"), now) {}
    for _ in 0..10_000 {
        assert!(rates.allow(PeerId::random(), &address("127.0.0.1"), now));
    }
    assert!(!rates.allow(greedy, &address("127.0.0.1"), now));
}

#[test]
fn extreme_settings_are_rates_too() {
    let mut config = Config::hub();
    let now = start();
    for (count, time) in
        [(0, Duration::from_secs(1)), (usize::MAX, Duration::from_secs(1)), (1, Duration::from_secs(365 * 24 * 3600))]
    {
        (config.limits.circuits, config.limits.circuits_per_peer, config.limits.reservations) = (count, count, count);
        config.limits.circuit_duration = time;
        for mut rates in [Rates::of_circuits(&config), Rates::of_reservations(&config)] {
            assert!(taken(&mut rates, "192.0.2.1", now, 10) > 0);
        }
    }
}
