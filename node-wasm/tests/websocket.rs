//! Which addresses are a WebSocket's, and what a dial that leads nowhere says.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use futures::future::Either;
use libp2p::{
    core::{
        Endpoint,
        transport::{DialOpts, ListenerId, PortUse, Transport as _, TransportError},
    },
    identity::Keypair,
};
use n0_future::time::{Instant, sleep};
use tincan_shared::Multiaddr;
use tincan_wasm::{
    transport,
    websocket::{Address, Transport},
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const HUB: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
const OTHER: &str = "12D3KooWA6VbhfqnZjxRgUHuNgs5ssbDTT2vFh6FcHhJ5oaG8bQS";
/// The browser itself forbids port 1; nobody listens on 2.
const CLOSED: [&str; 3] = ["/ip4/127.0.0.1/tcp/1/ws", "/ip4/127.0.0.1/tcp/2/ws", "/dns4/localhost/tcp/2/tls/ws"];
/// The swarm would give up after ten seconds: a refusal has to come long before.
const AT_ONCE: Duration = Duration::from_secs(1);

fn address(text: &str) -> Multiaddr {
    text.replace("HUB", HUB).replace("OTHER", OTHER).parse().unwrap()
}

fn options(role: Endpoint) -> DialOpts {
    DialOpts { role, port_use: PortUse::Reuse }
}

/// The error of a dial, and that it came soon.
async fn refused<T>(dial: impl Future<Output = std::io::Result<T>>) -> std::io::Error {
    let began = Instant::now();
    let (dial, patience) = (std::pin::pin!(dial), std::pin::pin!(sleep(Duration::from_secs(15))));
    let error = match futures::future::select(dial, patience).await {
        Either::Left((dialled, _)) => dialled.err().unwrap(),
        Either::Right(_) => panic!("the dial never ended"),
    };
    wasm_bindgen_test::console_log!("refused after {:?}: {error}", began.elapsed());
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    error
}

#[wasm_bindgen_test]
fn addresses_become_urls() {
    for (text, url) in [
        ("/ip4/192.168.1.4/tcp/4748/ws", "ws://192.168.1.4:4748/"),
        ("/ip6/::1/tcp/4748/ws", "ws://[::1]:4748/"),
        ("/dns/hub.example/tcp/80/ws", "ws://hub.example:80/"),
        ("/dns4/hub_1.example/tcp/443/wss", "wss://hub_1.example:443/"),
        ("/dns6/grün.example/tcp/443/tls/ws", "wss://grün.example:443/"),
        ("/ip6/fe80::1/tcp/443/tls/ws/p2p/HUB", "wss://[fe80::1]:443/"),
        ("/dns4/hub.example/tcp/4748/ws/p2p/HUB", "ws://hub.example:4748/"),
        ("/dns4/hub.example/tcp/80/x-parity-ws/%2Fpeers", "ws://hub.example:80/peers"),
        ("/dns4/hub.example/tcp/80/x-parity-ws/@other.example%2F", "ws://hub.example:80/@other.example/"),
    ] {
        let parsed = Address::of(&address(text)).unwrap();
        assert_eq!(parsed.url().as_deref(), Some(url), "{text}");
        assert_eq!(parsed.peer.is_some(), text.ends_with("HUB"), "{text}");
        assert!(Transport.dial(address(text), options(Endpoint::Dialer)).is_ok(), "{text}");
    }
}

#[wasm_bindgen_test]
fn other_addresses_are_left_to_other_transports() {
    let mut transport = Transport;
    for text in [
        "/ip4/10.0.0.1/tcp/4747",
        "/ip4/10.0.0.1/udp/4747/quic-v1",
        "/ip4/10.0.0.1/udp/4748/webrtc-direct",
        "/dnsaddr/hub.example/tcp/4748/ws",
        "/ip4/10.0.0.1/tcp/4748/tls",
        "/ip4/10.0.0.1/tcp/4748/tls/wss",
        "/ip4/10.0.0.1/ws",
        "/tcp/4748/ws",
        "/p2p/HUB",
        "/ip4/10.0.0.1/tcp/4748/ws/p2p/HUB/p2p-circuit",
        "/ip4/10.0.0.1/tcp/4748/ws/p2p/HUB/p2p-circuit/p2p/OTHER",
        "/ip4/10.0.0.1/tcp/4748/ws/p2p/HUB/p2p-circuit/webrtc/p2p/OTHER",
        "/ip4/10.0.0.1/tcp/4748/ws/p2p/HUB/p2p/OTHER",
        "/ip4/10.0.0.1/tcp/4748/ws/webrtc",
        "/dns4/user@other.example/tcp/80/ws",
        "/dns4/other.example?/tcp/80/ws",
        "/dns4/a b/tcp/80/ws",
    ] {
        let dialled = transport.dial(address(text), options(Endpoint::Dialer)).map(drop);
        assert!(matches!(dialled, Err(TransportError::MultiaddrNotSupported(it)) if it == address(text)), "{text}");
    }
    let hub = address("/ip4/10.0.0.1/tcp/4748/ws");
    let listening = transport.listen_on(ListenerId::next(), hub.clone());
    assert!(matches!(listening, Err(TransportError::MultiaddrNotSupported(_))));
    let reversed = transport.dial(hub, options(Endpoint::Listener)).map(drop);
    assert!(matches!(reversed, Err(TransportError::MultiaddrNotSupported(_))));
}

#[wasm_bindgen_test]
async fn a_closed_port_is_told_at_once() {
    for text in CLOSED {
        let error = refused(Transport.dial(address(text), options(Endpoint::Dialer)).unwrap()).await;
        assert_eq!(error.to_string(), "the connection was refused or the address is wrong", "{text}");
    }
}

#[wasm_bindgen_test]
async fn a_closed_port_is_told_through_all_layers() {
    let mut transport = transport::build(&Keypair::generate_ed25519()).unwrap();
    let error = refused(transport.dial(address(CLOSED[1]), options(Endpoint::Dialer)).unwrap()).await;
    assert!(error.to_string().contains("refused"), "{error}");
}

#[wasm_bindgen_test]
async fn what_the_browser_takes_for_no_url_is_told() {
    let nowhere = Transport.dial(address("/dns4/1.2.3.4.5/tcp/80/ws"), options(Endpoint::Dialer)).unwrap();
    let error = refused(nowhere).await;
    assert_eq!(error.to_string(), "the browser cannot open ws://1.2.3.4.5:80/; check host and port");
}
