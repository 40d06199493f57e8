//! How many datagrams that may carry DATA are processed between two polls of a connection.
//!
//! Each poll sends at most one SACK, and a browser's sending window grows with the number of SACKs: few datagrams make a fast
//! sender. But each poll also scans everything in flight: many datagrams save processor time.

use std::time::{Duration, Instant};

/// Packets for each SACK: at most 2 by RFC 9260, 6.2.
const PACKETS_PER_SACK: usize = 2;
/// The same for a fast sender, whose window is large enough.
const FAST_PACKETS_PER_SACK: usize = 16;
/// Bytes in one [`PERIOD`] from which on a sender is fast: 16 MiB/s.
const FAST_BYTES: usize = 320 * 1024;
/// Gap blocks up to which a SACK counts as short.
const FEW_GAP_BLOCKS: usize = 16;
/// Long SACKs for a single datagram each, in one batch of datagrams. A sender takes a chunk for lost when three SACKs report
/// it missing.
const MAX_SINGLE_SACKS: usize = 4;
/// How long received bytes are counted.
const PERIOD: Duration = Duration::from_millis(20);

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct AckPacing {
    since: Option<Instant>,
    bytes: usize,
    is_fast: bool,
}

impl AckPacing {
    /// So many bytes were received.
    pub(super) fn received(&mut self, bytes: usize, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed >= PERIOD {
            // A much longer period means that there was a pause.
            self.is_fast = self.bytes >= FAST_BYTES && passed < 2 * PERIOD;
            (self.since, self.bytes) = (Some(now), 0);
        }
        self.bytes += bytes;
    }

    /// Datagrams until the next poll, after so many polls of this batch that each acknowledged a single one. While chunks are
    /// missing each datagram is acknowledged at once, unless there are so many gap blocks that SACKs are long.
    pub(super) fn datagrams_until_poll(&self, gap_blocks: usize, singles: usize) -> usize {
        match (gap_blocks, self.is_fast) {
            (0, false) => PACKETS_PER_SACK,
            (0, true) => FAST_PACKETS_PER_SACK,
            (1..=FEW_GAP_BLOCKS, _) => 1,
            _ if singles < MAX_SINGLE_SACKS => 1,
            _ => FAST_PACKETS_PER_SACK,
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
        let (mut pacing, mut now) = (AckPacing::default(), start());
        assert_eq!((pacing.datagrams_until_poll(0, 0), pacing.datagrams_until_poll(1, 0)), (2, 1));
        let mut receive = |pacing: &mut AckPacing, bytes: usize| {
            pacing.received(bytes, now);
            now += PERIOD / 20;
        };
        for _ in 0..40 {
            receive(&mut pacing, FAST_BYTES / 20);
        }
        assert_eq!((pacing.datagrams_until_poll(0, 0), pacing.datagrams_until_poll(1, 0)), (16, 1));
        for _ in 0..40 {
            receive(&mut pacing, FAST_BYTES / 40);
        }
        assert_eq!(pacing.datagrams_until_poll(0, 0), 2);
    }

    #[test]
    fn among_many_gaps_few_datagrams_of_a_batch_are_acknowledged_one_by_one() {
        let pacing = AckPacing::default();
        let (mut singles, mut polls, mut rest) = (0, 0, 64);
        while rest > 0 {
            let next = pacing.datagrams_until_poll(FEW_GAP_BLOCKS + 1, singles);
            singles += usize::from(next == 1);
            (polls, rest) = (polls + 1, rest - next.min(rest));
        }
        assert_eq!(polls, MAX_SINGLE_SACKS + 4);
    }

    #[test]
    fn a_pause_makes_it_slow() {
        let (mut pacing, now) = (AckPacing::default(), start());
        pacing.received(FAST_BYTES, now);
        pacing.received(1, now + PERIOD);
        assert_eq!(pacing.datagrams_until_poll(0, 0), 16);
        pacing.received(FAST_BYTES, now + PERIOD + PERIOD / 2);
        pacing.received(1, now + 9 * PERIOD);
        assert_eq!(pacing.datagrams_until_poll(0, 0), 2);
    }
}
