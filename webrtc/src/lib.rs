//! libp2p over WebRTC: one stream layer for browsers and native programs.
//!
//! A libp2p stream is a WebRTC data channel that carries frames ([`frame`]), since a channel alone can neither be closed in
//! one direction nor reset. [`machine`] is the state machine of one stream, without input or output. [`stream`] wraps it for
//! libp2p to read and write, over any data channel ([`Channel`]), a browser's or a native one.
//!
//! The memory of streams is bounded for each connection and for all connections of a transport ([`budget`]).
//!
//! [`signalling`] arranges connections between two peers that cannot listen (`/webrtc`).
//!
//! [`direct`] has what `/webrtc-direct` needs before there is a connection. The transports are `browser`, which dials, and
//! `native`, which dials and listens.
//!
//! Spec: <https://github.com/libp2p/specs/blob/master/webrtc/README.md>, *Multiplexing*.

#[cfg(all(feature = "browser", target_family = "wasm"))]
pub mod browser;
pub mod budget;
pub mod channel;
#[cfg(any(feature = "browser", feature = "native"))]
pub mod direct;
pub mod error;
pub mod frame;
pub mod limits;
pub mod machine;
#[cfg(all(feature = "native", not(target_family = "wasm")))]
pub mod native;
mod receive_buffer;
mod send_buffer;
pub mod signalling;
pub mod stream;
mod stream_state;

pub use budget::{Budget, ConnectionBudget};
pub use channel::{Channel, ChannelGone, Opener};
pub use limits::{FinAckSupport, Limits};
pub use stream::{ChannelEvents, Stream, open};
