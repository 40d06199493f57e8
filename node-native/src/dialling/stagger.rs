//! The delay between attempts to connect to the addresses of one peer.

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

/// Time between two attempts (RFC 8305, *Connection Attempt Delay*).
pub(crate) const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Makes the attempts to connect to one peer's addresses wait for each other.
#[derive(Debug, Default)]
pub(crate) struct Stagger {
    /// When the last attempt began. The attempt that has this locked is next; the others wait in order of arrival.
    last: FairMutex<Option<Instant>>,
    failed: Notify,
}

impl Stagger {
    /// Waits until the next attempt may begin: [`ATTEMPT_DELAY`] after the last one, or as soon as one has failed.
    pub(crate) async fn wait_turn(&self) {
        let mut last = self.last.lock().await;
        if let Some(last) = *last {
            tokio::select! {
                () = sleep_until(last + ATTEMPT_DELAY) => {}
                () = self.failed.notified() => {}
            }
        }
        *last = Some(Instant::now());
    }

    /// An attempt has failed: the next one need not wait.
    pub(crate) fn failed(&self) {
        self.failed.notify_one();
    }
}

/// The [`Stagger`]s of all peers that are being dialled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Staggers(Arc<Mutex<HashMap<PeerId, Weak<Stagger>>>>);

impl Staggers {
    /// That of the peer at the end of an address, or a new one if the address names no peer.
    pub(crate) fn of(&self, address: &Multiaddr) -> Arc<Stagger> {
        let Some(peer) = peer_of(address) else { return Arc::default() };
        let mut staggers = lock(&self.0);
        if let Some(stagger) = staggers.get(&peer).and_then(Weak::upgrade) {
            return stagger;
        }
        // Bounds the map by the number of dials.
        staggers.retain(|_, stagger| stagger.strong_count() > 0);
        let stagger = Arc::default();
        staggers.insert(peer, Arc::downgrade(&stagger));
        stagger
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
        let (stagger, began) = (Stagger::default(), Instant::now());
        stagger.wait_turn().await;
        assert_eq!(began.elapsed(), Duration::ZERO, "the first does not wait");
        stagger.wait_turn().await;
        assert_eq!(began.elapsed(), ATTEMPT_DELAY);
        let failing = async {
            tokio::time::sleep(ATTEMPT_DELAY / 5).await;
            stagger.failed();
        };
        tokio::join!(stagger.wait_turn(), failing);
        assert_eq!(began.elapsed(), ATTEMPT_DELAY + ATTEMPT_DELAY / 5);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_its_turn_holds_nobody_up() {
        let (stagger, began) = (Stagger::default(), Instant::now());
        stagger.wait_turn().await;
        let gone = tokio::time::timeout(ATTEMPT_DELAY / 2, stagger.wait_turn()).await;
        assert!(gone.is_err());
        stagger.wait_turn().await;
        assert_eq!(began.elapsed(), ATTEMPT_DELAY);
    }

    #[test]
    fn attempts_of_all_dials_of_a_peer_share_one_delay() {
        let staggers = Staggers::default();
        let peer = PeerId::random();
        let address = |n: u8| -> Multiaddr { format!("/ip4/192.0.2.{n}/tcp/1/p2p/{peer}").parse().unwrap() };
        let first = staggers.of(&address(1));
        assert!(Arc::ptr_eq(&first, &staggers.of(&address(2))));
        let nameless: Multiaddr = "/ip4/192.0.2.1/tcp/1".parse().unwrap();
        assert!(!Arc::ptr_eq(&staggers.of(&nameless), &staggers.of(&nameless)));
        drop(first);
        for _ in 0..100 {
            let other = format!("/ip4/192.0.2.1/tcp/1/p2p/{}", PeerId::random());
            staggers.of(&other.parse().unwrap());
        }
        assert!(lock(&staggers.0).len() <= 1, "no peer is remembered that is not dialled");
    }
}
