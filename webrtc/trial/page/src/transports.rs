//! Ours, or those that libp2p publishes.

use libp2p::{
    PeerId, Transport as _,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, OrTransport},
        upgrade::Version,
    },
    identity::Keypair,
    noise, yamux,
};
use tincan_trial::{Error, node::Transport};
use tincan_wasm::websocket;
use tincan_webrtc::{Limits, browser as webrtc};

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
    let noise = noise::Config::new(keypair).map_err(|error| Error::SetUp(format!("encryption: {error}")))?;
    Ok(match which {
        Which::Ours => {
            let ws = websocket::Transport
                .upgrade(Version::V1Lazy)
                .authenticate(noise)
                .multiplex(yamux::Config::default())
                .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
            let direct = webrtc::Transport::new(keypair.clone(), Limits::default())
                .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)));
            either(ws.boxed(), direct.boxed())
        }
        Which::Published => {
            let ws = libp2p_websocket_websys::Transport::default()
                .upgrade(Version::V1Lazy)
                .authenticate(noise)
                .multiplex(yamux::Config::default())
                .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
            let direct = libp2p_webrtc_websys::Transport::new(libp2p_webrtc_websys::Config::new(keypair));
            either(ws.boxed(), direct.boxed())
        }
    })
}

type Connections = Boxed<(PeerId, StreamMuxerBox)>;

fn either(first: Connections, second: Connections) -> Connections {
    OrTransport::new(first, second).map(|made, _| made.into_inner()).boxed()
}
