//! WebRTC in a native program: a transport that listens on and dials `/webrtc-direct`, versions 1 and 2.
//!
//! A listener has one UDP socket. Its `endpoint` passes datagrams on to connections, and keeps strangers off until they have
//! proven their address. Each connection is a task (`driver`) around a `core` without input or output, which wraps str0m;
//! streams, muxer and driver share it (`shared`). SCTP packets pass an inspector (`inspect`) on their way in and out, since
//! str0m bounds too little of what a peer can make it do.
//!
//! | file | what lives there |
//! |---|---|
//! | `transport`, `listener`, `dial` | the libp2p transport, its listening addresses, and dialling |
//! | `handshake` | the Noise handshake, its timeouts and errors |
//! | `certificate` | the certificate, whose hash is in a listener's addresses |
//! | | **from the socket to a connection** |
//! | `socket` | one UDP socket, which sends from the address that it was reached on |
//! | `endpoint`, `routes` | which connection a datagram belongs to, and how one begins |
//! | `stun`, `introductions` | a stranger's STUN request, which is answered at once; its user name is kept for a while |
//! | `stun_server` | tells whoever asks by which address it is seen |
//! | `client_hello`, `cookie_resume` | the cookie exchange of DTLS without state, and the server that continues from it |
//! | `admission`, `incoming` | which handshake is evicted when there are too many; inbound connections until they are taken |
//! | `datagram_queue` | datagrams that one connection has yet to process |
//! | | **one connection** |
//! | `setup` | how a connection begins |
//! | `core`, `events`, `shared` | its state and channels without input or output; what it hands out; who shares it |
//! | `driver`, `ack_pacing` | its task; how often it acknowledges |
//! | `window` | how much it may have in flight |
//! | `connection` | the connection as a stream muxer |
//! | `clock` | the clock |
//! | | **inspecting SCTP** |
//! | `dtls`, `sctp_state` | DTLS with the inspector inside; what the inspector and the core tell each other |
//! | `inspect`, `validate` | the inspector; packets that it and the association read alike |
//! | `receive_order`, `owed_resets`, `in_flight` | the order of received chunks, resets that we owe, our chunks in flight |
//! | `sctp`, `stream_set` | reading packets; sets of stream ids |

mod ack_pacing;
mod admission;
mod certificate;
mod client_hello;
mod clock;
mod connection;
mod cookie_resume;
mod core;
mod datagram_queue;
mod dial;
mod driver;
mod dtls;
mod endpoint;
mod events;
mod handshake;
mod in_flight;
mod incoming;
mod inspect;
mod introductions;
mod listener;
mod owed_resets;
mod receive_order;
mod routes;
mod sctp;
mod sctp_state;
mod setup;
mod shared;
mod socket;
mod stream_set;
mod stun;
mod stun_server;
mod transport;
mod validate;
mod window;

pub use admission::{MAX_HANDSHAKES, MAX_HANDSHAKES_PER_SOURCE, MAX_UNFINISHED_HANDSHAKES};
pub use certificate::{Certificate, CertificateError};
pub use client_hello::COOKIE_TIMEOUT;
pub use connection::Connection;
pub use handshake::{HANDSHAKE_TIMEOUT, HandshakeError};
pub use introductions::{INTRODUCTION_TIMEOUT, MAX_INTRODUCTIONS};
pub use transport::Transport;
