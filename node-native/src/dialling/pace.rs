//! When the next address of a peer is tried.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use tokio::{
    sync::{Mutex as FairMutex, Notify},
    time::{Instant, sleep_until},
};

use super::lock;

/// Between two tries (RFC 8305, *Connection Attempt Delay*).
pub(crate) const STAGGER: Duration = Duration::from_millis(250);

/// Tries of one peer's addresses: each waits for its turn.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the last one began. Whoever holds it is next; the others wait in the order in which they came.
    last: FairMutex<Option<Instant>>,
    failed: Notify,
}

impl Pace {
    /// Returns when the next try may begin: some time after the last one, or as soon as one has failed.
    pub(crate) async fn turn(&self) {
        let mut last = self.last.lock().await;
        if let Some(last) = *last {
            tokio::select! {
                () = sleep_until(last + STAGGER) => {}
                () = self.failed.notified() => {}
            }
        }
        *last = Some(Instant::now());
    }

    /// A try has failed: the next need not wait.
    pub(crate) fn failed(&self) {
        self.failed.notify_one();
    }
}

/// The paces of all peers that are being dialled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paces(Arc<Mutex<HashMap<PeerId, Weak<Pace>>>>);

impl Paces {
    /// The one of the peer that an address ends at; where that is not known, one of its own.
    pub(crate) fn of(&self, address: &Multiaddr) -> Arc<Pace> {
        let Some(peer) = peer_of(address) else { return Arc::default() };
        let mut paces = lock(&self.0);
        if let Some(pace) = paces.get(&peer).and_then(Weak::upgrade) {
            return pace;
        }
        // As many are left as there are dials.
        paces.retain(|_, pace| pace.strong_count() > 0);
        let pace = Arc::default();
        paces.insert(peer, Arc::downgrade(&pace));
        pace
    }
}

/// The peer at the end of an address.
pub(crate) fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tries_are_apart_unless_one_fails() {
        let (pace, began) = (Pace::default(), Instant::now());
        pace.turn().await;
        assert_eq!(began.elapsed(), Duration::ZERO, "the first does not wait");
        pace.turn().await;
        assert_eq!(began.elapsed(), STAGGER);
        let failing = async {
            tokio::time::sleep(STAGGER / 5).await;
            pace.failed();
        };
        tokio::join!(pace.turn(), failing);
        assert_eq!(began.elapsed(), STAGGER + STAGGER / 5);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_its_turn_holds_nobody_up() {
        let (pace, began) = (Pace::default(), Instant::now());
        pace.turn().await;
        let gone = tokio::time::timeout(STAGGER / 2, pace.turn()).await;
        assert!(gone.is_err());
        pace.turn().await;
        assert_eq!(began.elapsed(), STAGGER);
    }

    #[test]
    fn a_peer_has_one_pace_as_long_as_it_is_dialled() {
        let paces = Paces::default();
        let peer = PeerId::random();
        let address = |n: u8| -> Multiaddr { format!("/ip4/192.0.2.{n}/tcp/1/p2p/{peer}").parse().unwrap() };
        let first = paces.of(&address(1));
        assert!(Arc::ptr_eq(&first, &paces.of(&address(2))));
        let nameless: Multiaddr = "/ip4/192.0.2.1/tcp/1".parse().unwrap();
        assert!(!Arc::ptr_eq(&paces.of(&nameless), &paces.of(&nameless)));
        drop(first);
        for _ in 0..100 {
            let other = format!("/ip4/192.0.2.1/tcp/1/p2p/{}", PeerId::random());
            paces.of(&other.parse().unwrap());
        }
        assert!(lock(&paces.0).len() <= 1, "no peer is remembered that is not dialled");
    }
}
