//! `/webrtc-direct`: WebRTC without signalling.
//!
//! A dialer derives the listener's session description ([`sdp`]) from its [`address`]. It tells the listener the version and
//! its own [`credentials`] by the user name of its first STUN request. Once the connection is encrypted, both sides prove
//! their identities ([`handshake`]).
//!
//! Spec: <https://github.com/libp2p/specs/blob/master/webrtc/webrtc-direct.md>, versions 1 and 2.

pub mod address;
pub mod credentials;
pub mod handshake;
pub(crate) mod race;
pub mod sdp;
