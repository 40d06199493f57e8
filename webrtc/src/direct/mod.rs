//! `/webrtc-direct`: what both ends agree on before there is a connection, and how they prove who they are once it is
//! encrypted.
//!
//! A listener has no signalling: a dialer makes up the listener's session description from its [`address`], and tells
//! the version and all that the listener has to know by the [`credentials`] of its first STUN request.
//!
//! Spec: <https://github.com/libp2p/specs/blob/master/webrtc/webrtc-direct.md>, versions 1 and 2.

pub mod address;
pub mod credentials;
pub mod handshake;
pub(crate) mod race;
pub mod sdp;
