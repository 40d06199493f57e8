//! WebRTC in a browser: a transport that dials `/webrtc-direct`.
//!
//! | file | what lives there |
//! |---|---|
//! | `callbacks` | closures that JavaScript calls, freed with their owner |
//! | `channel` | a data channel as a [`crate::Channel`] |
//! | `connection` | an `RTCPeerConnection` as a stream muxer |
//! | `dial` | dialling, from an address to an authenticated connection |
//! | `transport` | the libp2p transport |

mod callbacks;
mod channel;
mod connection;
mod dial;
mod transport;

pub use connection::Connection;
pub use dial::DialError;
pub use transport::Transport;
