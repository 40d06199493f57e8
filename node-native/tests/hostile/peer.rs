//! A peer with a valid key and nothing else that is right: raw substreams over any transport of the product.

use std::{
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt,
    future::{self, poll_fn},
    io::{ReadHalf, WriteHalf},
};
use libp2p::{
    Multiaddr, PeerId, Transport,
    core::{
        Endpoint,
        muxing::{StreamMuxer, StreamMuxerBox, SubstreamBox},
        transport::{Boxed, DialOpts, PortUse},
    },
    identity::Keypair,
};
use tincan_node::{certificate, transport};
use tincan_webrtc::native::Certificate;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use super::habits::Habits;

/// Until a connection stands, a stream is open, or a hub has answered.
pub const WAIT: Duration = Duration::from_secs(45);
/// Substreams that may be asked for before the connection is looked at.
const ASKED: usize = 16;
const MULTISTREAM: &[u8] = b"\x13/multistream/1.0.0\n";

/// What keeps a stream open.
pub type Halves = (ReadHalf<SubstreamBox>, WriteHalf<SubstreamBox>);
type Reply = oneshot::Sender<SubstreamBox>;

/// One connection. It ends when this is dropped.
#[derive(Debug)]
pub struct Peer {
    pub key: Keypair,
    pub id: PeerId,
    asked: mpsc::Sender<Reply>,
    closed: watch::Receiver<bool>,
    told: watch::Receiver<Vec<String>>,
}

/// Dialling over WebRTC needs a listener of one's own; it is polled with the connection.
struct Connection {
    transport: Boxed<(PeerId, StreamMuxerBox)>,
    muxer: StreamMuxerBox,
    asked: mpsc::Receiver<Reply>,
    opening: Option<Reply>,
    habits: Arc<Habits>,
    telling: watch::Sender<Vec<String>>,
}

impl Peer {
    pub async fn stranger(hub: &Multiaddr, habits: impl FnOnce(&Keypair) -> Habits) -> Result<Self, String> {
        let key = Keypair::generate_ed25519();
        let habits = habits(&key);
        Self::dial(hub, key, habits).await
    }

    /// A connection with this key.
    pub async fn dial(hub: &Multiaddr, key: Keypair, habits: Habits) -> Result<Self, String> {
        transport::install_crypto();
        static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
        let certificate = CERTIFICATE.get_or_init(|| certificate::generate().expect("a certificate"));
        let mut transport = transport::build(&key, certificate).expect("transports");
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let mut dial = transport.dial(hub.clone(), options).map_err(|error| error.to_string())?;
        let dialled = poll_fn(|cx| {
            while Pin::new(&mut transport).poll(cx).is_ready() {}
            dial.poll_unpin(cx)
        });
        let (_, muxer) = timeout(WAIT, dialled)
            .await
            .map_err(|_| "no connection in time".to_owned())?
            .map_err(|error| format!("no connection: {error}"))?;
        let (asked, receiver) = mpsc::channel(ASKED);
        let (ended, closed) = watch::channel(false);
        let (telling, told) = watch::channel(Vec::new());
        let mut connection =
            Connection { transport, muxer, asked: receiver, opening: None, habits: Arc::new(habits), telling };
        tokio::spawn(async move {
            poll_fn(|cx| connection.poll(cx)).await;
            // A stream in somebody's hands would keep a QUIC or WebRTC connection up.
            let _ = timeout(WAIT, poll_fn(|cx| connection.close(cx))).await;
            drop(connection);
            let _ = ended.send(true);
        });
        Ok(Self { id: key.public().to_peer_id(), key, asked, closed, told })
    }

    /// A substream on which nothing has been agreed.
    pub async fn raw(&self) -> Result<SubstreamBox, String> {
        let (reply, stream) = oneshot::channel();
        let open = async {
            self.asked.send(reply).await.ok()?;
            stream.await.ok()
        };
        timeout(WAIT, open).await.map_err(|_| "no stream in time".to_owned())?.ok_or_else(|| "cut off".to_owned())
    }

    /// A substream for a protocol, which the hub has accepted.
    pub async fn open(&self, protocol: &str) -> Result<SubstreamBox, String> {
        let mut stream = self.raw().await?;
        let name = line(protocol);
        let agreed = async {
            stream.write_all(&[MULTISTREAM, &name].concat()).await.ok()?;
            stream.flush().await.ok()?;
            read_line(&mut stream).await.ok()?;
            (read_line(&mut stream).await.ok()? == name).then_some(())
        };
        let agreed = timeout(WAIT, agreed).await.map_err(|_| format!("{protocol}: no answer in time"))?;
        agreed.map(|()| stream).ok_or_else(|| format!("{protocol}: not agreed"))
    }

    /// Says this on a stream of its own; what the hub makes of it is the hub's. It is over when everything was
    /// taken, or the hub has closed its side.
    pub async fn say(&self, protocol: &str, bytes: &[u8]) -> Result<Halves, String> {
        let (mut reader, mut writer) = self.open(protocol).await?.split();
        let say = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        let refused = drain(&mut reader);
        let said = timeout(WAIT, future::select(pin!(say), pin!(refused))).await.map(drop);
        said.map_err(|_| format!("{protocol}: {} bytes are neither taken nor refused", bytes.len()))?;
        Ok((reader, writer))
    }

    /// Says this and returns the hub's answer, one message of at most 64 KiB.
    pub async fn ask(&self, protocol: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut stream = self.open(protocol).await?;
        let ask = async {
            stream.write_all(bytes).await?;
            stream.flush().await?;
            let length = read_varint(&mut stream).await?;
            let mut answer = vec![0; length];
            stream.read_exact(&mut answer).await.map(|()| answer)
        };
        let answered = timeout(WAIT, ask).await.map_err(|_| format!("{protocol}: no answer in time"))?;
        answered.map_err(|error| format!("{protocol}: {error}"))
    }

    /// Waits until the hub has opened a stream for this protocol and taken all that is said on it.
    pub async fn told(&self, protocol: &str) -> Result<(), String> {
        let mut told = self.told.clone();
        let waited = timeout(WAIT, told.wait_for(|told| told.iter().any(|known| known == protocol))).await;
        waited.map(drop).map_err(|_| format!("{protocol}: the hub does not ask, or does not listen"))
    }

    /// The hub answers a ping, so it has read this far; or it has cut us off.
    pub async fn heard(&self) -> Result<(), String> {
        let Ok(mut stream) = self.open("/ipfs/ping/1.0.0").await else {
            return if self.is_cut_off() { Ok(()) } else { Err("no ping any more, yet connected".to_owned()) };
        };
        let _ = stream.write_all(&[7; 32]).await;
        let _ = stream.flush().await;
        let mut answer = [0; 32];
        let answered =
            timeout(WAIT, stream.read_exact(&mut answer)).await.map_err(|_| "no answer to a ping".to_owned())?;
        match answered.is_ok() || self.is_cut_off() {
            true => Ok(()),
            false => self.cut_off().await,
        }
    }

    pub fn is_cut_off(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits until the hub has closed the connection.
    pub async fn cut_off(&self) -> Result<(), String> {
        let mut closed = self.closed.clone();
        let waited = timeout(WAIT, closed.wait_for(|closed| *closed)).await;
        waited.map(drop).map_err(|_| "still connected".to_owned())
    }
}

impl Connection {
    /// Ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while Pin::new(&mut self.transport).poll(cx).is_ready() {}
        while let Poll::Ready(inbound) = Pin::new(&mut self.muxer).poll_inbound(cx) {
            let Ok(stream) = inbound else { return Poll::Ready(()) };
            tokio::spawn(self.habits.clone().answer(stream, self.telling.clone()));
        }
        loop {
            if self.opening.is_none() {
                match self.asked.poll_recv(cx) {
                    Poll::Ready(Some(reply)) => self.opening = Some(reply),
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => break,
                }
            }
            match Pin::new(&mut self.muxer).poll_outbound(cx) {
                Poll::Ready(Ok(stream)) => drop(self.opening.take().map(|reply| reply.send(stream))),
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        match Pin::new(&mut self.muxer).poll(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    fn close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while Pin::new(&mut self.transport).poll(cx).is_ready() {}
        Pin::new(&mut self.muxer).poll_close(cx).map(drop)
    }
}

/// A line of multistream-select.
pub fn line(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len() + 1).expect("a short name");
    [&[length], text.as_bytes(), b"\n"].concat()
}

/// One such line with its length of one byte, as it came.
pub async fn read_line(stream: &mut SubstreamBox) -> std::io::Result<Vec<u8>> {
    let mut length = [0];
    stream.read_exact(&mut length).await?;
    let mut text = vec![0; usize::from(length[0])];
    stream.read_exact(&mut text).await?;
    Ok([length.as_slice(), &text].concat())
}

/// Until the other side closes.
async fn drain(reader: &mut ReadHalf<SubstreamBox>) {
    let mut bytes = [0; 4096];
    while reader.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
}

pub async fn read_varint(stream: &mut SubstreamBox) -> std::io::Result<usize> {
    let mut value = 0;
    for shift in 0..5 {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        value |= usize::from(byte[0] & 0x7f) << (7 * shift);
        if byte[0] < 0x80 {
            return Ok(value);
        }
    }
    Err(std::io::ErrorKind::InvalidData.into())
}
