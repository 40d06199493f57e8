//! All that is on the board at one moment.

use std::{
    collections::HashMap,
    ops::Range,
    time::{Duration, Instant},
};

/// What one peer knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) total: u32,
    /// The total that it is to know.
    pub(crate) wanted: u32,
    /// Whether a hub is connected and has let it in.
    pub(crate) is_in: bool,
    /// The last line of each author that it was shown.
    last: HashMap<usize, usize>,
}

/// A line, and when each peer was shown it.
#[derive(Debug)]
struct Line {
    author: usize,
    said: Instant,
    heard: Vec<Option<Heard>>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    after: Duration,
    /// By an event; else it was found among the last lines, after the listener had missed events.
    is_shown: bool,
}

/// What went wrong since the beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Lines that somebody was shown twice.
    pub(crate) doubled: usize,
    /// Lines that somebody was shown after a later one of the same author.
    pub(crate) misordered: usize,
    /// Times that a peer's listener, in this process, was too slow and missed events.
    pub(crate) lagged: usize,
}

/// How well lines were delivered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Delivery {
    /// Pairs of a line and a peer other than its author.
    pub(crate) expected: usize,
    /// Of these, where the peer was shown the line.
    pub(crate) delivered: usize,
    /// From saying to showing; nothing where so many were not delivered that there is no such time.
    pub(crate) p50_ms: Option<f64>,
    /// As [`Self::p50_ms`].
    pub(crate) p99_ms: Option<f64>,
    /// The longest there was.
    pub(crate) max_ms: Option<f64>,
}

/// All that is known.
#[derive(Debug)]
pub(crate) struct State {
    peers: Vec<Known>,
    /// Peers that a hub has let in and that know the total that is wanted.
    pub(crate) knowing: usize,
    /// When the last of them came to know it.
    pub(crate) grew: Instant,
    lines: Vec<Line>,
    /// Pairs of a line and a peer that was not shown it.
    pub(crate) missing: usize,
    /// When the last line that was new to somebody was shown.
    pub(crate) heard: Instant,
    pub(crate) faults: Faults,
}

impl State {
    /// So many peers, each of which is to know of all the others.
    pub(crate) fn new(peers: usize) -> Self {
        let (now, wanted) = (Instant::now(), u32::try_from(peers.saturating_sub(1)).unwrap_or(u32::MAX));
        Self {
            peers: vec![Known { wanted, ..Known::default() }; peers],
            knowing: 0,
            grew: now,
            lines: Vec::new(),
            missing: 0,
            heard: now,
            faults: Faults::default(),
        }
    }

    pub(crate) fn peers(&self) -> usize {
        self.peers.len()
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines.len()
    }

    /// What a peer knows is changed.
    pub(crate) fn change(&mut self, peer: usize, change: impl FnOnce(&mut Known)) {
        let before = self.knows(peer);
        change(&mut self.peers[peer]);
        match (before, self.knows(peer)) {
            (false, true) => (self.knowing, self.grew) = (self.knowing + 1, Instant::now()),
            (true, false) => self.knowing -= 1,
            _ => {}
        }
    }

    fn knows(&self, peer: usize) -> bool {
        let known = &self.peers[peer];
        known.is_in && known.total == known.wanted
    }

    /// A line is about to be said; its number.
    pub(crate) fn say(&mut self, author: usize) -> usize {
        self.lines.push(Line { author, said: Instant::now(), heard: vec![None; self.peers.len()] });
        self.missing += self.peers.len() - 1;
        self.lines.len() - 1
    }

    /// A peer was shown a line, or found it among the last ones.
    pub(crate) fn hear(&mut self, peer: usize, number: usize, is_shown: bool) {
        let Some(line) = self.lines.get_mut(number) else { return };
        let now = Instant::now();
        match &mut line.heard[peer] {
            Some(heard) => {
                self.faults.doubled += usize::from(heard.is_shown && is_shown);
                heard.is_shown |= is_shown;
                return;
            }
            heard => *heard = Some(Heard { after: now - line.said, is_shown }),
        }
        self.missing -= 1;
        self.heard = now;
        let last = self.peers[peer].last.entry(line.author).or_insert(number);
        self.faults.misordered += usize::from(is_shown && *last > number);
        *last = number.max(*last);
    }

    /// How these lines were delivered. What was not delivered counts as taking for ever.
    pub(crate) fn delivery(&self, lines: Range<usize>) -> Delivery {
        let lines = &self.lines[lines];
        let expected = lines.len() * (self.peers.len() - 1);
        let heard = lines.iter().flat_map(|line| line.heard.iter().flatten());
        let mut times: Vec<Duration> = heard.map(|heard| heard.after).collect();
        times.sort_unstable();
        let ms = |time: &Duration| time.as_secs_f64() * 1000.0;
        Delivery {
            expected,
            delivered: times.len(),
            p50_ms: percentile(&times, expected, 50).map(ms),
            p99_ms: percentile(&times, expected, 99).map(ms),
            max_ms: times.last().map(ms),
        }
    }
}

/// The smallest of the sorted times that so many percent of `all` do not exceed; those that are missing took for ever.
fn percentile(times: &[Duration], all: usize, percent: usize) -> Option<&Duration> {
    let rank = (all * percent).div_ceil(100);
    times.get(rank.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_counts_as_taking_for_ever() {
        let times: Vec<Duration> = (1..=99).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 100, 50), Some(&Duration::from_millis(50)));
        assert_eq!(percentile(&times, 100, 99), Some(&Duration::from_millis(99)));
        assert_eq!(percentile(&times, 100, 100), None);
        assert_eq!(percentile(&[], 0, 99), None);
    }

    #[test]
    fn each_line_counts_once_for_each_peer_but_its_author() {
        let mut state = State::new(3);
        let (first, second) = (state.say(0), state.say(0));
        assert_eq!(state.missing, 4);
        for (peer, line) in [(1, second), (1, first), (1, first), (2, first), (1, 77)] {
            state.hear(peer, line, true);
        }
        assert_eq!((state.missing, state.faults), (1, Faults { doubled: 1, misordered: 1, lagged: 0 }));
        // What a slow listener finds among the last lines may still be shown to it.
        state.hear(2, second, false);
        state.hear(2, second, true);
        assert_eq!((state.missing, state.faults.doubled), (0, 1));
        let third = state.say(1);
        let told = state.delivery(first..third + 1);
        assert_eq!((told.expected, told.delivered), (6, 4));
        assert!(told.p50_ms.is_some() && told.p99_ms.is_none(), "{told:?}");
    }
}
