//! Many peers in one process, to measure what a crowd costs a hub.
//!
//! The hub is the binary `tincan` in a process of its own. The peers are whole nodes as in a page or a terminal, each with
//! its own key and its own connection over loopback; for comparison there are peers of stock gossipsub, and some that mean
//! harm. Everything is measured from outside: what the system says about the hub's process, and what the peers' events say.
//!
//! | file | what lives there |
//! |---|---|
//! | [`plan`] | what is measured, with how many peers |
//! | [`mod@bench`] | runs the plan: one session after the other, each with a fresh hub and a fresh crowd |
//! | [`rows`] | the figures of one measurement, as they are printed |
//! | `join`, `lines`, `restart` | how each is measured |
//! | [`hub`], `usage` | the hub's process; processor time and memory of a process |
//! | `board`, `state` | what each peer knows and has heard, written down as it happens |
//! | `guests`, `crowd`, `stock` | who is in the room: peers of Tincan, or of stock gossipsub |
//! | `hostile` | a client that repeats `Watch`; peers that stop reading their socket |
//! | `tap`, `uploads`, `wire` | what peers hand over in syncs, read from their own streams |

pub mod bench;
mod board;
mod crowd;
mod guests;
mod hostile;
pub mod hub;
mod join;
mod lines;
pub mod plan;
mod restart;
pub mod rows;
mod state;
mod stock;
mod tap;
mod uploads;
mod usage;
mod wire;

/// The room everybody is in.
pub const ROOM: &str = "crowd";
