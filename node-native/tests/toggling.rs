//! One stranger that joins and leaves a room all the time, at a hub with a crowd in very many rooms.

mod hostile;
mod support;

use std::time::{Duration, Instant};

use futures::AsyncWriteExt;
use hostile::{
    gossip::subscription,
    hub::{Watcher, member, watch},
    memory::{MAX_GROWTH_KIB, Memory, processor},
    proto::Proto,
};
use libp2p::Multiaddr;
use support::{Hub, PATIENCE};

/// Enough that one look at all of them takes a hub of the tests more than ten milliseconds.
const KEYS: usize = 128;
const ROOMS: usize = 64;
/// How often it joins or leaves.
const EVERY: Duration = Duration::from_millis(18);
const MEASURED: Duration = Duration::from_secs(4);
/// Processor time, as a share, that its doing may cost on top of what the crowd costs; looks may take an eleventh.
const MAX_SHARE: f64 = 0.25;

fn share(hub: &Hub, before: u64, began: Instant) -> f64 {
    let ticks = processor(hub) - before;
    ticks as f64 / 100.0 / began.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_and_goes_all_the_time_costs_a_crowded_hub_little() {
    let hub = Hub::start();
    let address: Multiaddr = hub.address("tcp").parse().expect("an address");
    let (toggler, (_, mut stream)) = member(&address, ["door".to_owned()]).await;
    let before = Memory::of(&hub);
    let mut crowd = Vec::new();
    for key in 0..KEYS {
        crowd.push(member(&address, (0..ROOMS).map(|n| format!("{key} {n}"))).await);
    }
    let grown = Memory::of(&hub).now.saturating_sub(before.now);
    let mut watcher = Watcher::open(&address).await;
    watcher.say(&watch([format!("{} 0", KEYS - 1), "door".to_owned()])).await;
    // The last of the crowd is seen.
    watcher.told(&[&crowd[KEYS - 1].0.id.to_bytes()]).await;

    let (began, used) = (Instant::now(), processor(&hub));
    tokio::time::sleep(MEASURED).await;
    let quiet = share(&hub, used, began);

    let (began, used) = (Instant::now(), processor(&hub));
    let mut beat = tokio::time::interval(EVERY);
    let mut is_in = true;
    while began.elapsed() < MEASURED {
        beat.tick().await;
        is_in = !is_in;
        stream.write_all(&Proto::prefixed(&subscription("door", is_in))).await.expect("taken");
        stream.flush().await.expect("taken");
    }
    let toggling = share(&hub, used, began);
    println!("{quiet:.2} of a processor, {toggling:.2} while one toggles; {grown} KiB more for the crowd");
    assert!(grown <= MAX_GROWTH_KIB, "{grown} KiB more for the crowd");
    assert!(toggling <= quiet + MAX_SHARE, "{quiet:.2} of a processor, and {toggling:.2} while one toggles");

    // And it is seen whether it is there in the end.
    let end = subscription("door", false);
    stream.write_all(&Proto::prefixed(&end)).await.expect("taken");
    stream.write_all(&Proto::prefixed(&subscription("door", true))).await.expect("taken");
    stream.flush().await.expect("taken");
    let mut late = Watcher::open(&address).await;
    late.say(&watch(["door".to_owned()])).await;
    let told = tokio::time::timeout(PATIENCE, late.told(&[b"door", &toggler.id.to_bytes()])).await;
    told.expect("it is there");
}
