//! The nicks that authors use in one room.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;

/// Nicks remembered in one room. Beyond it, who spoke longest ago is forgotten.
pub(super) const MAX_NICKS: usize = 1024;

#[derive(Debug)]
struct Known {
    nick: String,
    /// When it was used, unix time in milliseconds.
    at_ms: u64,
}

/// Each author's nick: that of the latest frame, whenever it came.
#[derive(Debug, Default)]
pub(super) struct Nicks {
    known: BTreeMap<PeerId, Known>,
    by_time: BTreeSet<(u64, PeerId)>,
}

impl Nicks {
    #[cfg(feature = "sim")]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn get(&self, author: &PeerId) -> Option<&str> {
        self.known.get(author).map(|known| known.nick.as_str())
    }

    /// An author used this nick at that time. Says whether that is news.
    pub(super) fn learn(&mut self, author: PeerId, nick: &str, at_ms: u64) -> bool {
        let before = self.known.get(&author);
        if before.is_some_and(|before| before.at_ms > at_ms) {
            return false;
        }
        let is_news = before.is_none_or(|before| before.nick != nick);
        if let Some(before) = before {
            self.by_time.remove(&(before.at_ms, author));
        } else if self.known.len() >= MAX_NICKS
            && let Some((oldest_ms, oldest)) = self.by_time.first().copied()
        {
            if at_ms <= oldest_ms {
                return false;
            }
            self.by_time.pop_first();
            self.known.remove(&oldest);
        }
        self.by_time.insert((at_ms, author));
        self.known.insert(author, Known { nick: nick.to_owned(), at_ms });
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nick_follows_the_latest_frame_and_not_the_last_to_come() {
        let (mut nicks, ann) = (Nicks::default(), PeerId::random());
        assert!(nicks.learn(ann, "new", 5));
        assert!(!nicks.learn(ann, "old", 4), "an older line that a sync brings");
        assert!(!nicks.learn(ann, "new", 6));
        assert!(!nicks.learn(ann, "old", 5));
        assert_eq!(nicks.get(&ann), Some("new"));
        assert!(nicks.learn(ann, "newest", 6));
    }

    #[test]
    fn of_a_crowd_those_are_remembered_who_spoke_last() {
        let (mut nicks, ann, bob) = (Nicks::default(), PeerId::random(), PeerId::random());
        nicks.learn(ann, "ann", 1);
        nicks.learn(bob, "bob", 2);
        for n in 0..MAX_NICKS as u64 - 2 {
            nicks.learn(PeerId::random(), "somebody", 10 + n);
        }
        nicks.learn(ann, "ann", 5000);
        nicks.learn(PeerId::random(), "one more", 4000);
        assert_eq!((nicks.get(&ann), nicks.get(&bob)), (Some("ann"), None));
        assert_eq!((nicks.known.len(), nicks.by_time.len()), (MAX_NICKS, MAX_NICKS));
    }
}
