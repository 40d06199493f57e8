//! Hostile input at each listener before anybody has authenticated. Seeds and counts: `hostile/siege.rs`.

mod hostile;
mod support;

use std::net::SocketAddr;

use hostile::{dice::Dice, http, plan::Plan, siege::Siege, tcp, ws};
use libp2p::{Multiaddr, multiaddr::Protocol};

/// Connections at once: most only wait for the hub to hang up. It takes 256 that have not authenticated.
const AT_ONCE: usize = 160;

/// Where a listener's socket is.
fn socket(address: &str) -> SocketAddr {
    let address: Multiaddr = address.parse().expect("an address");
    let mut parts = address.iter();
    match (parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port) | Protocol::Udp(port))) => (ip, port).into(),
        _ => panic!("{address} has no socket"),
    }
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
