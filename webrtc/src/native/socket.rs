//! A UDP socket that tells to which of our addresses a datagram was sent, and sends from a given one.

use std::{
    fmt,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Type};
use tokio::{io::Interest, net::UdpSocket};

/// Buffers read by one system call; each may hold many datagrams of one sender.
const BATCH: usize = 8;
/// Bytes of a datagram; longer ones are dropped. Paths do not carry them unfragmented, and no peer sends them.
const MAX_DATAGRAM_BYTES: usize = 2048;
/// Bytes of one buffer.
const READ_BYTES: usize = 64 * 1024;
/// Size asked for the kernel's buffers, each way, in bytes; the kernel may grant less.
const KERNEL_BUFFER: usize = 4 * 1024 * 1024;
/// Bytes handed to one system call.
const MAX_SEND: usize = 60 * 1024;

/// A received datagram.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    pub(super) from: SocketAddr,
    /// The address it was sent to, with our port.
    pub(super) to: SocketAddr,
    pub(super) bytes: &'a [u8],
}

/// From which of our addresses to which of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) ours: IpAddr,
    pub(super) theirs: SocketAddr,
}

pub(super) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Socket").field(&self.local).finish()
    }
}

impl Socket {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        socket.set_nonblocking(true)?;
        let io = UdpSocket::from_std(socket.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        // With the default size it works too, only with more loss.
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&io), KERNEL_BUFFER);
        let _ = state.set_send_buffer_size(UdpSockRef::from(&io), KERNEL_BUFFER);
        let local = io.local_addr()?;
        Ok(Self { io, state, local })
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Reads datagrams until the socket fails.
    pub(super) async fn read(&self, mut handle: impl FnMut(Datagram<'_>)) -> io::Error {
        let mut buffers = vec![0; BATCH * READ_BYTES];
        loop {
            if let Err(error) = self.io.readable().await {
                return error;
            }
            let mut metas = [RecvMeta::default(); BATCH];
            let mut slices: Vec<IoSliceMut<'_>> = buffers.chunks_mut(READ_BYTES).map(IoSliceMut::new).collect();
            let read = self
                .io
                .try_io(Interest::READABLE, || self.state.recv(UdpSockRef::from(&self.io), &mut slices, &mut metas));
            drop(slices);
            match read {
                Ok(count) => {
                    for (meta, bytes) in metas[..count].iter().zip(buffers.chunks(READ_BYTES)) {
                        let to = SocketAddr::new(meta.dst_ip.unwrap_or(self.local.ip()), self.local.port());
                        let datagrams = bytes[..meta.len].chunks(meta.stride.max(1));
                        let datagrams = datagrams.filter(|bytes| bytes.len() <= MAX_DATAGRAM_BYTES);
                        datagrams.for_each(|bytes| handle(Datagram { from: meta.addr, to, bytes }));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // ICMP "port unreachable" from a peer that is gone; the socket itself is fine.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) => return error,
            }
        }
    }

    /// Sends datagrams of `size` bytes, the last may be shorter. What the system refuses is dropped.
    pub(super) async fn send(&self, path: Path, bytes: &[u8], size: usize) {
        while let Err(error) = self.try_send(path, bytes, size) {
            if error.kind() != io::ErrorKind::WouldBlock || self.io.writable().await.is_err() {
                return tracing::trace!(%error, to = %path.theirs, "datagrams were not sent");
            }
        }
    }

    pub(super) fn try_send(&self, path: Path, bytes: &[u8], size: usize) -> io::Result<()> {
        let transmit = Transmit {
            destination: path.theirs,
            ecn: None,
            contents: bytes,
            segment_size: (size < bytes.len()).then_some(size),
            src_ip: Some(path.ours).filter(|ip| !ip.is_unspecified()),
        };
        self.io.try_io(Interest::WRITABLE, || self.state.try_send(UdpSockRef::from(&self.io), &transmit))
    }

    /// How many datagrams of this size one system call takes.
    pub(super) fn at_once(&self, size: usize) -> usize {
        self.state.max_gso_segments().min(MAX_SEND / size.max(1)).max(1)
    }
}
