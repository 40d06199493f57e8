//! Interoperation with go-libp2p: a peer built on it (`tests/go`) and the real binary, over every transport, each
//! side dialling the other.
//!
//! | file | what |
//! |---|---|
//! | `go` | the peer: built once, driven line by line |
//! | `place` | where both sides run |
//! | `dials`, `dialled` | go-libp2p dials a hub; it is dialled |
//! | `circuits` | it reserves a place at a hub and is reached there |
//! | `rooms`, `records` | what both ways have in common |

#[path = "../support/mod.rs"]
mod support;

mod circuits;
mod dialled;
mod dials;
mod go;
mod place;
mod records;
mod rooms;

/// A way to carry a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Transport {
    Tcp,
    Quic,
    Ws,
    WebRtcDirect,
}

impl Transport {
    /// As [`support::Hub::address`] names it.
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic-v1",
            Self::Ws => "ws",
            Self::WebRtcDirect => "webrtc-direct",
        }
    }

    /// Where to listen on this host.
    fn listen(self, ip: &str) -> String {
        match self {
            Self::Tcp => format!("/ip4/{ip}/tcp/0"),
            Self::Ws => format!("/ip4/{ip}/tcp/0/ws"),
            Self::Quic | Self::WebRtcDirect => format!("/ip4/{ip}/udp/0/{}", self.name()),
        }
    }
}

/// Each of these functions as a test over each transport.
macro_rules! over_every_transport {
    ($($test:ident)*) => {
        mod tcp {
            $(#[test] fn $test() { super::$test($crate::Transport::Tcp) })*
        }
        mod quic {
            $(#[test] fn $test() { super::$test($crate::Transport::Quic) })*
        }
        mod ws {
            $(#[test] fn $test() { super::$test($crate::Transport::Ws) })*
        }
        mod webrtc_direct {
            $(#[test] fn $test() { super::$test($crate::Transport::WebRtcDirect) })*
        }
    };
}
pub(crate) use over_every_transport;
