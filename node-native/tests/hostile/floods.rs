//! Streams by the hundred, and negotiations that lead nowhere.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::Multiaddr;
use tokio::time::timeout;

use super::{
    dice::Dice,
    habits::Habits,
    peer::{Peer, WAIT, line},
};

/// Streams of one flood: more than a hub negotiates at once.
const STREAMS: usize = 400;
/// Streams on which nothing is said: more would wait on our own side.
const UNSAID: usize = 100;
/// How long another stream is waited for.
const BACKPRESSURE: Duration = Duration::from_secs(1);
const PROTOCOLS: [&str; 8] = [
    "/meshsub/1.1.0",
    "/tincan/kad/1.0.0",
    "/ipfs/id/1.0.0",
    "/ipfs/ping/1.0.0",
    "/tincan/hub/1.0.0",
    "/tincan/sync/1.0.0",
    "/libp2p/circuit/relay/0.2.0/hop",
    "/libp2p/circuit/relay/0.2.0/stop",
];

pub async fn attack(dice: &mut Dice, hub: &Multiaddr) -> Result<(), String> {
    let peer = Peer::stranger(hub, Habits::modest).await?;
    let protocol = *dice.pick(&PROTOCOLS);
    let kind = dice.below(6);
    let many = dice.between(1, if kind == 0 { UNSAID } else { STREAMS });
    let mut streams = Vec::new();
    for n in 0..many {
        // Who has all the streams it may have waits for more: that is the end of this flood.
        let Ok(Ok(mut stream)) = timeout(BACKPRESSURE, peer.raw()).await else { break };
        let header = line("/multistream/1.0.0");
        let bytes = match kind {
            0 => Vec::new(),
            1 => dice.bytes(200),
            2 => [header, line(&format!("/no/such/{n}")).repeat(20)].concat(),
            3 => [header, line(protocol)].concat(),
            4 => [header, line(protocol), dice.bytes(3000)].concat(),
            _ => [header, line(protocol), vec![0xff; 10]].concat(),
        };
        let told = timeout(WAIT, async {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
        });
        told.await.map_err(|_| "a stream that is neither read nor reset".to_owned())?;
        streams.push(stream);
    }
    if kind == 1 {
        // What is no negotiation at all must be ended.
        for mut stream in streams {
            let ended = timeout(WAIT, stream.read_to_end(&mut Vec::new())).await;
            ended.map_err(|_| "garbage instead of a negotiation is not ended".to_owned())?.ok();
        }
        return Ok(());
    }
    drop(streams.split_off(streams.len() / 2));
    peer.heard().await
}
