//! A dialer of `/webrtc-direct` that says whatever it likes: str0m, a socket, and none of our rules.
#![allow(dead_code, unreachable_pub, reason = "each test file is a program of its own and uses its part")]

mod wire;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use libp2p::{Multiaddr, identity::Keypair};
use str0m::{
    Candidate, Event, IceCreds, Input, Output, Rtc, RtcConfig,
    channel::{ChannelConfig, ChannelId},
    config::Fingerprint as DtlsFingerprint,
    crypto::from_feature_flags,
    net::{Protocol, Receive},
};
use tincan_webrtc::{
    Budget, Channel, ChannelEvents, ChannelGone, FinAckSupport, Limits, Opener,
    direct::{
        address::{Fingerprint, Target},
        credentials::{Credentials, IceCredentials},
        handshake::{Certificates, Role, authenticate},
    },
    open,
};
use tokio::{net::UdpSocket, sync::oneshot, time::timeout};
use wire::Tap;
#[allow(unused_imports, reason = "each test file uses its part")]
pub use wire::{Wire, data, heartbeat, open as open_chunk, performed, reset, sack};

/// Whatever is awaited here comes in milliseconds.
const PATIENCE: Duration = Duration::from_secs(45);
/// Bytes under way before the dialer waits: as many as one that wants to be fast keeps there.
const UNDER_WAY: usize = 256 * 1024;
/// How long one turn waits for an answer.
const TURN: Duration = Duration::from_millis(20);

/// A frame of four bytes: its length, a field, and one byte of payload.
pub const TINY_FRAME: [u8; 4] = [3, 0x12, 1, b'x'];

/// See the [module](self).
pub struct Raw {
    rtc: Rtc,
    pub socket: UdpSocket,
    theirs: SocketAddr,
    ours: SocketAddr,
    listener: Fingerprint,
    certificate: Fingerprint,
    /// The handshake's channel.
    pub first: ChannelId,
    open: HashMap<ChannelId, bool>,
    /// What the handshake's stream has to say and hear.
    said: Arc<Mutex<VecDeque<Bytes>>>,
    heard: Vec<Bytes>,
    events: Option<ChannelEvents>,
    /// Below its association.
    pub wire: Wire,
    /// The other side has ended the connection.
    pub ended: bool,
}

struct Said(Arc<Mutex<VecDeque<Bytes>>>);

impl Channel for Said {
    fn has_room(&self) -> bool {
        true
    }

    fn send(&mut self, message: Bytes) -> Result<(), ChannelGone> {
        self.0.lock().expect("nobody panicked with it").push_back(message);
        Ok(())
    }

    fn close(&mut self) {}
}

#[allow(clippy::disallowed_methods, reason = "the dialer is its own clock")]
fn now() -> Instant {
    Instant::now()
}

impl Raw {
    /// Dials until the connection is encrypted. Nobody has proved anything then.
    pub async fn dial(address: &Multiaddr) -> Self {
        Self::dial_from(0, address).await
    }

    /// The same from this port.
    pub async fn dial_from(port: u16, address: &Multiaddr) -> Self {
        let target = Target::read(address).expect("an address of ours");
        let theirs = SocketAddr::new(target.ip, target.port);
        let socket = UdpSocket::bind(("127.0.0.1", port)).await.expect("a socket");
        let ours = socket.local_addr().expect("bound");
        let random = format!("{:032x}", rand::random::<u128>());
        let credentials =
            IceCredentials::v2(Credentials { ufrag: random.clone(), password: random }).expect("credentials");
        let wire = Wire::default();
        let mut crypto = from_feature_flags();
        crypto.dtls_provider = Box::leak(Box::new(Tap { wire: wire.clone(), inner: crypto.dtls_provider }));
        let own = crypto.dtls_provider.generate_certificate().expect("a certificate");
        let certificate = Fingerprint::new(crypto.sha256_provider.sha256(&own.certificate));
        let ice = |credentials: &Credentials| IceCreds {
            ufrag: credentials.ufrag.clone(),
            pass: credentials.password.clone(),
        };
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(Arc::new(crypto))
            .set_dtls_cert(own)
            .set_fingerprint_verification(false)
            .set_local_ice_credentials(ice(&credentials.dialer))
            .clear_codecs()
            .set_sctp_max_buffered_amount(usize::MAX)
            .build(now());
        rtc.add_local_candidate(Candidate::host(ours, Protocol::Udp).expect("a candidate"));
        rtc.add_remote_candidate(Candidate::host(theirs, Protocol::Udp).expect("a candidate"));
        let mut direct = rtc.direct_api();
        direct.set_ice_controlling(true);
        direct.set_remote_ice_credentials(ice(&credentials.listener));
        let bytes = target.certificate.digest().to_vec();
        direct.set_remote_fingerprint(DtlsFingerprint { hash_func: "sha-256".into(), bytes });
        direct.start_dtls(true).expect("it begins");
        direct.start_sctp(true);
        let first = direct.create_data_channel(numbered(0));
        let mut new = Self {
            rtc,
            socket,
            theirs,
            ours,
            listener: target.certificate,
            certificate,
            first,
            open: HashMap::new(),
            said: Arc::default(),
            heard: Vec::new(),
            events: None,
            wire,
            ended: false,
        };
        new.until("its channel opens", |raw| raw.is_open(first)).await;
        new
    }

    /// Proves who it is, as any key can.
    pub async fn prove(&mut self) {
        let memory = Budget::new(Limits::default()).connection();
        let (stream, events) = open(Said(self.said.clone()), Opener::Local, &memory, FinAckSupport::default());
        self.heard.drain(..).for_each(|message| events.on_message(message));
        self.events = Some(events);
        let (done, mut proved) = oneshot::channel();
        let certificates = Certificates { dialer: self.certificate, listener: self.listener };
        tokio::spawn(async move {
            let key = Keypair::generate_ed25519();
            let made = authenticate(stream, std::future::pending(), Role::Dialer, &key, certificates).await;
            let _ = done.send(made.map(drop));
        });
        self.until("Noise is through", |_| match proved.try_recv() {
            Ok(made) => {
                made.expect("it is who it says it is");
                true
            }
            Err(_) => false,
        })
        .await;
    }

    /// A channel with a message that opens it.
    pub fn channel(&mut self) -> ChannelId {
        self.rtc.direct_api().create_data_channel(ChannelConfig::default())
    }

    /// A channel of this number without such a message.
    pub fn unannounced(&mut self, number: u16) -> ChannelId {
        self.rtc.direct_api().create_data_channel(numbered(number))
    }

    pub fn is_open(&self, id: ChannelId) -> bool {
        self.open.get(&id).copied().unwrap_or(false)
    }

    /// Whether a channel was open and is closed.
    pub fn is_closed(&self, id: ChannelId) -> bool {
        self.open.get(&id).is_some_and(|open| !open)
    }

    /// Sends if there is room.
    pub fn write(&mut self, id: ChannelId, message: &[u8]) -> bool {
        let Some(mut channel) = self.rtc.channel(id) else { return false };
        channel.buffered_amount() < UNDER_WAY && channel.write(true, message).unwrap_or(false)
    }

    /// Goes on until something is the case.
    pub async fn until(&mut self, what: &str, mut is: impl FnMut(&mut Self) -> bool) {
        let begun = now();
        while !is(self) {
            assert!(now() - begun < PATIENCE, "in time: {what}");
            self.turn().await;
        }
    }

    /// Does what is due, and waits a little for what comes.
    pub async fn turn(&mut self) {
        self.turn_within(TURN).await;
    }

    /// The same, waiting no longer than this.
    pub async fn turn_within(&mut self, at_most: Duration) {
        let messages: Vec<Bytes> = self.said.lock().expect("nobody panicked with it").drain(..).collect();
        for message in messages {
            let id = self.first;
            self.rtc.channel(id).expect("it is open").write(true, &message).expect("it takes messages");
        }
        let due = self.poll().await;
        let wait = due.saturating_duration_since(now()).min(at_most);
        let mut bytes = [0; 4096];
        if let Ok(Ok((length, _))) = timeout(wait, self.socket.recv_from(&mut bytes)).await {
            self.hear(&bytes[..length]);
            while let Ok((length, _)) = self.socket.try_recv_from(&mut bytes) {
                self.hear(&bytes[..length]);
            }
        }
        if self.rtc.is_alive() {
            self.rtc.handle_input(Input::Timeout(now())).expect("time passes");
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        if let Ok(receive) = Receive::new(Protocol::Udp, self.theirs, self.ours, bytes) {
            let _ = self.rtc.handle_input(Input::Receive(now(), receive));
        }
    }

    async fn poll(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(due)) => return due,
                Ok(Output::Transmit(datagram)) => drop(self.socket.send_to(&datagram.contents, self.theirs).await),
                Ok(Output::Event(event)) => self.happened(event),
                Err(_) => {
                    self.ended = true;
                    return now() + TURN;
                }
            }
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::ChannelOpen(id, _) => drop(self.open.insert(id, true)),
            Event::ChannelClose(id) => drop(self.open.insert(id, false)),
            Event::ChannelData(message) if message.id == self.first => match &self.events {
                Some(events) => events.on_message(message.data.into()),
                None => self.heard.push(message.data.into()),
            },
            Event::Closed => self.ended = true,
            _ => {}
        }
    }

    /// Sends a datagram beside the connection, from its address.
    pub async fn datagram(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.theirs).await.expect("sent");
    }
}

fn numbered(number: u16) -> ChannelConfig {
    ChannelConfig { negotiated: Some(number), ..ChannelConfig::default() }
}
