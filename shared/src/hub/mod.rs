//! What hubs add: rooms carried for others, and word of who is where.
//!
//! gossipsub forwards only topics that it is subscribed to, and a page has one connection, to its hub. So a hub subscribes to
//! every room that one of its peers is in (`carrier.rs`): it stands in the middle of a room without being a member. And a page
//! sees nobody but the hub, so the hub tells it who else is there, on one long-lived stream, `/tincan/hub/1.0.0` (`wire.rs`).
//!
//! - **Asking.** A peer says which rooms it wants to know about, all of them each time (`Watch`). Hubs watch each other in the
//!   same way, for members among the other's own peers, and pass that on.
//! - **Knowing** (`members.rs`). A member is a connected peer that is subscribed, identified and no hub, or one that another hub
//!   reports. How far a hub is believed depends on who chose it (`claims.rs`), since anybody can list the protocol.
//! - **Telling** (`desk.rs`, `watcher.rs`). What holds in a room at a hub is one shared `Listing` that never changes: a total, up
//!   to 51 names and, in large rooms, their presences. A watcher is told the difference between the listing that it was told
//!   last and the one that holds when its stream takes more. So who reads slowly costs a pointer, and is never told what no
//!   longer holds.
//! - **Pace.** Changes are gathered for 20 ms (`looks.rs`); of a room that changes all the time watchers are told every 250 ms,
//!   of a large one every 2 s (`pace.rs`).
//!
//! The other end of that stream, which every node has, is `core/hubs.rs`.

pub(crate) mod carrier;
mod claims;
pub(crate) mod desk;
pub(crate) mod listing;
pub(crate) mod looks;
pub(crate) mod members;
mod pace;
pub(crate) mod peer_set;
pub(crate) mod reasons;
mod watched;
mod watcher;
pub(crate) mod wire;
