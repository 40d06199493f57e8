//! WebRTC in a browser: peer connections that libp2p can use, and a transport that dials `/webrtc-direct`.
//!
//! | file | what lives there |
//! |---|---|
//! | `callbacks` | JavaScript's calls into Rust, which end with what they belong to |
//! | `channel` | a data channel as a [`crate::Channel`] |
//! | `connection` | a peer connection as a stream muxer |
//! | `dial` | from an address to an authenticated connection |
//! | `transport` | the same for libp2p |

mod callbacks;
mod channel;
mod connection;
mod dial;
mod transport;

pub use connection::Connection;
pub use dial::DialError;
pub use transport::Transport;
