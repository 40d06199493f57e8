//! How many datagrams that may carry DATA are read between two polls of a connection. A poll sends at most one SACK, and
//! a sender's window grows with each, so they are few; but each poll goes through all that is in flight.

use std::time::{Duration, Instant};

/// SCTP acknowledges at least every second packet (RFC 9260, 6.2).
const ACKNOWLEDGED: usize = 2;
/// The same of a fast sender, whose window needs no more room.
const FAST_ACKNOWLEDGED: usize = 16;
/// A sender is fast from so many bytes in one [`PERIOD`] on: 16 MiB/s.
const FAST_BYTES: usize = 320 * 1024;
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

    /// Datagrams until the next poll. While a chunk is missing each one is acknowledged at once.
    pub(super) fn at_once(&self, has_gap: bool) -> usize {
        match (has_gap, self.is_fast) {
            (true, _) => 1,
            (false, false) => ACKNOWLEDGED,
            (false, true) => FAST_ACKNOWLEDGED,
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
        assert_eq!((pace.at_once(false), pace.at_once(true)), (2, 1));
        let mut receive = |pace: &mut Pace, bytes: usize| {
            pace.received(bytes, now);
            now += PERIOD / 20;
        };
        for _ in 0..40 {
            receive(&mut pace, FAST_BYTES / 20);
        }
        assert_eq!((pace.at_once(false), pace.at_once(true)), (16, 1));
        for _ in 0..40 {
            receive(&mut pace, FAST_BYTES / 40);
        }
        assert_eq!(pace.at_once(false), 2);
    }

    #[test]
    fn a_pause_makes_it_slow() {
        let (mut pace, now) = (Pace::default(), start());
        pace.received(FAST_BYTES, now);
        pace.received(1, now + PERIOD);
        assert_eq!(pace.at_once(false), 16);
        pace.received(FAST_BYTES, now + PERIOD + PERIOD / 2);
        pace.received(1, now + 9 * PERIOD);
        assert_eq!(pace.at_once(false), 2);
    }
}
