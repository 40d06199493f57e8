//! Who came into a room and who went. Hubs say who is there a moment before the room brings their nicks.

use std::{collections::BTreeMap, time::Duration};

use libp2p::PeerId;
use tokio::time::Instant;

/// How long a newcomer's nick is waited for before the screen says that somebody came.
pub(super) const NICK_WAIT: Duration = Duration::from_secs(2);

/// What the screen says of somebody.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Coming {
    Joined(PeerId, Option<String>),
    Left(PeerId, Option<String>),
}

/// Of one room: whose coming was said, and who is waited for.
#[derive(Debug, Default)]
pub(super) struct Comings {
    said: BTreeMap<PeerId, Option<String>>,
    nameless: BTreeMap<PeerId, Instant>,
}

impl Comings {
    /// These are in the room now. `wait`: a nick that is not known will come.
    pub(super) fn look(&mut self, members: &[(PeerId, Option<String>)], wait: Duration, now: Instant) -> Vec<Coming> {
        let mut comings = Vec::new();
        let mut nameless = BTreeMap::new();
        let mut said = BTreeMap::new();
        for (peer, nick) in members {
            if !self.said.contains_key(peer) {
                let until = self.nameless.get(peer).copied().unwrap_or(now + wait);
                if nick.is_none() && until > now {
                    nameless.insert(*peer, until);
                    continue;
                }
                comings.push(Coming::Joined(*peer, nick.clone()));
            }
            said.insert(*peer, nick.clone());
        }
        let before = std::mem::replace(&mut self.said, said);
        let gone = before.into_iter().filter(|(peer, _)| !self.said.contains_key(peer));
        comings.extend(gone.map(|(peer, nick)| Coming::Left(peer, nick)));
        self.nameless = nameless;
        comings
    }

    /// When to look again though nothing happened.
    pub(super) fn due(&self) -> Option<Instant> {
        self.nameless.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_is_named_once_the_nick_is_there() {
        let (mut comings, now, ann) = (Comings::default(), Instant::now(), PeerId::random());
        let named = Some("ann".to_owned());
        assert_eq!(comings.look(&[(ann, None)], NICK_WAIT, now), []);
        assert_eq!(comings.due(), Some(now + NICK_WAIT));
        let named_now = [(ann, named.clone())];
        assert_eq!(comings.look(&named_now, NICK_WAIT, now), [Coming::Joined(ann, named.clone())]);
        assert_eq!((comings.look(&named_now, NICK_WAIT, now), comings.due()), (vec![], None));
        assert_eq!(comings.look(&[], NICK_WAIT, now), [Coming::Left(ann, named)]);
    }

    #[test]
    fn whose_nick_does_not_come_is_said_without_it_and_who_passes_by_is_not() {
        let (mut comings, now) = (Comings::default(), Instant::now());
        let (ann, ben) = (PeerId::random(), PeerId::random());
        assert_eq!(comings.look(&[(ann, None), (ben, None)], NICK_WAIT, now), []);
        let late = now + NICK_WAIT;
        assert_eq!(comings.look(&[(ann, None)], NICK_WAIT, late), [Coming::Joined(ann, None)]);
        assert_eq!(comings.look(&[], Duration::ZERO, late), [Coming::Left(ann, None)]);
    }
}
