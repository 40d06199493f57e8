//! Rooms: what is said in them, by whom, in which order, and what waits or is kept.
//!
//! Everything here decides and does nothing: input and time in, [`RoomOutput`]s out.

mod body;
#[cfg(feature = "sim")]
mod bounds;
mod bridged;
mod direct;
mod elsewhere;
mod flushing;
pub mod frame;
mod frame_error;
mod frame_id;
mod gaps;
mod identity;
mod lines;
mod nicks;
mod now;
mod order;
mod outbox;
mod output;
mod plain;
mod presence;
mod receive;
pub mod ring;
mod saved;
mod saying;
mod seen;
mod state;
pub(crate) mod sync;
mod taken;
mod waiting;

pub(crate) use body::MAX_RELAYS;
pub use elsewhere::Elsewhere;
pub use identity::Identity;
pub use now::Now;
pub use outbox::Reach;
pub use output::RoomOutput;
pub(crate) use presence::is_large;
pub use receive::{Merged, Unread, Verdict};
pub use saved::{SavedRoom, forget, load, saved_for_another_key};
pub use state::Room;

#[cfg(test)]
mod tests;
