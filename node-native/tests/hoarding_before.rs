//! What a hub holds for strangers without a key, as the system sees it.

mod hostile;
#[path = "../../webrtc/tests/raw/mod.rs"]
mod raw;
mod support;

use std::time::{Duration, Instant};

use hostile::memory::Memory;
use libp2p::Multiaddr;
use raw::{Raw, TINY_FRAME};
use support::Hub;

/// What a hub may grow by meanwhile; it holds 64 KiB for each of them, and has to find its size first.
const MAX_GROWTH_KIB: u64 = 8 * 1024;
/// Frames that a stranger sends over one connection, unless that ends before.
const FRAMES: usize = 400_000;
/// For how long strangers whose connections end make new ones.
const FLOOD: Duration = Duration::from_secs(2);

/// Sends small frames as fast as it can, on the handshake's channel or on one that it opens itself; a connection that ends
/// is made anew. Returns how many frames went over how many connections.
async fn flood(address: Multiaddr) -> (usize, usize) {
    let begun = Instant::now();
    let (mut sent, mut connections) = (0, 0);
    loop {
        let mut raw = Raw::dial(&address).await;
        connections += 1;
        let id = if connections % 2 == 1 { raw.channel() } else { raw.first };
        let mut here = 0;
        while here < FRAMES && !raw.ended && !raw.is_closed(id) {
            while here < FRAMES && raw.write(id, &TINY_FRAME) {
                here += 1;
            }
            raw.turn().await;
        }
        sent += here;
        if here == FRAMES || begun.elapsed() >= FLOOD {
            return (sent, connections);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_without_a_key_cost_a_hub_next_to_nothing() {
    let hub = Hub::start();
    let address: Multiaddr = hub.address("webrtc-direct").parse().expect("an address");
    for strangers in [1, 4] {
        let before = Memory::of(&hub);
        let running: Vec<_> = (0..strangers).map(|_| tokio::spawn(flood(address.clone()))).collect();
        let (mut sent, mut connections) = (0, 0);
        for stranger in running {
            let (frames, dials) = stranger.await.expect("it ran");
            sent += frames;
            connections += dials;
        }
        let growth = Memory::of(&hub).peak.saturating_sub(before.now);
        println!("{strangers} strangers, {connections} connections, {sent} frames: {growth} KiB more at most");
        assert!(growth <= MAX_GROWTH_KIB, "{growth} KiB more for {sent} frames of {strangers} strangers");
    }
}
