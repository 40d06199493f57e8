//! What a page can dial, and where it looks for a hub.

#![allow(clippy::unwrap_used)]

use tincan_shared::{Multiaddr, PeerId};
use tincan_wasm::{
    hubs::{self, Announced},
    transport::{Surroundings, local_network_hint, parse},
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const HUB: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
const HASH: &str = "uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g";
const OTHER: &str = "12D3KooWA6VbhfqnZjxRgUHuNgs5ssbDTT2vFh6FcHhJ5oaG8bQS";

fn page(hostname: &str, https: bool) -> Surroundings {
    Surroundings { hostname: hostname.into(), https }
}

fn refusal(text: &str, page: &Surroundings) -> String {
    parse(text, page).unwrap_err().to_string()
}

fn announced(addresses: &[&str]) -> Announced {
    let addresses = addresses.iter().map(|address| address.replace("HUB", HUB).parse().unwrap()).collect();
    Announced { peer: HUB.parse().unwrap(), addresses, page: None }
}

fn seen(page: &Surroundings, addresses: &[&str]) -> Vec<String> {
    let seen = hubs::seen_from(page, &announced(addresses));
    seen.iter().map(|address| address.to_string().replace(HUB, "HUB")).collect()
}

#[wasm_bindgen_test]
fn websocket_addresses_are_dialled() {
    let page = page("hub.test", false);
    for text in [
        "/ip4/192.168.1.4/tcp/4748/ws".to_owned(),
        format!(" /ip6/::1/tcp/4748/ws/p2p/{HUB} "),
        format!("/dns4/hub.example/tcp/443/wss/p2p/{HUB}"),
        format!("/dns/hub.example/tcp/443/tls/ws/p2p/{HUB}"),
        format!("/ip4/10.0.0.1/tcp/4748/ws/p2p/{HUB}/p2p-circuit/p2p/{OTHER}"),
    ] {
        assert!(parse(&text, &page).is_ok(), "{text}");
    }
}

#[wasm_bindgen_test]
fn other_addresses_are_refused_with_the_reason() {
    let page = page("hub.test", false);
    assert!(refusal("hub.example:4748", &page).contains("it is no multiaddr; write one like"));
    let tcp = refusal("/ip4/192.168.1.4/tcp/4747", &page);
    assert!(tcp.contains("no transport for tcp; it dials /ws, /wss and /webrtc-direct"), "{tcp}");
    let quic = refusal(&format!("/ip4/192.168.1.4/udp/4747/quic-v1/p2p/{HUB}"), &page);
    assert!(quic.contains("no transport for udp/quic-v1"), "{quic}");
    assert!(refusal(&format!("/p2p/{HUB}"), &page).contains("an address without one"));
    // A circuit without its relay's id cannot be told from a wrong one.
    assert!(parse(&format!("/ip4/10.0.0.1/tcp/1/ws/p2p-circuit/p2p/{OTHER}"), &page).is_err());
    assert!(!refusal("/ip4/1\u{202e}", &page).contains('\u{202e}'));
}

#[wasm_bindgen_test]
fn webrtc_direct_addresses_are_dialled_when_they_are_whole() {
    for page in [page("hub.test", false), page("hub.test", true)] {
        let direct = format!("/ip4/192.168.1.4/udp/4748/webrtc-direct/certhash/{HASH}");
        for text in
            [direct.clone(), format!("{direct}/p2p/{HUB}"), format!("{direct}/p2p/{HUB}/p2p-circuit/p2p/{OTHER}")]
        {
            assert!(parse(&text, &page).is_ok(), "{text}");
        }
        assert!(parse(&format!("{direct}/p2p-circuit/p2p/{OTHER}"), &page).is_err());
        let bare = refusal("/ip4/192.168.1.4/udp/4748/webrtc-direct", &page);
        assert!(
            bare.ends_with("needs the /certhash of its listener; copy the whole address that the hub prints"),
            "{bare}"
        );
    }
}

#[wasm_bindgen_test]
fn a_hub_is_dialled_by_websocket_and_by_webrtc() {
    let direct = |ip: &str| format!("/ip4/{ip}/udp/4748/webrtc-direct/certhash/{HASH}/p2p/HUB");
    let theirs = [direct("10.0.0.1"), direct("127.0.0.1"), "/ip4/10.0.0.1/tcp/4748/ws".to_owned()];
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
    let ws = |host: &str| format!("{host}/tcp/4748/ws/p2p/HUB");
    assert_eq!(
        seen(&page("192.168.1.4", false), &theirs),
        [ws("/ip4/192.168.1.4"), ws("/ip4/10.0.0.1"), direct("192.168.1.4"), direct("10.0.0.1")]
    );
    assert_eq!(seen(&page("hub.test", true), &theirs), [direct("10.0.0.1")]);
    assert_eq!(
        seen(&page("localhost", false), &theirs),
        [ws("/dns4/localhost"), ws("/ip4/10.0.0.1"), direct("127.0.0.1"), direct("10.0.0.1")]
    );
}

#[wasm_bindgen_test]
fn an_https_page_dials_ws_on_its_own_machine_only() {
    let page = page("hub.example", true);
    let refused = refusal("/dns4/other.example/tcp/4748/ws", &page);
    assert!(refused.ends_with("this page is https and cannot dial ws://; use a wss address or another hub"));
    assert!(parse("/ip4/127.0.0.1/tcp/4748/ws", &page).is_ok());
    assert!(parse("/dns4/localhost/tcp/4748/ws", &page).is_ok());
    assert!(parse("/dns4/other.example/tcp/443/wss", &page).is_ok());
}

#[wasm_bindgen_test]
fn the_pages_own_host_name_comes_first() {
    assert_eq!(
        seen(
            &page("hub.test", false),
            &["/ip4/127.0.0.1/tcp/4748/ws/p2p/HUB", "/ip4/172.17.0.2/tcp/4748/ws/p2p/HUB", "/ip4/172.17.0.2/tcp/4747"]
        ),
        ["/dns4/hub.test/tcp/4748/ws/p2p/HUB", "/ip4/172.17.0.2/tcp/4748/ws/p2p/HUB"],
        "a loopback address of another machine is left out"
    );
    assert_eq!(
        seen(&page("192.168.1.4", false), &["/ip4/192.168.1.4/tcp/4748/ws"]),
        ["/ip4/192.168.1.4/tcp/4748/ws/p2p/HUB"],
        "one address is dialled once"
    );
    assert_eq!(
        seen(&page("::1", false), &["/ip4/127.0.0.1/tcp/9/ws/p2p/HUB", "/ip4/0.0.0.0/tcp/9/ws"]),
        ["/ip6/::1/tcp/9/ws/p2p/HUB", "/ip4/127.0.0.1/tcp/9/ws/p2p/HUB"]
    );
    assert_eq!(
        seen(
            &page("hub.example", true),
            &["/ip4/10.0.0.1/tcp/4748/ws/p2p/HUB", "/dns4/wss.example/tcp/443/tls/ws/p2p/HUB"]
        ),
        ["/dns4/hub.example/tcp/443/tls/ws/p2p/HUB", "/dns4/wss.example/tcp/443/tls/ws/p2p/HUB"],
        "an https page dials only what is encrypted"
    );
    assert_eq!(seen(&page("hub.test", false), &["/ip4/10.0.0.1/tcp/4747", "/ip4/10.0.0.1/udp/1/quic-v1"]), [""; 0]);
}

#[wasm_bindgen_test]
fn another_peers_addresses_are_not_the_hubs() {
    let foreign = format!("/ip4/10.0.0.1/tcp/4748/ws/p2p/{OTHER}");
    let circuit = format!("/ip4/10.0.0.1/tcp/4748/ws/p2p/{HUB}/p2p-circuit");
    assert_eq!(seen(&page("hub.test", false), &[&foreign, &circuit]), [""; 0]);
}

#[wasm_bindgen_test]
fn addresses_are_grouped_by_hub() {
    let address = |text: &str| -> Multiaddr { text.replace("HUB", HUB).replace("OTHER", OTHER).parse().unwrap() };
    let groups = hubs::by_hub([
        address("/ip4/10.0.0.1/tcp/1/ws/p2p/HUB"),
        address("/ip4/10.0.0.3/tcp/1/ws"),
        address("/ip4/10.0.0.2/tcp/1/ws/p2p/OTHER"),
        address("/ip6/::1/tcp/1/ws/p2p/HUB"),
        address("/ip4/10.0.0.4/tcp/1/ws"),
    ]);
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 1]);
    let many = (0..100).map(|port| address(&format!("/ip4/10.0.0.1/tcp/{port}/ws/p2p/HUB")));
    assert_eq!(hubs::by_hub(many).iter().map(Vec::len).collect::<Vec<_>>(), [hubs::MAX_ADDRESSES]);
}

#[wasm_bindgen_test]
fn this_window_is_read() {
    let here = Surroundings::here();
    assert!(here.on_loopback(), "the test runner serves on loopback, this is {here:?}");
    let _: PeerId = HUB.parse().unwrap();
}

#[wasm_bindgen_test]
fn a_public_page_that_does_not_reach_a_local_address_says_what_the_browser_may_have_forbidden() {
    let hint = |here: &str, host: &str| local_network_hint(host, &page(here, false)).is_some();
    for host in ["192.168.1.4", "127.0.0.1", "fd00::4", "localhost", "hub.local"] {
        assert!(hint("chat.example.org", host) && hint("203.0.113.7", host), "{host}");
        for local in ["192.168.1.9", "localhost", "hub.lan", ""] {
            assert!(!hint(local, host), "{local} {host}");
        }
    }
    assert!(!hint("chat.example.org", "203.0.113.9") && !hint("chat.example.org", "hub.example.org"));
}
