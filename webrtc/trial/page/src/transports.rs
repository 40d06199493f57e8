//! Ours, or those that libp2p publishes.

use libp2p::{
    Transport as _,
    core::{muxing::StreamMuxerBox, transport::OrTransport, upgrade::Version},
    identity::Keypair,
    noise, yamux,
};
use tincan_trial::{Error, node::Transport};

/// Whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Of this workspace.
    Ours,
    /// libp2p-websocket-websys and libp2p-webrtc-websys.
    Published,
}

impl std::str::FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ours" => Ok(Self::Ours),
            "published" => Ok(Self::Published),
            _ => Err(format!("no transports {text:?}; say ours or published")),
        }
    }
}

/// All that a page dials.
pub(crate) fn build(keypair: &Keypair, which: Which) -> Result<Transport, Error> {
    match which {
        Which::Ours => tincan_wasm::transport::build(keypair).map_err(|error| Error::SetUp(error.to_string())),
        Which::Published => published(keypair),
    }
}

fn published(keypair: &Keypair) -> Result<Transport, Error> {
    let noise = noise::Config::new(keypair).map_err(|error| Error::SetUp(format!("encryption: {error}")))?;
    let ws = libp2p_websocket_websys::Transport::default()
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed();
    let direct = libp2p_webrtc_websys::Transport::new(libp2p_webrtc_websys::Config::new(keypair)).boxed();
    Ok(OrTransport::new(ws, direct).map(|made, _| made.into_inner()).boxed())
}
