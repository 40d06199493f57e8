//! Rooms: what is said in them, by whom, in which order, and what waits or is kept.
//!
//! Everything here decides and does nothing: input and time in, [`Output`]s out.

mod body;
#[cfg(feature = "sim")]
mod bounds;
mod bridged;
pub mod frame;
mod frame_error;
mod gaps;
mod lines;
mod nicks;
mod order;
mod outbox;
mod plain;
mod presence;
mod receive;
pub mod ring;
mod saved;
mod seen;
mod state;
pub(crate) mod sync;
mod waiting;

pub use bridged::Elsewhere;
pub use outbox::Reach;
pub(crate) use presence::is_large;
pub use receive::{Merged, Unread, Verdict};
pub use saved::{SavedRoom, forget, load, saved_for_another_key};
pub use state::{Me, Output, Room};

use n0_future::time::Instant;

/// The two clocks, read once by the actor.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For deadlines.
    pub instant: Instant,
    /// For frames: unix time in milliseconds.
    pub unix_ms: u64,
}

#[cfg(test)]
mod tests;
