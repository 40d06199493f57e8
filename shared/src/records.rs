//! The key-value store: what may be put here, what is taken from others, and what stays when there is too much.

mod behaviour;
mod bounds;
mod clock;
mod handler;
mod held;
mod journal;
mod kademlia;
mod own;
mod places;
mod providers;
mod publisher;
mod saved;
mod store;

pub(crate) use behaviour::Kademlia;
pub(crate) use bounds::{PROVIDER_TTL, RECORD_TTL, accepts, key, value};
pub(crate) use clock::Clock;
pub(crate) use journal::Entry;
pub(crate) use places::Source;
pub(crate) use publisher::{Item, Publisher};
pub(crate) use store::Store;
