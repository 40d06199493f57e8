//! The protocol, and its bounds.

use std::time::Duration;

use libp2p::StreamProtocol;

/// The protocol's name.
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/webrtc-signaling/0.0.1");
/// Time from the beginning of the stream until there is a connection.
pub const SIGNALLING_TIMEOUT: Duration = Duration::from_secs(30);
/// Offers of one peer that are under way at once; further ones are reset.
pub const MAX_OFFERS_PER_PEER: usize = 4;
/// The same of all peers.
pub const MAX_OFFERS: usize = 64;
