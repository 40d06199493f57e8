//! WebRTC in a browser: a transport that dials `/webrtc-direct`, and connections that are arranged over signalling streams.
//!
//! | file | what lives there |
//! |---|---|
//! | `agent` | the browser's ICE agent, for [`crate::signalling`] |
//! | `callbacks` | closures that JavaScript calls, freed with their owner |
//! | `channel` | a data channel as a [`crate::Channel`] |
//! | `connection` | an `RTCPeerConnection` as a stream muxer |
//! | `dial` | dialling, from an address to an authenticated connection |
//! | `transport` | the libp2p transport |

mod agent;
mod callbacks;
mod channel;
mod connection;
mod dial;
mod transport;

pub use agent::Connector;
pub use connection::Connection;
pub use dial::DialError;
pub use transport::Transport;
