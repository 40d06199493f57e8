//! What time it is.

use n0_future::time::Instant;

use crate::config::FRAME_TIME_WINDOW;

/// The two clocks, read once by the actor.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For deadlines.
    pub instant: Instant,
    /// For frames: unix time in milliseconds.
    pub unix_ms: u64,
}

impl Now {
    /// Whether a frame that was said then is of use.
    pub(super) fn is_near(self, time_ms: u64) -> bool {
        u128::from(time_ms.abs_diff(self.unix_ms)) <= FRAME_TIME_WINDOW.as_millis()
    }
}
