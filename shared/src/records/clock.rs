//! The two clocks of records.

use std::time::Duration;

use web_time::Instant;

/// libp2p-kad's clock, by which records expire, and unix time, which goes on from one run to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) instant: Instant,
    pub(crate) unix_ms: u64,
}

impl Clock {
    /// A moment in unix time, in milliseconds.
    pub(crate) fn unix_ms_of(&self, moment: Instant) -> u64 {
        let ahead = millis(moment.saturating_duration_since(self.instant));
        let behind = millis(self.instant.saturating_duration_since(moment));
        self.unix_ms.saturating_add(ahead).saturating_sub(behind)
    }

    /// A moment of an earlier run, at most so far ahead: that run's clock may have been wrong. Now, if it has passed.
    pub(crate) fn moment(&self, unix_ms: u64, at_most: Duration) -> Instant {
        self.instant + Duration::from_millis(unix_ms.saturating_sub(self.unix_ms)).min(at_most)
    }

    /// How long ago that was.
    pub(crate) fn since(&self, unix_ms: u64) -> Duration {
        Duration::from_millis(self.unix_ms.saturating_sub(unix_ms))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
