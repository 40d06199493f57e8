//! What each peer knows and has heard, written down by all as it happens.

use std::{ops::Range, time::Duration};

use tokio::sync::watch;

use crate::state::{Delivery, Faults, State};

/// Bytes of a line that is timed.
const LINE_BYTES: usize = 100;

/// Where everything is written down.
#[derive(Debug)]
pub(crate) struct Board(watch::Sender<State>);

impl Board {
    /// For so many peers, each of which is to know of all the others.
    pub(crate) fn new(peers: usize) -> Self {
        Self(watch::Sender::new(State::new(peers)))
    }

    /// A peer says how many others are in the room.
    pub(crate) fn total(&self, peer: usize, total: u32) {
        self.0.send_modify(|state| state.change(peer, |known| known.total = total));
    }

    /// A hub has let a peer in, or is gone.
    pub(crate) fn let_in(&self, peer: usize, is_in: bool) {
        self.0.send_modify(|state| state.change(peer, |known| known.is_in = is_in));
    }

    /// The hub is about to go: nobody is in until it says so again.
    pub(crate) fn hub_goes(&self) {
        self.0.send_modify(|state| {
            for peer in 0..state.peers() {
                state.change(peer, |known| known.is_in = false);
            }
        });
    }

    /// A peer is to know of so many others.
    pub(crate) fn want(&self, peer: usize, total: u32) {
        self.0.send_modify(|state| state.change(peer, |known| known.wanted = total));
    }

    /// A peer is about to say a line; what it says, by which [`Self::heard`] knows it. It is at least 100 bytes long, or as
    /// long as wanted.
    pub(crate) fn say(&self, author: usize, bytes: Option<usize>) -> String {
        let mut number = 0;
        self.0.send_modify(|state| number = state.say(author));
        let number = format!("{number} ");
        let filler = bytes.unwrap_or(LINE_BYTES).saturating_sub(number.len());
        number + &"x".repeat(filler)
    }

    /// A peer was shown this line of somebody else. Lines that nobody said here are passed over.
    pub(crate) fn heard(&self, peer: usize, text: &str) {
        if let Some(number) = number(text) {
            self.0.send_modify(|state| state.hear(peer, number, true));
        }
    }

    /// A peer's listener missed events, and read anew what holds.
    pub(crate) fn reread<'a>(&self, peer: usize, total: u32, is_in: bool, texts: impl Iterator<Item = &'a str>) {
        self.total(peer, total);
        self.let_in(peer, is_in);
        self.0.send_modify(|state| {
            state.faults.lagged += 1;
            texts.filter_map(number).for_each(|number| state.hear(peer, number, false));
        });
    }

    /// Waits until something holds. False where it did not come to that in time.
    pub(crate) async fn until(&self, within: Duration, holds: impl FnMut(&State) -> bool) -> bool {
        let mut changes = self.0.subscribe();
        tokio::time::timeout(within, changes.wait_for(holds)).await.is_ok()
    }

    /// Reads something now.
    pub(crate) fn read<T>(&self, what: impl FnOnce(&State) -> T) -> T {
        what(&self.0.borrow())
    }

    /// Lines that were said so far.
    pub(crate) fn lines(&self) -> usize {
        self.read(State::lines)
    }

    /// How these lines were delivered.
    pub(crate) fn delivery(&self, lines: Range<usize>) -> Delivery {
        self.read(|state| state.delivery(lines))
    }

    /// What went wrong since the beginning.
    pub(crate) fn faults(&self) -> Faults {
        self.read(|state| state.faults)
    }
}

/// Of a line that [`Board::say`] made.
fn number(text: &str) -> Option<usize> {
    text.split_once(' ')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn peers_know_when_a_hub_let_them_in_and_the_total_is_right() {
        let board = Board::new(2);
        board.total(0, 1);
        board.let_in(0, true);
        board.let_in(1, true);
        assert_eq!(board.read(|state| state.knowing), 1);
        board.total(1, 1);
        assert!(board.until(Duration::ZERO, |state| state.knowing == 2).await);
        board.hub_goes();
        assert!(!board.until(Duration::from_millis(1), |state| state.knowing > 0).await);
    }

    #[test]
    fn a_line_is_known_by_what_it_says() {
        let board = Board::new(2);
        let said = board.say(0, None);
        let long = board.say(0, Some(1200));
        assert_eq!((said.len(), long.len()), (LINE_BYTES, 1200));
        for text in [&said, "hello", "7 is no number of a line here", &long] {
            board.heard(1, text);
        }
        assert_eq!(board.read(|state| state.missing), 0);
    }
}
