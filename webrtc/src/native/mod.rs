//! WebRTC in a native program: a transport that listens on and dials `/webrtc-direct`, versions 1 and 2.
//!
//! | file | what lives there |
//! |---|---|
//! | `certificate` | what a listener's addresses name |
//! | `socket` | one UDP socket, which answers from the address it was reached on |
//! | `endpoint`, `routes`, `arrivals` | whose a datagram is; who may begin a handshake; who has come |
//! | `stun`, `heralds` | a stranger's first request, which is answered at once and remembered for a while |
//! | `hello` | its first DTLS message, which is answered by a cookie and not remembered |
//! | `admission` | how many handshakes are in flight, and which one makes room for another |
//! | `dtls`, `returned` | DTLS that goes on where a cookie has been returned, and whose packets are looked at |
//! | `pace` | how often what came is acknowledged |
//! | `inspect`, `order`, `sctp` | what a peer may say in SCTP |
//! | `flight`, `resets` | what we said in SCTP and is not acknowledged, what we have yet to ask for |
//! | `inbox` | datagrams that wait for one connection |
//! | `setup` | how a connection begins |
//! | `core`, `shared` | one peer connection without input or output, and its streams' channels |
//! | `window` | how much a connection may have under way |
//! | `driver` | a task for each connection, between its core and the socket |
//! | `connection` | a connection as a stream muxer |
//! | `handshake` | the bounds of a handshake, and how it may end |
//! | `dial`, `listener`, `transport` | the same for libp2p |

mod admission;
mod arrivals;
mod certificate;
mod clock;
mod connection;
mod core;
mod dial;
mod driver;
mod dtls;
mod endpoint;
mod flight;
mod handshake;
mod hello;
mod heralds;
mod inbox;
mod inspect;
mod listener;
mod order;
mod pace;
mod resets;
mod returned;
mod routes;
mod sctp;
mod setup;
mod shared;
mod socket;
mod sound;
mod stream_set;
mod stun;
mod transport;
mod window;

pub use admission::{MAX_HANDSHAKES, MAX_HANDSHAKES_PER_SOURCE, MAX_UNENDED};
pub use certificate::{Certificate, CertificateError};
pub use connection::Connection;
pub use handshake::{HANDSHAKE_TIMEOUT, HandshakeError};
pub use hello::COOKIE_TIMEOUT;
pub use heralds::{HERALD_TIMEOUT, MAX_HERALDS};
pub use transport::Transport;
