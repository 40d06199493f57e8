//! `/webrtc`: a connection between two peers that cannot listen, arranged over another connection that they have.
//!
//! One side opens a stream of [`PROTOCOL`] to the other, mostly over a relay's circuit, and offers. The other answers, and both
//! tell each other candidates (addresses at which they may be reached) as they find them, until ICE has found a pair that
//! works. The connection itself needs no Noise: the stream proves who the peer is, and what comes over it names the
//! certificate.
//!
//! [`new`] makes a transport and a behaviour that belong together, like those of the relay client. The transport dials and
//! listens on `/webrtc`; the behaviour knows the connections that streams can be opened on. Whether a peer's offer is taken is the
//! caller's decision ([`Event::Offered`]), since an answer tells it our addresses.
//!
//! | file | what lives there |
//! |---|---|
//! | `address` | `…/p2p-circuit/webrtc/p2p/ID` and `/webrtc/p2p/ID` |
//! | `message` | what is said on the stream, and its bounds |
//! | `exchange` | offer, answer and candidates, until there is a connection |
//! | `transport`, `behaviour`, `handler`, `requests` | the pair, and what its halves tell each other |
//!
//! Spec: <https://github.com/libp2p/specs/blob/master/webrtc/webrtc.md>.

pub mod address;
mod behaviour;
pub mod exchange;
mod handler;
mod limits;
pub mod message;
mod requests;
mod transport;

pub use behaviour::{Behaviour, Event, OfferId};
pub use exchange::{Agent, AgentError, AgentEvent, ExchangeError, Side};
pub use limits::{MAX_OFFERS, MAX_OFFERS_PER_PEER, PROTOCOL, SIGNALLING_TIMEOUT};
pub use requests::TransportError;
pub use transport::{Connector, Transport, new};
