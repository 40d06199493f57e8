//! `/webrtc-direct`: what both ends agree on before there is a connection.
//!
//! A listener has no signalling: a dialer makes up the listener's session description from its [`address`], and tells
//! the version and all that the listener has to know by the [`credentials`] of its first STUN request.
//!
//! Spec: <https://github.com/libp2p/specs/blob/master/webrtc/webrtc-direct.md>, versions 1 and 2.

pub mod address;
pub mod credentials;
pub mod sdp;

use address::Fingerprint;

/// What Noise binds to both certificates: those of the dialer and of the listener.
#[must_use]
pub fn noise_prologue(dialer: &Fingerprint, listener: &Fingerprint) -> Vec<u8> {
    [b"libp2p-webrtc-noise:".as_slice(), &dialer.multihash().to_bytes(), &listener.multihash().to_bytes()].concat()
}
