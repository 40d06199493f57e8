//! Strangers who ask a listener of `/webrtc-direct` for much and mean nothing.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use libp2p::Multiaddr;
use str0m::{
    Candidate, IceCreds, Input, Output, Rtc, RtcConfig,
    config::Fingerprint,
    crypto::from_feature_flags,
    ice::{StunMessage, TransId},
    net::{Protocol, Receive},
};
use tincan_webrtc::direct::{address::Target, credentials::Agreed};
use tokio::{net::UdpSocket, time::timeout};

/// Source addresses that the requests take turns with: one has too few ports for all.
const SOURCES: u32 = 200;
/// Requests between two breaths, so that some arrive.
const BURST: usize = 64;
/// How long a stranger waits for each answer.
const ANSWER: Duration = Duration::from_secs(2);
/// Datagrams that a half-open handshake takes from the listener: its STUN answer, its cookie, its certificate.
const HEARD: usize = 4;

/// What was sent.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Flood {
    pub(crate) requests: usize,
    pub(crate) half_open: usize,
}

/// Sends requests from as many sources, then leaves as many handshakes half open: every other one goes silent after its
/// first words, the rest as soon as the listener has shown its certificate.
pub(crate) async fn flood(hub: &Multiaddr, requests: usize, half_open: usize) -> Result<Flood> {
    let target = Target::read(hub).context("flooding needs a /webrtc-direct address")?;
    for n in 0..requests {
        request(&target, n).await?;
        if n.is_multiple_of(BURST) {
            tokio::task::yield_now().await;
        }
    }
    let mut silent = Vec::new();
    for n in 0..half_open {
        silent.push(half_open_one(&target, n).await?);
    }
    Ok(Flood { requests, half_open: silent.len() })
}

/// One of ours, its source a new one.
async fn socket(n: usize) -> Result<UdpSocket> {
    let last = u32::try_from(n)? % SOURCES;
    let ip = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + last);
    Ok(UdpSocket::bind((ip, 0)).await?)
}

/// A request like any dialer's first: every other one intact, the rest with a wrong key.
async fn request(target: &Target, n: usize) -> Result<()> {
    let agreed = Agreed::v1(&format!("{n:032x}"));
    let username = agreed.username();
    let message = StunMessage::binding_request(&username, TransId::new(), true, 7, 1_853_824_767, false);
    let password = if n.is_multiple_of(2) { agreed.listener.password.as_str() } else { "of somebody else" };
    let crypto = from_feature_flags();
    let mut bytes = [0; 1024];
    let length = message
        .to_bytes(Some(password.as_bytes()), &mut bytes, |key, payloads| {
            crypto.sha1_hmac_provider.sha1_hmac(key, payloads)
        })
        .context("a request")?;
    socket(n).await?.send_to(&bytes[..length], (target.ip, target.port)).await?;
    Ok(())
}

/// A handshake that its dialer leaves. The socket stays: the listener's host would tell that it is gone.
async fn half_open_one(target: &Target, n: usize) -> Result<UdpSocket> {
    let socket = socket(n).await?;
    let theirs = SocketAddr::new(target.ip, target.port);
    let mut rtc = dialer(socket.local_addr()?, theirs, &Agreed::v1(&format!("half{n:032x}")))?;
    let mut heard = 0;
    let enough = if n.is_multiple_of(2) { 1 } else { HEARD };
    loop {
        let next = loop {
            match rtc.poll_output()? {
                Output::Timeout(next) => break next,
                Output::Transmit(datagram) => drop(socket.send_to(&datagram.contents, datagram.destination).await?),
                Output::Event(_) => {}
            }
        };
        if heard >= enough {
            return Ok(socket);
        }
        let mut bytes = [0; 2048];
        let wait = next.saturating_duration_since(now()).min(ANSWER);
        match timeout(wait, socket.recv_from(&mut bytes)).await {
            Ok(received) => {
                let (length, from) = received?;
                heard += 1;
                let receive = Receive::new(Protocol::Udp, from, socket.local_addr()?, &bytes[..length])?;
                rtc.handle_input(Input::Receive(now(), receive))?;
            }
            Err(_) => rtc.handle_input(Input::Timeout(now()))?,
        }
    }
}

fn dialer(ours: SocketAddr, theirs: SocketAddr, agreed: &Agreed) -> Result<Rtc> {
    let ice = |credentials: &tincan_webrtc::direct::credentials::Credentials| IceCreds {
        ufrag: credentials.ufrag.clone(),
        pass: credentials.password.clone(),
    };
    let mut rtc = RtcConfig::new()
        .set_fingerprint_verification(false)
        .set_local_ice_credentials(ice(&agreed.dialer))
        .clear_codecs()
        .build(now());
    rtc.add_local_candidate(Candidate::host(ours, Protocol::Udp)?);
    rtc.add_remote_candidate(Candidate::host(theirs, Protocol::Udp)?);
    let mut direct = rtc.direct_api();
    direct.set_ice_controlling(true);
    direct.set_remote_ice_credentials(ice(&agreed.listener));
    direct.set_remote_fingerprint(Fingerprint { hash_func: "sha-256".into(), bytes: vec![0; 32] });
    direct.start_dtls(true)?;
    Ok(rtc)
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn now() -> Instant {
    Instant::now()
}
