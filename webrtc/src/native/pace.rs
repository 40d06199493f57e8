//! How many datagrams that may carry DATA are read between two polls of a connection. A poll sends at most one SACK, and
//! a sender's window grows with each, so they are few; but each poll goes through all that is in flight.

use std::time::{Duration, Instant};

/// SCTP acknowledges at least every second packet (RFC 9260, 6.2).
const ACKNOWLEDGED: usize = 2;
/// The same of a fast sender, whose window needs no more room.
const FAST_ACKNOWLEDGED: usize = 16;
/// A sender is fast from so many bytes in one [`PERIOD`] on: 16 MiB/s.
const FAST_BYTES: usize = 320 * 1024;
/// Runs of chunks behind a gap up to which an acknowledgement is short.
const FEW_RUNS: usize = 16;
/// Polls of one batch of datagrams that each acknowledge a single one by a long acknowledgement. A sender takes a chunk for
/// lost when three acknowledgements miss it.
const MAX_SINGLE: usize = 4;
/// What was received is counted for so long.
const PERIOD: Duration = Duration::from_millis(20);

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Pace {
    since: Option<Instant>,
    bytes: usize,
    is_fast: bool,
}

impl Pace {
    /// So many bytes have come.
    pub(super) fn received(&mut self, bytes: usize, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed >= PERIOD {
            // A period without an end in time had a pause in it.
            self.is_fast = self.bytes >= FAST_BYTES && passed < 2 * PERIOD;
            (self.since, self.bytes) = (Some(now), 0);
        }
        self.bytes += bytes;
    }

    /// Datagrams until the next poll, after so many of this batch that acknowledged a single one. While a chunk is missing
    /// each is acknowledged at once, unless so many runs of later ones have come that acknowledgements are long.
    pub(super) fn at_once(&self, runs: usize, singles: usize) -> usize {
        match (runs, self.is_fast) {
            (0, false) => ACKNOWLEDGED,
            (0, true) => FAST_ACKNOWLEDGED,
            (1..=FEW_RUNS, _) => 1,
            _ if singles < MAX_SINGLE => 1,
            _ => FAST_ACKNOWLEDGED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_fast_sender_is_acknowledged_less_often_until_it_is_slow_or_a_chunk_is_missing() {
        let (mut pace, mut now) = (Pace::default(), start());
        assert_eq!((pace.at_once(0, 0), pace.at_once(1, 0)), (2, 1));
        let mut receive = |pace: &mut Pace, bytes: usize| {
            pace.received(bytes, now);
            now += PERIOD / 20;
        };
        for _ in 0..40 {
            receive(&mut pace, FAST_BYTES / 20);
        }
        assert_eq!((pace.at_once(0, 0), pace.at_once(1, 0)), (16, 1));
        for _ in 0..40 {
            receive(&mut pace, FAST_BYTES / 40);
        }
        assert_eq!(pace.at_once(0, 0), 2);
    }

    #[test]
    fn among_many_gaps_few_datagrams_of_a_batch_are_acknowledged_one_by_one() {
        let pace = Pace::default();
        let (mut singles, mut polls, mut rest) = (0, 0, 64);
        while rest > 0 {
            let next = pace.at_once(FEW_RUNS + 1, singles);
            singles += usize::from(next == 1);
            (polls, rest) = (polls + 1, rest - next.min(rest));
        }
        assert_eq!(polls, MAX_SINGLE + 4);
    }

    #[test]
    fn a_pause_makes_it_slow() {
        let (mut pace, now) = (Pace::default(), start());
        pace.received(FAST_BYTES, now);
        pace.received(1, now + PERIOD);
        assert_eq!(pace.at_once(0, 0), 16);
        pace.received(FAST_BYTES, now + PERIOD + PERIOD / 2);
        pace.received(1, now + 9 * PERIOD);
        assert_eq!(pace.at_once(0, 0), 2);
    }
}
