//! Hostile peers with a valid key, over each transport. Seeds and counts: `hostile/siege.rs`.

mod hostile;
mod support;

use std::time::Duration;

use hostile::{dice::Dice, floods, gossip, identity, own, records, siege::Siege};
use libp2p::Multiaddr;

/// Peers at once.
const AT_ONCE: usize = 16;

/// How long one case may take; the hub's own time-outs are up to 20 s.
const CASE_TIMEOUT: Duration = Duration::from_secs(60);

async fn besiege(name: &'static str, transport: &str) {
    let siege = Siege::lay(name, transport);
    let hub: Multiaddr = siege.hub.address(transport).parse().expect("an address");
    let hub = &hub;
    siege.run(AT_ONCE, |dice| attack(dice, hub)).await;
    siege.lift();
}

async fn attack(mut dice: Dice, hub: &Multiaddr) -> Result<(), String> {
    let kind = *dice.pick(&["gossip", "gossip", "records", "identity", "own protocols", "floods"]);
    let attack = async {
        match kind {
            "gossip" => gossip::attack(&mut dice, hub).await,
            "records" => records::attack(&mut dice, hub).await,
            "identity" => identity::attack(&mut dice, hub).await,
            "own protocols" => own::attack(&mut dice, hub).await,
            _ => floods::attack(&mut dice, hub).await,
        }
    };
    let attacked = tokio::time::timeout(CASE_TIMEOUT, attack).await;
    attacked.unwrap_or_else(|_| Err("not over in time".to_owned())).map_err(|error| format!("{kind}: {error}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tcp() {
    besiege("after, tcp", "tcp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_websocket() {
    besiege("after, ws", "ws").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_quic() {
    besiege("after, quic", "quic-v1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_webrtc_direct() {
    besiege("after, webrtc-direct", "webrtc-direct").await;
}
