//! TCP connections whose reading can be stopped. Where that is meant, buffers are small: a peer that stops fills its hub's
//! buffers within seconds, as it would far away. On loopback a system's own choice would take megabytes first.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures::{AsyncRead, AsyncWrite, FutureExt, future::BoxFuture};
use libp2p::{
    Multiaddr, Transport, TransportError,
    core::transport::{DialOpts, ListenerId, TransportEvent},
    multiaddr::Protocol,
    tcp::tokio::TcpStream,
};
use socket2::SockRef;
use tokio::net::TcpSocket;

/// Bytes that the system keeps for a reader; it takes more for itself.
const RECEIVE_BUFFER: u32 = 4096;
/// Bytes of a packet, as on Ethernet; loopback's are so large that a sender keeps megabytes.
const SEGMENT: u32 = 1400;

/// Dials only.
#[derive(Debug)]
pub(super) struct Sockets {
    /// Whether buffers are to be small.
    pub(super) small: bool,
    /// Once set, its connections are read no more.
    pub(super) deaf: Arc<AtomicBool>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    deaf: Arc<AtomicBool>,
}

impl Transport for Sockets {
    type Output = Socket;
    type Error = io::Error;
    type ListenerUpgrade = futures::future::Pending<io::Result<Socket>>;
    type Dial = BoxFuture<'static, io::Result<Socket>>;

    fn listen_on(&mut self, _: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(&mut self, address: Multiaddr, _: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        let Some(hub) = socket_address(&address) else { return Err(TransportError::MultiaddrNotSupported(address)) };
        let (small, deaf) = (self.small, self.deaf.clone());
        let dial = async move {
            let socket = TcpSocket::new_v4()?;
            if small {
                socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
                SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
            }
            let stream = socket.connect(hub).await?;
            stream.set_nodelay(true)?;
            Ok(Socket { stream: TcpStream(stream), deaf })
        };
        Ok(dial.boxed())
    }

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Poll::Pending
    }
}

/// Of `/ip4/…/tcp/…`, with nothing behind it but a peer id.
fn socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    match (parts.next()?, parts.next()?, parts.next()) {
        (Protocol::Ip4(ip), Protocol::Tcp(port), None | Some(Protocol::P2p(_))) => {
            Some(SocketAddr::new(IpAddr::V4(ip), port))
        }
        _ => None,
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.deaf.load(Ordering::Relaxed) {
            // Never woken again.
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
