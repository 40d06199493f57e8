//! Hostile input at each listener before anybody has authenticated. Seeds and counts: `hostile/siege.rs`.

mod hostile;
mod support;

use std::net::SocketAddr;

use hostile::{dice::Dice, http, plan::Plan, quic, siege::Siege, stun, tcp, udp, ws};
use libp2p::Multiaddr;

/// Connections at once: most only wait for the hub to hang up. It takes 256 that have not authenticated.
const AT_ONCE: usize = 160;

/// Dials at once that somebody disturbs; each costs a handshake.
const DIALS_AT_ONCE: usize = 24;

fn socket(address: &str) -> SocketAddr {
    udp::socket(&address.parse().expect("an address"))
}

/// Half of it are datagrams without a connection, half dials that somebody disturbs.
async fn besiege_by_datagrams(name: &'static str, transport: &str, datagram: fn(&mut Dice) -> Vec<u8>) {
    let siege = Siege::lay(name, transport);
    let hub: Multiaddr = siege.hub.address(transport).parse().expect("an address");
    let (hub, target) = (&hub, udp::socket(&hub));
    let attack = |mut dice: Dice| async move {
        match dice.one_in(2) {
            true => udp::flood(&mut dice, target, datagram).await,
            false => udp::disturb(&mut dice, hub).await,
        }
    };
    siege.run(DIALS_AT_ONCE, attack).await;
    siege.lift();
}

async fn besiege(siege: Siege, listener: SocketAddr, plan: impl Fn(&mut Dice) -> Plan) {
    let plan = &plan;
    siege.run(AT_ONCE, |mut dice| async move { plan(&mut dice).carry_out(listener).await }).await;
    siege.lift();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tcp_bears_it() {
    let siege = Siege::lay("tcp", "tcp");
    let listener = socket(siege.hub.address("tcp"));
    besiege(siege, listener, tcp::plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websocket_bears_it() {
    let siege = Siege::lay("ws", "ws");
    let listener = socket(siege.hub.address("ws"));
    besiege(siege, listener, ws::plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_bears_it() {
    let siege = Siege::lay("http", "tcp");
    let listener = siege.hub.http.parse().expect("a socket");
    besiege(siege, listener, http::plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quic_bears_it() {
    besiege_by_datagrams("quic", "quic-v1", quic::datagram).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webrtc_direct_bears_it() {
    besiege_by_datagrams("webrtc-direct", "webrtc-direct", stun::datagram).await;
}
