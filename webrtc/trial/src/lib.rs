//! The trial: one small protocol for whatever a transport is tried with.
//!
//! A *trial hub* listens, a *trial peer* dials it; both may be of any implementation, and both run here on a machine
//! and in a page. Beside `ping`, `identify`, gossipsub and Kademlia they speak three protocols of streams.
//!
//! | file | what lives there |
//! |---|---|
//! | [`protocol`] | names and bounds, and `/trial/echo/1`, `/trial/ask/1`, `/trial/bulk/1` byte by byte |
//! | [`bulk`] | the bytes of a bulk stream and their hashes |
//! | [`streams`] | opens streams and hands over those that come |
//! | `serve` | what the other side's streams are answered |
//! | `client` | what is asked on streams that are opened here |
//! | `behaviour` | the protocols composed |
//! | [`node`] | a swarm, and what is known of the hub at its other end |
//! | [`peer`] | what a trial peer does: join, bulk, cycles, streams, unread, watch |
//! | [`hub`] | what a trial hub does |

mod behaviour;
pub mod bulk;
mod client;
pub mod error;
pub mod hub;
pub mod node;
pub mod peer;
pub mod protocol;
mod seen;
mod serve;
pub mod streams;

pub use error::Error;
pub use node::Node;
