//! TCP, WebSocket, QUIC and WebRTC-direct, composed by hand: the order decides who takes an address.

use std::time::Duration;

use libp2p::{
    PeerId, Transport as _,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, OrTransport},
        upgrade::Version,
    },
    identity::Keypair,
    noise, quic, tcp, websocket, yamux,
};
use tincan_webrtc::native::Certificate;

use crate::{
    Error,
    dialling::{self, CONNECT_TIMEOUT, Dialler, Layer},
    graceful_close::GracefulClose,
    tls,
};

/// The longest dial of a WebSocket: a name is looked up, its addresses are tried, then come TLS and the request.
const WS_DIAL_TIMEOUT: Duration = Duration::from_secs(18);
/// Bytes of one WebSocket frame; a page sends at most 1 MiB at once.
const MAX_WS_FRAME_BYTES: usize = 2 * 1024 * 1024;

/// Transports, authenticated and multiplexed.
pub type Connections = Boxed<(PeerId, StreamMuxerBox)>;

/// Everything this host can dial and listen on.
///
/// # Errors
/// [`Error::SetUp`].
pub fn build(key: &Keypair, certificate: &Certificate) -> Result<Connections, Error> {
    let shared = dialling::Shared::default();
    // WebSocket stands first: plain TCP would take its addresses and talk past the other side. It keeps names, as TLS
    // needs them; they are looked up below it.
    let (ws, noise) = (websocket_with(key, shared.clone())?, noise(key)?);
    let rest = either(tcp(noise.clone()), either(quic(key), webrtc_direct(key, certificate)));
    let rest = Dialler::new(rest, shared.clone(), Layer::Hosts).boxed();
    Ok(Dialler::new(either(ws, rest), shared, Layer::Dnsaddr).boxed())
}

/// WebSocket alone.
///
/// # Errors
/// [`Error::SetUp`].
pub fn websocket(key: &Keypair) -> Result<Connections, Error> {
    websocket_with(key, dialling::Shared::default())
}

fn websocket_with(key: &Keypair, shared: dialling::Shared) -> Result<Connections, Error> {
    let mut ws = websocket::Config::new(Dialler::new(tcp_transport(), shared, Layer::Hosts));
    ws.set_tls_config(tls::config());
    // A frame's announced size is allocated before it arrives, from strangers too.
    ws.set_max_data_size(MAX_WS_FRAME_BYTES);
    let ws = ws
        .map(|socket, _| GracefulClose::new(socket))
        .map_err(tls::Error::from)
        .upgrade(Version::V1Lazy)
        .authenticate(noise(key)?)
        .multiplex(yamux::Config::default())
        .inbound_timeout(CONNECT_TIMEOUT)
        .outbound_timeout(WS_DIAL_TIMEOUT)
        .boxed();
    Ok(ws)
}

fn noise(key: &Keypair) -> Result<noise::Config, Error> {
    noise::Config::new(key).map_err(|error| Error::SetUp { what: "encryption", reason: error.to_string() })
}

fn tcp(noise: noise::Config) -> Connections {
    tcp_transport()
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default())
        .inbound_timeout(CONNECT_TIMEOUT)
        .boxed()
}

fn quic(key: &Keypair) -> Connections {
    quic::tokio::Transport::new(quic::Config::new(key))
        .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
        .boxed()
}

#[cfg(not(feature = "stock-webrtc"))]
fn webrtc_direct(key: &Keypair, certificate: &Certificate) -> Connections {
    tincan_webrtc::native::Transport::new(key.clone(), certificate.clone(), tincan_webrtc::Limits::default())
        .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
        .boxed()
}

/// libp2p's own, for comparison.
#[cfg(feature = "stock-webrtc")]
fn webrtc_direct(key: &Keypair, certificate: &Certificate) -> Connections {
    let theirs = libp2p_webrtc::tokio::Certificate::from_pem(&certificate.to_pem());
    let theirs = theirs.expect("ours is written in its format, and was read from it");
    libp2p_webrtc::tokio::Transport::new(key.clone(), theirs)
        .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
        .boxed()
}

/// Picks the crypto library. Without it the first WebRTC handshake finds two and panics.
pub fn install_crypto() {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn either(first: Connections, second: Connections) -> Connections {
    OrTransport::new(first, second).map(|output, _| output.into_inner()).boxed()
}

fn tcp_transport() -> tcp::tokio::Transport {
    tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
}
