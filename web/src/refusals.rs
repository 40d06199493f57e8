//! Who refused something, and why: said as a note, and kept beside the network when the note is put away.

use std::collections::VecDeque;

use tincan_shared::{Link, PeerId, neutralise, short_id};

/// Refusals kept, the newest of each peer.
const MAX_REFUSALS: usize = 8;
/// Characters of a hub's reason that are shown.
const MAX_REASON_CHARS: usize = 200;
/// A hub that says why it closes the connection may do so so much later.
const CLOSES_WITHIN_MS: u64 = 10_000;

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) peer: PeerId,
    pub(crate) hub: bool,
    /// Safe to show, without a full stop.
    pub(crate) reason: String,
    /// The connection is closed with it.
    closes: bool,
    pub(crate) at_ms: u64,
    /// The note about it was read.
    pub(crate) put_away: bool,
}

impl Refusal {
    pub(crate) fn words(&self) -> String {
        let who = if self.hub { "The hub " } else { "" };
        format!("{who}…{} refuses: {}.", short_id(&self.peer), self.reason)
    }
}

/// All of them, newest last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals {
    list: VecDeque<Refusal>,
    /// Whom the attempt under way has reached, or who refused lately.
    reached: Option<(PeerId, u64)>,
    turned_away_by: Option<PeerId>,
}

impl Refusals {
    pub(crate) fn add(&mut self, peer: PeerId, hub: bool, reason: &str, closes: bool, now_ms: u64) {
        let reason: String = reason.trim().trim_end_matches('.').chars().take(MAX_REASON_CHARS).collect();
        let reason = neutralise(&reason, false);
        if closes {
            self.reached = Some((peer, now_ms));
        }
        let known = self.list.iter().position(|other| other.peer == peer);
        let earlier = known.and_then(|at| self.list.remove(at));
        // A hub that is tried again and again says the same again and again: once read is enough.
        let put_away = earlier.is_some_and(|earlier| earlier.put_away && earlier.reason == reason);
        self.list.push_back(Refusal { peer, hub, reason, closes, at_ms: now_ms, put_away });
        if self.list.len() > MAX_REFUSALS {
            self.list.pop_front();
        }
    }

    pub(crate) fn put_away(&mut self, peer: &PeerId) {
        for refusal in self.list.iter_mut().filter(|refusal| refusal.peer == *peer) {
            refusal.put_away = true;
        }
    }

    /// Those worth a note of their own: that a hub turns this page away is said where the connection is.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &Refusal> {
        self.list.iter().filter(|refusal| !refusal.put_away && self.turned_away_by != Some(refusal.peer))
    }

    /// A hub refused while nobody else was there.
    pub(crate) fn turned_away(&mut self, by: PeerId) {
        self.turned_away_by = Some(by);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Refusal> {
        self.list.iter()
    }

    /// Why a peer last closed the connection, if it said so.
    pub(crate) fn reason_of(&self, peer: &PeerId) -> Option<String> {
        self.list.iter().find(|refusal| refusal.peer == *peer && refusal.closes).map(|refusal| refusal.reason.clone())
    }

    /// Who let the last attempt come close and then closed.
    pub(crate) fn turned_away_by(&self) -> Option<PeerId> {
        self.turned_away_by
    }

    /// A peer connected while nobody was there.
    pub(crate) fn reached(&mut self, peer: PeerId, now_ms: u64) {
        self.reached = Some((peer, now_ms));
    }

    /// The standing changed. `is_hub` tells whose closing the door matters.
    pub(crate) fn follow(&mut self, link: Link, now_ms: u64, is_hub: impl Fn(&PeerId) -> bool) {
        match link {
            Link::Online => {
                if let Some(peer) = self.turned_away_by.take() {
                    self.put_away(&peer);
                }
                let refused = self.reached.filter(|(peer, _)| self.reason_of(peer).is_some());
                self.reached = refused;
            }
            Link::Offline => {
                let lately = |(peer, at): (PeerId, u64)| (now_ms.abs_diff(at) <= CLOSES_WITHIN_MS).then_some(peer);
                self.turned_away_by = self.reached.take().and_then(lately).filter(is_hub);
            }
            Link::Connecting => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::sample::peer;

    #[test]
    fn each_peer_has_one_and_they_are_bounded() {
        let mut refusals = Refusals::default();
        for seed in 0..20 {
            refusals.add(peer(seed % 10), true, &format!("reason {seed}."), true, u64::from(seed));
        }
        assert_eq!(refusals.iter().count(), MAX_REFUSALS);
        assert_eq!(refusals.iter().last().map(|last| last.reason.as_str()), Some("reason 19"));
    }

    #[test]
    fn what_was_put_away_stays_away_until_the_reason_is_another() {
        let mut refusals = Refusals::default();
        refusals.add(peer(1), true, "full", true, 0);
        refusals.put_away(&peer(1));
        refusals.add(peer(1), true, "full", true, 1);
        assert!(refusals.iter().all(|refusal| refusal.put_away));
        refusals.add(peer(1), true, "denied\u{202e}", true, 2);
        let last = refusals.iter().last().expect("one");
        assert!(!last.put_away && last.words().ends_with("refuses: denied."), "{}", last.words());
    }

    #[test]
    fn being_turned_away_is_said_with_the_connection_alone() {
        let mut refusals = Refusals::default();
        for (seed, reason) in [(1, "full"), (2, "too many rooms")] {
            refusals.add(peer(seed), true, reason, true, 0);
        }
        refusals.turned_away(peer(1));
        let notes = |refusals: &Refusals| refusals.notes().map(|note| note.peer).collect::<Vec<_>>();
        assert_eq!(notes(&refusals), [peer(2)]);
        refusals.follow(Link::Online, 1, |_| true);
        assert_eq!(notes(&refusals), [peer(2)], "it has let us in");
        assert_eq!(refusals.iter().count(), 2);
    }

    #[test]
    fn a_refusal_long_ago_does_not_explain_a_hub_that_goes_today() {
        let mut refusals = Refusals::default();
        refusals.add(peer(1), true, "not on the list", true, 0);
        refusals.follow(Link::Offline, CLOSES_WITHIN_MS + 1, |_| true);
        assert_eq!(refusals.turned_away_by(), None);
    }

    #[test]
    fn a_hub_that_refused_a_room_and_goes_does_not_turn_this_page_away() {
        let mut refusals = Refusals::default();
        refusals.add(peer(1), true, "too many rooms", false, 0);
        refusals.follow(Link::Offline, 1, |_| true);
        assert_eq!(refusals.turned_away_by(), None);
        // Nor when it comes back and goes again.
        refusals.reached(peer(1), 1);
        refusals.follow(Link::Online, 1, |_| true);
        refusals.follow(Link::Offline, 1, |_| true);
        assert_eq!(refusals.turned_away_by(), None);
        refusals.add(peer(1), true, "not on the list", true, 2);
        refusals.follow(Link::Offline, 3, |_| true);
        assert_eq!(refusals.turned_away_by(), Some(peer(1)));
    }
}
