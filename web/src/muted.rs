//! Whom this person does not want to read. Only this browser knows; the muted are not told. Pure.

use std::{collections::HashSet, fmt::Write};

use tincan_shared::PeerId;

use crate::routing;

/// Peers muted at once; the one muted first goes.
const MAX_MUTED: usize = 256;

/// Muted peers, each with the nick it had then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Muted {
    peers: Vec<(PeerId, String)>,
    /// The same, since each row asks.
    ids: HashSet<PeerId>,
}

impl Muted {
    pub(crate) fn contains(&self, peer: &PeerId) -> bool {
        self.ids.contains(peer)
    }

    /// The one muted last comes first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(PeerId, String)> {
        self.peers.iter().rev()
    }

    pub(crate) fn add(&mut self, peer: PeerId, nick: &str) {
        self.remove(&peer);
        self.peers.push((peer, nick.to_owned()));
        self.ids.insert(peer);
        if self.peers.len() > MAX_MUTED {
            let (oldest, _) = self.peers.remove(0);
            self.ids.remove(&oldest);
        }
    }

    pub(crate) fn remove(&mut self, peer: &PeerId) {
        if self.ids.remove(peer) {
            self.peers.retain(|(muted, _)| muted != peer);
        }
    }

    /// As kept by the browser: `<peer id> <nick>` a line, the nick percent-encoded.
    pub(crate) fn write(&self) -> String {
        self.peers.iter().fold(String::new(), |mut text, (peer, nick)| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{peer} {}", routing::encode(nick));
            text
        })
    }

    /// What does not read as a peer is passed over.
    pub(crate) fn read(text: &str) -> Self {
        let mut muted = Self::default();
        for (peer, nick) in text.lines().filter_map(|line| line.split_once(' ')) {
            if let Ok(peer) = peer.parse() {
                muted.add(peer, &routing::decode(nick));
            }
        }
        muted
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::sample::peer;

    #[test]
    fn the_muted_survive_being_kept_and_are_bounded() {
        let mut muted = Muted::default();
        muted.add(peer(1), "ann\nof the hill");
        muted.add(peer(2), "");
        assert_eq!(Muted::read(&muted.write()), muted);
        assert_eq!(Muted::read(&format!("nobody x\n\n{}", muted.write())), muted);
        muted.remove(&peer(1));
        assert!(!muted.contains(&peer(1)) && muted.contains(&peer(2)));
        for seed in 0..=u8::MAX {
            muted.add(peer(seed), "x");
        }
        for _ in 0..3 {
            muted.add(peer(7), "again");
        }
        assert_eq!(muted.iter().count(), MAX_MUTED);
        assert_eq!(muted.iter().next(), Some(&(peer(7), "again".to_owned())));
    }
}
