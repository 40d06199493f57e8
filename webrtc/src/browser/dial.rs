//! From an address to an authenticated connection.

use std::{future::poll_fn, pin::pin, time::Duration};

use futures::{
    AsyncWriteExt,
    future::{Either, select},
};
use js_sys::Reflect;
use libp2p::{
    PeerId,
    core::upgrade::{InboundConnectionUpgrade, UpgradeInfo},
    identity::Keypair,
    noise,
};
use n0_future::time::{sleep, timeout};
use rand::distr::{Alphanumeric, SampleString};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcDataChannelInit, RtcPeerConnection, RtcSdpType, RtcSessionDescriptionInit};

use super::connection::Connection;
use crate::{
    Limits, Stream,
    direct::{
        address::{Fingerprint, Target},
        credentials::{Agreed, Credentials, Version},
        noise_prologue, sdp,
    },
};

/// Until a connection is authenticated.
const DIAL_TIMEOUT: Duration = Duration::from_secs(20);
/// An address does not tell the versions its listener knows: how long version 2 is ahead of version 1.
const HEAD_START: Duration = Duration::from_millis(250);
/// Characters of the string that version 1 uses for everything.
const V1_RANDOM: usize = 32;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The browser does not do it.
    #[error("the browser refuses: {0}")]
    Browser(String),
    /// Nobody answered, or it went away.
    #[error("no connection: {0}")]
    Ended(&'static str),
    /// Whoever answered is not who it says it is.
    #[error("the other side does not prove who it is: {0}")]
    Noise(#[from] noise::Error),
    /// In time.
    #[error("no answer within {} s", DIAL_TIMEOUT.as_secs())]
    TimedOut,
}

impl From<JsValue> for DialError {
    fn from(thrown: JsValue) -> Self {
        let message = Reflect::get(&thrown, &"message".into()).ok().and_then(|message| message.as_string());
        Self::Browser(message.unwrap_or_else(|| format!("{thrown:?}")))
    }
}

/// Dials by version 2, and soon after by version 1 as well: the first that stands counts.
pub(super) async fn dial(target: Target, keypair: Keypair, limits: Limits) -> Result<(PeerId, Connection), DialError> {
    let newer = pin!(attempt(Version::V2, &target, &keypair, limits));
    let older = pin!(async {
        sleep(HEAD_START).await;
        attempt(Version::V1, &target, &keypair, limits).await
    });
    let both = async {
        match select(newer, older).await {
            Either::Left((Ok(made), _)) | Either::Right((Ok(made), _)) => Ok(made),
            Either::Left((Err(_), other)) => other.await,
            Either::Right((Err(error), other)) => other.await.map_err(|_| error),
        }
    };
    timeout(DIAL_TIMEOUT, both).await.unwrap_or(Err(DialError::TimedOut))
}

async fn attempt(
    version: Version,
    target: &Target,
    keypair: &Keypair,
    limits: Limits,
) -> Result<(PeerId, Connection), DialError> {
    let connection = Connection::new(RtcPeerConnection::new()?, limits);
    let negotiated = RtcDataChannelInit::new();
    negotiated.set_negotiated(true);
    negotiated.set_id(0);
    let channel = connection.peer().create_data_channel_with_data_channel_dict("", &negotiated);
    let handshake = connection.stream(channel);
    let prologue = describe(&connection, version, target).await?;
    connection.watch();
    let authenticate = pin!(authenticate(handshake, keypair, prologue));
    let ended = pin!(poll_fn(|cx| connection.poll_end(cx)));
    // Its end comes first: to the handshake it looks like somebody who cannot prove who they are.
    let peer = match select(ended, authenticate).await {
        Either::Left((why, _)) => return Err(DialError::Ended(why)),
        Either::Right((peer, _)) => peer?,
    };
    Ok((peer, connection))
}

/// Gives the browser both descriptions. Returns what Noise binds to them.
async fn describe(connection: &Connection, version: Version, target: &Target) -> Result<Vec<u8>, DialError> {
    let unreadable = || DialError::Browser("its description lacks credentials or a fingerprint".into());
    let peer = connection.peer();
    let offer = JsFuture::from(peer.create_offer()).await?;
    let offer = Reflect::get(&offer, &"sdp".into())?.as_string().ok_or_else(unreadable)?;
    let older = Agreed::v1(&Alphanumeric.sample_string(&mut rand::rng(), V1_RANDOM));
    let local = match version {
        Version::V1 => sdp::rewritten(&offer, &older),
        Version::V2 => offer,
    };
    JsFuture::from(peer.set_local_description(&description(RtcSdpType::Offer, &local))).await?;
    let local = peer.local_description().ok_or_else(unreadable)?.sdp();
    let agreed = match version {
        Version::V1 => older,
        Version::V2 => Credentials::in_sdp(&local).and_then(|own| Agreed::v2(own).ok()).ok_or_else(unreadable)?,
    };
    if version == Version::V2 {
        // Whoever knows the newer version knows FIN_ACK.
        connection.acknowledges();
    }
    let own = Fingerprint::in_sdp(&local).ok_or_else(unreadable)?;
    let answer = description(RtcSdpType::Answer, &sdp::answer(target, &agreed));
    JsFuture::from(peer.set_remote_description(&answer)).await?;
    Ok(noise_prologue(&own, &target.certificate))
}

fn description(kind: RtcSdpType, sdp: &str) -> RtcSessionDescriptionInit {
    let description = RtcSessionDescriptionInit::new(kind);
    description.set_sdp(sdp);
    description
}

/// The listener begins, so the dialer answers.
async fn authenticate(handshake: Stream, keypair: &Keypair, prologue: Vec<u8>) -> Result<PeerId, DialError> {
    let noise = noise::Config::new(keypair)?.with_prologue(prologue);
    let name = noise.protocol_info().next().unwrap_or("/noise");
    let (peer, mut channel) = noise.upgrade_inbound(handshake, name).await?;
    // Its end is of no consequence.
    let _ = channel.close().await;
    Ok(peer)
}
