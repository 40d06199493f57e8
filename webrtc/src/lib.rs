//! libp2p over WebRTC: one stream layer for browsers and native programs.
//!
//! A libp2p stream is a WebRTC data channel that carries frames ([`frame`]), since a channel alone can neither be
//! closed in one direction nor reset. [`machine`] is the protocol of one stream, without input or output; [`stream`]
//! makes of it what libp2p reads and writes, over anything that is a [`Channel`]: a browser's or a native one.
//!
//! What streams hold is bounded for each connection and for all connections of a transport ([`budget`]).
//!
//! [`direct`] is what `/webrtc-direct` needs besides, before there is a connection. `browser` dials it from a page;
//! `native` dials it and listens, over one UDP socket.
//!
//! Spec: <https://github.com/libp2p/specs/blob/master/webrtc/README.md>, *Multiplexing*.

#[cfg(target_family = "wasm")]
pub mod browser;
pub mod budget;
pub mod channel;
pub mod direct;
pub mod ends;
pub mod frame;
pub mod limits;
pub mod machine;
#[cfg(not(target_family = "wasm"))]
pub mod native;
pub mod stream;
mod stream_state;
mod unread;
mod unsent;

pub use budget::{Account, Budget};
pub use channel::{Channel, ChannelGone, Opened};
pub use limits::{Acknowledging, Limits};
pub use stream::{Feed, Stream, open};
