//! A listener of WebRTC-direct by libp2p's own crate, which knows version 1 alone.

use futures::StreamExt;
use libp2p::{
    Swarm, Transport,
    core::muxing::StreamMuxerBox,
    identity::Keypair,
    ping,
    swarm::{self, SwarmEvent},
};

/// Listens on loopback and answers pings for as long as the test lasts. Returns where.
pub async fn listener() -> String {
    tincan_node::transport::install_crypto();
    let key = Keypair::generate_ed25519();
    let certificate = libp2p_webrtc::tokio::Certificate::generate(&mut rand::rng()).expect("a certificate");
    let transport = libp2p_webrtc::tokio::Transport::new(key.clone(), certificate)
        .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
        .boxed();
    let me = key.public().to_peer_id();
    let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(super::PATIENCE);
    let mut swarm = Swarm::new(transport, ping::Behaviour::default(), me, config);
    swarm.listen_on("/ip4/127.0.0.1/udp/0/webrtc-direct".parse().expect("an address")).expect("a listener");
    let told = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address;
        }
    };
    tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    format!("{told}/p2p/{me}")
}
