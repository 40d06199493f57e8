//! Dialling: from an address to an authenticated connection.

use std::{future::poll_fn, time::Duration};

use js_sys::Reflect;
use libp2p::{PeerId, identity::Keypair};
use n0_future::time::timeout;
use rand::distr::{Alphanumeric, SampleString};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcDataChannelInit, RtcPeerConnection, RtcSdpType, RtcSessionDescriptionInit};

use super::connection::Connection;
use crate::{
    Budget,
    direct::{
        address::{Fingerprint, Target},
        credentials::{Credentials, IceCredentials, Version},
        handshake::{AuthenticationError, Certificates, Role, authenticate},
        race::{AnsweredSender, race_versions, with_answer_timeout},
        sdp,
    },
};

/// Time until the connection is open and authenticated.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Characters of the random string of version 1.
const V1_RANDOM: usize = 32;

/// Why a dial failed.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The browser does not support it, or refuses.
    #[error("the browser refuses: {0}")]
    Browser(String),
    /// The other side did not prove who it is.
    #[error(transparent)]
    AuthenticationError(#[from] AuthenticationError),
    /// The listener does not answer.
    #[error("nothing answers at this address")]
    Silent,
    /// It took longer than `CONNECT_TIMEOUT`.
    #[error("no answer within {} s", CONNECT_TIMEOUT.as_secs())]
    TimedOut,
}

impl From<JsValue> for DialError {
    fn from(thrown: JsValue) -> Self {
        let message = Reflect::get(&thrown, &"message".into()).ok().and_then(|message| message.as_string());
        Self::Browser(message.unwrap_or_else(|| format!("{thrown:?}")))
    }
}

/// Dials by version 2, and by version 1 where nothing answers that.
pub(super) async fn dial(target: Target, keypair: Keypair, budget: Budget) -> Result<(PeerId, Connection), DialError> {
    let attempts = race_versions(|version, answered| attempt(version, answered, &target, &keypair, &budget));
    timeout(CONNECT_TIMEOUT, attempts).await.unwrap_or(Err(DialError::TimedOut))
}

async fn attempt(
    version: Version,
    answered: AnsweredSender,
    target: &Target,
    keypair: &Keypair,
    budget: &Budget,
) -> Result<(PeerId, Connection), DialError> {
    let connection = Connection::new(RtcPeerConnection::new()?, budget);
    let negotiated = RtcDataChannelInit::new();
    negotiated.set_negotiated(true);
    negotiated.set_id(0);
    let channel = connection.peer().create_data_channel_with_data_channel_dict("", &negotiated);
    let handshake = connection.stream(channel);
    let certificates = describe(&connection, version, target).await?;
    connection.watch();
    let ended = poll_fn(|cx| connection.poll_end(cx));
    let proof = authenticate(handshake, ended, Role::Dialer, keypair, certificates);
    let authenticated = with_answer_timeout(answered, poll_fn(|cx| connection.poll_answered(cx)), proof).await;
    let peer = authenticated.ok_or(DialError::Silent)??;
    connection.set_authenticated();
    Ok((peer, connection))
}

/// Sets both session descriptions. Returns the certificate fingerprints in them.
async fn describe(connection: &Connection, version: Version, target: &Target) -> Result<Certificates, DialError> {
    let unreadable = || DialError::Browser("its description lacks credentials or a fingerprint".into());
    let peer = connection.peer();
    let offer = JsFuture::from(peer.create_offer()).await?;
    let offer = Reflect::get(&offer, &"sdp".into())?.as_string().ok_or_else(unreadable)?;
    let older = IceCredentials::v1(&Alphanumeric.sample_string(&mut rand::rng(), V1_RANDOM));
    let local = match version {
        Version::V1 => sdp::rewrite_offer(&offer, &older),
        Version::V2 => offer,
    };
    JsFuture::from(peer.set_local_description(&description(RtcSdpType::Offer, &local))).await?;
    let local = peer.local_description().ok_or_else(unreadable)?.sdp();
    let credentials = match version {
        Version::V1 => older,
        Version::V2 => {
            Credentials::from_sdp(&local).and_then(|own| IceCredentials::v2(own).ok()).ok_or_else(unreadable)?
        }
    };
    if version == Version::V2 {
        // Whoever supports version 2 supports FIN_ACK.
        connection.set_supports_fin_ack();
    }
    let dialer = Fingerprint::from_sdp(&local).ok_or_else(unreadable)?;
    let answer = description(RtcSdpType::Answer, &sdp::answer(target, &credentials));
    JsFuture::from(peer.set_remote_description(&answer)).await?;
    Ok(Certificates { dialer, listener: target.certificate })
}

fn description(kind: RtcSdpType, sdp: &str) -> RtcSessionDescriptionInit {
    let description = RtcSessionDescriptionInit::new(kind);
    description.set_sdp(sdp);
    description
}
