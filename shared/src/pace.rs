//! How fast strangers' streams and messages are taken, however small they are: what is not taken keeps its sender waiting.

use std::{collections::HashMap, sync::Arc, time::Duration};

use libp2p::PeerId;
use n0_future::time::sleep;
use tokio::sync::Semaphore;

/// Peers whose turns are remembered; above it those without a turn are forgotten.
const REMEMBERED_TURNS: usize = 256;

/// So many turns at once for each peer; more wait.
#[derive(Debug)]
pub(crate) struct Turns {
    at_once: usize,
    peers: HashMap<PeerId, Arc<Semaphore>>,
}

impl Turns {
    pub(crate) fn new(at_once: usize) -> Self {
        Self { at_once, peers: HashMap::new() }
    }

    /// Where this peer's turns are to be had.
    pub(crate) fn of(&mut self, peer: PeerId) -> Arc<Semaphore> {
        if self.peers.len() >= REMEMBERED_TURNS {
            self.peers.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        self.peers.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(self.at_once))).clone()
    }
}

/// Pauses whenever messages of so much cost were read.
#[derive(Debug)]
pub(crate) struct Pace {
    at_once: usize,
    pause: Duration,
    read: usize,
}

impl Pace {
    pub(crate) fn new(at_once: usize, pause: Duration) -> Self {
        Self { at_once, pause, read: 0 }
    }

    /// Waits, if it is time for a pause, before a message of this cost is worked through.
    pub(crate) async fn read(&mut self, cost: usize) {
        if self.is_over(cost) {
            sleep(self.pause).await;
        }
    }

    fn is_over(&mut self, cost: usize) -> bool {
        self.read += cost;
        let is_over = self.read > self.at_once;
        if is_over {
            self.read = cost;
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_goes_between_two_pauses() {
        let mut pace = Pace::new(10, Duration::from_secs(1));
        let pauses = (0..100).filter(|_| pace.is_over(1)).count();
        assert_eq!(pauses, 9, "none before the first ten");
        let pauses = (0..100).filter(|_| pace.is_over(500)).count();
        assert_eq!(pauses, 100, "what costs much always waits");
    }
}
