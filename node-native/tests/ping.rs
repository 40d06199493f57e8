//! `tincan ping` over every transport.

mod support;

use support::{Hub, tincan, without_id};

#[test]
fn three_replies_over_every_transport() {
    let hub = Hub::start();
    let both = |transport| [hub.address(transport), without_id(hub.address(transport))];
    let running = ["tcp", "quic-v1", "ws", "webrtc-direct"]
        .into_iter()
        .flat_map(both)
        .map(|address| tincan(&format!("ping {address} -c 3 --ephemeral")).start());
    for ping in running.collect::<Vec<_>>() {
        let ended = ping.wait();
        ended.assert_status(0);
        assert_eq!(ended.out.len(), 3, "{ended:#?}");
        let start = format!("pong from {}: time=", hub.id);
        for line in &ended.out {
            let time = line.strip_prefix(&start).and_then(|rest| rest.strip_suffix(" ms"));
            assert!(time.is_some_and(|time| time.parse::<f64>().is_ok()), "{line}");
        }
    }
}

#[test]
fn a_dead_address_is_an_error_within_the_time_out() {
    for address in ["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1/ws", "/ip4/127.0.0.1/udp/1/quic-v1"] {
        let mut running = tincan(&format!("ping {address} --ephemeral")).start();
        running.wait_at_most(std::time::Duration::from_secs(15));
        let ended = running.wait();
        assert!(ended.error(1).contains(address), "{ended:#?}");
        assert!(ended.out.is_empty());
    }
}

#[test]
fn another_id_than_the_named_one_is_an_error() {
    let (hub, other) = (Hub::start(), Hub::start());
    let address = format!("{}/p2p/{}", without_id(hub.address("tcp")), other.id);
    tincan(&format!("ping {address} -c 1 --ephemeral")).run(b"").error(1);
}

#[test]
fn a_lost_peer_ends_it() {
    let hub = Hub::start();
    let mut ping = tincan(&format!("ping {} --ephemeral", hub.address("tcp"))).start();
    ping.out.containing("pong from");
    drop(hub);
    ping.wait().error(1);
}

#[test]
fn interrupted_it_has_done_its_work() {
    let hub = Hub::start();
    let mut ping = tincan(&format!("ping {} --ephemeral", hub.address("tcp"))).start();
    ping.out.containing("pong from");
    ping.signal("INT");
    ping.wait().assert_status(0);
}
