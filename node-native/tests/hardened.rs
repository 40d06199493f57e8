//! A service that may use internet sockets and no others, as systemd's `RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX`
//! makes it.
#![cfg(target_os = "linux")]

mod support;

use support::{
    Hub,
    forbid::NETLINK,
    http::get,
    network::{ADDRESSES, Network, tincan_entering},
    tincan, tincan_in,
};

const SUBJECT: &str = "a hardened service";

#[test]
fn a_hub_that_may_not_watch_interfaces_listens_on_the_addresses_that_are_there() {
    let Some(network) = Network::new(SUBJECT) else { return };
    let [a, b] = &network.hosts;
    let mut hub = Hub::read(tincan_entering(a, "serve --ephemeral").start_without(NETLINK));
    let warned = hub.running.err.containing("network interfaces cannot be watched here");
    assert!(warned.contains("WARN") && warned.contains("AF_NETLINK"), "{warned}");
    for ip in ["127.0.0.1", ADDRESSES[0]] {
        for transport in
            ["/tcp/4747/p2p", "/tcp/4748/ws/p2p", "/udp/4747/quic-v1/p2p", "/udp/4748/webrtc-direct/certhash"]
        {
            let address = format!("/ip4/{ip}{transport}/");
            assert!(hub.addresses.iter().any(|found| found.starts_with(&address)), "{address} in {:#?}", hub.addresses);
        }
    }
    for address in hub.addresses.iter().filter(|address| address.contains(ADDRESSES[0])) {
        tincan_in(b, &format!("ping {address} -c 1 --ephemeral")).run(b"").assert_status(0);
    }
}

#[test]
fn a_terminal_that_may_not_watch_interfaces_chats() {
    let hub = Hub::start();
    let mut ann = tincan(&format!("chat --ephemeral --nick ann {}", hub.address("tcp"))).start();
    let mut ben = tincan(&format!("chat --ephemeral --nick ben {}", hub.address("quic-v1"))).start_without(NETLINK);
    ben.err.containing("network interfaces cannot be watched here");
    ben.err.containing("joined: ");
    ben.line("from a small room");
    let line = ann.out.next();
    assert!(line.starts_with("[lobby] ben (") && line.ends_with("): from a small room"), "{line}");
    let health = get(&hub.http, "/healthz");
    assert_eq!(health.status, 200);
}
