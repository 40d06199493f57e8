//! libp2p over a browser's own WebSocket. Pages only dial.
//!
//! | file | what lives there |
//! |---|---|
//! | `address` | multiaddrs of WebSockets, and their urls |
//! | `state` | the state machine of a connection, driven by the socket's events |
//! | `receive_buffer` | bytes that were received and not read |
//! | `drain_rate` | when to check again whether a full send buffer has room |
//! | `next_task` | waiting for the next task of the event loop |
//! | `stream` | the socket and its callbacks as a stream of bytes |

mod address;
mod drain_rate;
mod next_task;
mod receive_buffer;
mod state;
mod stream;

use std::{
    future::Ready,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{FutureExt as _, future::BoxFuture};
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use send_wrapper::SendWrapper;
use tincan_shared::Multiaddr;

use crate::dialable::{Surroundings, local_network_hint};

pub use address::Address;
pub use state::MAX_UNREAD;
pub use stream::{HIGH_WATER, MESSAGE_BYTES, Stream};

/// Dials `/ws`, `/wss` and `/tls/ws` addresses.
#[derive(Debug, Default)]
pub struct Transport;

impl libp2p::core::Transport for Transport {
    type Output = Stream;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<Stream>>;
    type Dial = BoxFuture<'static, io::Result<Stream>>;

    fn listen_on(&mut self, _: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        let target = Address::of(&address).and_then(|address| Some((address.url()?, address.host)));
        match target {
            // Hole punching would have this side listen, which a page cannot.
            Some((url, host)) if options.role.is_dialer() => Ok(SendWrapper::new(async move {
                let opened = Stream::open(&url).await;
                opened.map_err(|error| match local_network_hint(&host, &Surroundings::here()) {
                    Some(hint) if error.kind() == io::ErrorKind::ConnectionRefused => {
                        io::Error::new(error.kind(), hint)
                    }
                    _ => error,
                })
            })
            .boxed()),
            _ => Err(TransportError::MultiaddrNotSupported(address)),
        }
    }

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Poll::Pending
    }
}
