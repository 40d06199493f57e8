//! The node's WebSocket, and one of two WebRTCs.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;
use libp2p::{
    Transport as _,
    core::{
        muxing::StreamMuxerBox,
        transport::{OrTransport, timeout::TransportTimeout},
    },
    identity::Keypair,
};
use tincan_trial::node::Transport;
use tincan_webrtc::{Limits, direct::credentials, native};

/// Until a connection is made, authenticated and multiplexed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Whose WebRTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// Of this workspace
    #[default]
    Ours,
    /// libp2p-webrtc, as published
    Stock,
}

/// Of `/webrtc-direct`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Version {
    #[value(name = "1")]
    V1,
    #[value(name = "2")]
    V2,
}

impl From<Version> for credentials::Version {
    fn from(version: Version) -> Self {
        match version {
            Version::V1 => Self::V1,
            Version::V2 => Self::V2,
        }
    }
}

/// All that a native trial dials and listens on.
pub(crate) fn build(keypair: &Keypair, which: Which, version: Option<Version>) -> Result<Transport> {
    let ws = tincan_node::transport::websocket(keypair)?;
    let webrtc = TransportTimeout::new(webrtc(keypair, which, version)?, CONNECT_TIMEOUT);
    Ok(OrTransport::new(ws, webrtc).map(|made, _| made.into_inner()).boxed())
}

/// One of the two.
fn webrtc(keypair: &Keypair, which: Which, version: Option<Version>) -> Result<Transport> {
    match which {
        Which::Ours => {
            let mut ours = native::Transport::new(keypair.clone(), native::Certificate::generate()?, Limits::default());
            if let Some(version) = version {
                ours = ours.dialling(version.into());
            }
            Ok(ours.map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection))).boxed())
        }
        Which::Stock if version == Some(Version::V2) => {
            bail!("libp2p-webrtc dials by version 1 alone; leave out --version 2")
        }
        Which::Stock => stock(keypair),
    }
}

#[cfg(feature = "stock")]
fn stock(keypair: &Keypair) -> Result<Transport> {
    // Without a crypto library of its choice the first handshake finds two and panics; an error means that it has one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = libp2p_webrtc::tokio::Certificate::generate(&mut rand::rng())?;
    let mut stock = libp2p_webrtc::tokio::Transport::new(keypair.clone(), certificate);
    // It dials from a listener's socket only.
    stock.listen_on(libp2p::core::transport::ListenerId::next(), "/ip4/127.0.0.1/udp/0/webrtc-direct".parse()?)?;
    Ok(stock.map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection))).boxed())
}

#[cfg(not(feature = "stock"))]
fn stock(_: &Keypair) -> Result<Transport> {
    bail!("built without libp2p-webrtc; build with --features stock")
}
