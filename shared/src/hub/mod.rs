//! What a hub adds: rooms it carries for its peers, and word of who is in them.
//!
//! The other end of that word, which every node has, is here too.

pub(crate) mod carrier;
mod claims;
pub(crate) mod desk;
pub(crate) mod listing;
pub(crate) mod looks;
pub(crate) mod members;
mod pace;
pub(crate) mod peer_set;
pub(crate) mod reasons;
mod watcher;
pub(crate) mod wire;
