//! `tincan ping` over every transport.

mod support;

use std::time::Duration;

use support::{Hub, old, pinger::Pinger, tincan, without_id};

/// Pings of each peer.
const PINGS: usize = 20;
/// One that nobody is woken for takes 8 s. A machine that is busy with other tests needs up to one.
const AT_MOST: Duration = Duration::from_secs(3);

#[test]
fn every_ping_is_answered_soon_over_every_transport() {
    let hub = Hub::start();
    let both = |transport| [hub.address(transport), without_id(hub.address(transport))];
    let running = ["tcp", "quic-v1", "ws", "webrtc-direct"]
        .into_iter()
        .flat_map(both)
        .map(|address| tincan(&format!("ping {address} -c {PINGS} --ephemeral")).start());
    for ping in running.collect::<Vec<_>>() {
        let ended = ping.wait();
        ended.assert_status(0);
        assert_eq!(ended.out.len(), PINGS, "{ended:#?}");
        let start = format!("pong from {}: time=", hub.id);
        for line in &ended.out {
            let time = line.strip_prefix(&start).and_then(|rest| rest.strip_suffix(" ms"));
            let time = time.and_then(|time| time.parse::<f64>().ok());
            let soon = |ms| Duration::from_secs_f64(ms / 1e3) <= AT_MOST;
            assert!(time.is_some_and(soon), "{line} among {:#?}", ended.out);
        }
    }
}

#[tokio::test]
async fn a_peer_of_another_program_is_answered_soon_over_quic() {
    let hub = Hub::start();
    let mut pinger = Pinger::new(Duration::from_millis(20));
    pinger.dial(hub.address("quic-v1"));
    let pongs = pinger.pongs(PINGS).await;
    assert!(pongs.iter().all(|time| *time <= AT_MOST), "{pongs:?}");
}

/// It does not answer version 2, with which every dial begins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_of_an_older_webrtc_direct_is_reached() {
    let address = old::listener().await;
    for address in [&*address, without_id(&address)] {
        let ended = tincan(&format!("ping {address} -c 1 --ephemeral")).run(b"");
        ended.assert_status(0);
        assert_eq!(ended.out.len(), 1, "{ended:#?}");
    }
}

#[test]
fn a_dead_address_is_an_error_within_the_time_out() {
    for address in ["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1/ws", "/ip4/127.0.0.1/udp/1/quic-v1"] {
        let mut running = tincan(&format!("ping {address} --ephemeral")).start();
        running.wait_at_most(Duration::from_secs(15));
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
