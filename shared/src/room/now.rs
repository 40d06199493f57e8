//! What time it is.

use n0_future::time::Instant;

/// The two clocks, read once by the actor.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For deadlines.
    pub instant: Instant,
    /// For frames: unix time in milliseconds.
    pub unix_ms: u64,
}
