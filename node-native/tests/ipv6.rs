//! Hosts with IPv6 only, and hosts without it.
#![cfg(target_os = "linux")]

mod support;

use support::{
    Hub,
    forbid::IPV6,
    http::get,
    network::{self, IPV6_ADDRESSES, Network},
    tincan, tincan_in,
};

const SUBJECT: &str = "hosts with IPv6 only";

#[test]
fn a_hub_with_ipv6_alone_serves_its_page_and_its_peers() {
    const NAME: &str = "a_hub_with_ipv6_alone_serves_its_page_and_its_peers";
    if let Some(page) = network::told() {
        assert_eq!(get(&page, "/healthz").body, "ok");
        let answer = get(&page, "/api/v1/node");
        let node: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        for address in node["addresses"].as_array().expect("a list") {
            let address = address.as_str().expect("text");
            if address.starts_with("/ip6/fd77::1/") {
                tincan(&format!("ping {address} -c 1 --ephemeral")).run(b"").assert_status(0);
            }
        }
        return;
    }
    let Some(network) = Network::ipv6_only(SUBJECT) else { return };
    let mut hub = Hub::of(tincan_in(&network.hosts[0], "serve --ephemeral --no-mdns"));
    for transport in ["/tcp/4747/p2p", "/tcp/4748/ws/p2p", "/udp/4747/quic-v1/p2p", "/udp/4748/webrtc-direct/certhash"]
    {
        let address = format!("/ip6/{}{transport}/", IPV6_ADDRESSES[0]);
        assert!(hub.addresses.iter().any(|found| found.starts_with(&address)), "{address} in {:#?}", hub.addresses);
    }
    let page = format!("[{}]:8747", IPV6_ADDRESSES[0]);
    hub.running.out.containing(&format!("page: http://{page}/"));
    network.run_inside(NAME, &page);
}

#[test]
fn the_page_is_on_both_families_by_default() {
    const NAME: &str = "the_page_is_on_both_families_by_default";
    if network::told().is_some() {
        for host in ["127.0.0.1:8747", "[::1]:8747"] {
            assert_eq!(get(host, "/healthz").body, "ok", "{host}");
        }
        return;
    }
    let Some(network) = Network::new("a page on both families of addresses") else { return };
    let hub = Hub::of(tincan_in(&network.hosts[1], "serve --ephemeral --no-mdns"));
    assert_eq!(hub.http, "127.0.0.1:8747");
    network.run_inside(NAME, "");
}

#[test]
fn a_host_without_ipv6_says_so_once_and_serves_ipv4() {
    let Some(network) = Network::new("a host without IPv6") else { return };
    let hub = Hub::read(tincan_in(&network.hosts[0], "serve --ephemeral --no-mdns").start_without(IPV6));
    assert_eq!(hub.http, "127.0.0.1:8747");
    assert!(hub.addresses.iter().all(|address| address.starts_with("/ip4/")), "{:#?}", hub.addresses);
    hub.running.signal("TERM");
    let ended = hub.running.wait();
    ended.assert_status(0);
    let told = ended.err.iter().filter(|line| line.contains("this host has no IPv6")).count();
    assert_eq!(told, 1, "{:#?}", ended.err);
}
