//! Strangers who ask a listener of `/webrtc-direct` for much and mean nothing: at a rate, from many addresses.

use std::{
    io::IoSliceMut,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use clap::ValueEnum;
use libp2p::Multiaddr;
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tincan_webrtc::direct::{address::Target, credentials::IceCredentials};
use tokio::{
    io::Interest,
    net::UdpSocket,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::stranger::{client_hello, cookie, request};

/// Each is on every address of [`NETWORK`], so there are as many sources as ports times addresses.
const PORTS: usize = 63;
/// Of loopback.
const NETWORK: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 0);
const ADDRESSES: u64 = 1 << 16;
/// How often those are sent that are due.
const TICK: Duration = Duration::from_millis(2);
/// Bytes of one read, which may bring several datagrams.
const READ_BYTES: usize = 64 * 1024;
const RANDOM: [u8; 32] = [7; 32];
// Of a record, and of the message in it.
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;

/// How far strangers go before they are silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A request by STUN
    Stun,
    /// And a ClientHello, whose answer is not heard: so do those who forge their addresses
    Hello,
    /// And another one with the cookie, after which the listener shows its certificate
    Cookie,
    /// A third of each
    Mixed,
}

/// What was sent and heard.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Flood {
    /// Requests, each from a new source.
    pub(crate) strangers: u64,
    /// Hellos that were answered by a cookie.
    pub(crate) cookies: u64,
    /// Those with a cookie that were answered by a certificate.
    pub(crate) begun: u64,
    pub(crate) seconds: f64,
}

/// One port on every address.
struct Port {
    io: UdpSocket,
    state: UdpSocketState,
    listener: SocketAddr,
    kind: Kind,
}

#[derive(Default)]
struct Heard {
    cookies: AtomicU64,
    begun: AtomicU64,
}

/// Lets so many strangers a second come, until `over`.
pub(crate) async fn flood(hub: &Multiaddr, kind: Kind, rate: u64, over: impl Future<Output = ()>) -> Result<Flood> {
    let target = Target::read(hub).context("flooding needs a /webrtc-direct address")?;
    let listener = SocketAddr::new(target.ip, target.port);
    let (mut ports, mut readers, heard) = (Vec::new(), JoinSet::new(), Arc::new(Heard::default()));
    for n in 0..PORTS {
        let kind = match kind {
            Kind::Mixed => [Kind::Stun, Kind::Hello, Kind::Cookie][n % 3],
            kind => kind,
        };
        let port = Arc::new(Port::bind(listener, kind)?);
        readers.spawn(port.clone().read(heard.clone()));
        ports.push(port);
    }
    #[allow(clippy::disallowed_methods, reason = "the time of an attack is that of the wall")]
    let begin = Instant::now();
    let mut strangers = 0;
    let come = async {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = ticks.tick().await.duration_since(begin).as_secs_f64() * rate as f64;
            while strangers < due as u64 {
                ports[strangers as usize % PORTS].come(strangers);
                strangers += 1;
            }
        }
    };
    tokio::select! {
        () = come => {}
        () = over => {}
    }
    let seconds = begin.elapsed().as_secs_f64();
    let [cookies, begun] = [&heard.cookies, &heard.begun].map(|count| count.load(Ordering::Relaxed));
    Ok(Flood { strangers, cookies, begun, seconds })
}

impl Port {
    fn bind(listener: SocketAddr, kind: Kind) -> Result<Self> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_nonblocking(true)?;
        let io = UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        Ok(Self { io, state, listener, kind })
    }

    /// A new stranger says what it says without an answer.
    fn come(&self, number: u64) {
        let credentials = IceCredentials::v1(&format!("{number:032x}"));
        let last = u32::try_from(number / PORTS as u64 % ADDRESSES).unwrap_or_default();
        let ip = Ipv4Addr::from_bits(NETWORK.to_bits() + last).into();
        self.send(ip, &request(&credentials, &credentials.listener.password));
        if self.kind != Kind::Stun {
            self.send(ip, &client_hello(RANDOM, &[]));
        }
    }

    fn send(&self, ip: IpAddr, contents: &[u8]) {
        let transmit =
            Transmit { destination: self.listener, ecn: None, contents, segment_size: None, src_ip: Some(ip) };
        // What does not go at once is lost, as on any path.
        let _ = self.io.try_io(Interest::WRITABLE, || self.state.try_send(UdpSockRef::from(&self.io), &transmit));
    }

    async fn read(self: Arc<Self>, heard: Arc<Heard>) {
        let mut buffer = vec![0; READ_BYTES];
        while self.io.readable().await.is_ok() {
            let (mut metas, mut slices) = ([RecvMeta::default()], [IoSliceMut::new(&mut buffer)]);
            let read = || self.state.recv(UdpSockRef::from(&self.io), &mut slices, &mut metas);
            if self.io.try_io(Interest::READABLE, read).is_err() {
                continue;
            }
            let [meta] = metas;
            let Some(ip) = meta.dst_ip else { continue };
            for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                if let Some(cookie) = cookie(datagram) {
                    heard.cookies.fetch_add(1, Ordering::Relaxed);
                    if self.kind == Kind::Cookie {
                        self.send(ip, &client_hello(RANDOM, cookie));
                    }
                } else if datagram.first() == Some(&HANDSHAKE) && datagram.get(13) == Some(&SERVER_HELLO) {
                    heard.begun.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}
