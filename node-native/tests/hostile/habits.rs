//! How a hostile peer answers what a hub asks of it.

use std::sync::Arc;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{core::muxing::SubstreamBox, identity::Keypair};
use tokio::sync::watch;

use super::{
    peer::{line, read_line},
    proto::Proto,
};

/// A peer that does not speak it gets no answer to its own pings either.
const PING: &str = "/ipfs/ping/1.0.0";

/// Where it notes what it has told.
pub(super) type Telling = watch::Sender<Vec<String>>;

/// What it says on the streams that a hub opens.
#[derive(Debug, Default)]
pub struct Habits {
    /// By the beginning of the protocol's name: bytes said at once. Any other protocol is not spoken.
    pub says: Vec<(&'static str, Vec<u8>)>,
    /// Whether it leaves unread what it is told.
    pub deaf: bool,
}

impl Habits {
    /// Looks like a peer of other people's making: it identifies itself and gossips.
    pub fn modest(key: &Keypair) -> Self {
        Self::identified(identify(key, &["/meshsub/1.1.0"], "hostile/1.0.0", &[]))
    }

    /// Gossips, and says this of itself.
    pub fn identified(message: Vec<u8>) -> Self {
        let message = Proto::prefixed(&message);
        Self { says: vec![("/ipfs/id/1.0.0", message), ("/meshsub/", Vec::new()), (PING, Vec::new())], deaf: false }
    }

    pub fn and(mut self, protocol: &'static str, bytes: Vec<u8>) -> Self {
        self.says.push((protocol, bytes));
        self
    }

    pub(super) async fn answer(self: Arc<Self>, mut stream: SubstreamBox, telling: Telling) {
        let _ = self.agree(&mut stream, &telling).await;
    }

    async fn agree(&self, stream: &mut SubstreamBox, telling: &Telling) -> std::io::Result<()> {
        let header = read_line(stream).await?;
        stream.write_all(&header).await?;
        loop {
            let name = read_line(stream).await?;
            let text = String::from_utf8_lossy(&name[1..]).trim_end().to_owned();
            let spoken = self.says.iter().find(|(known, _)| text.starts_with(known));
            let Some((_, bytes)) = spoken else {
                stream.write_all(&line("na")).await?;
                stream.flush().await?;
                continue;
            };
            stream.write_all(&name).await?;
            stream.write_all(bytes).await?;
            stream.flush().await?;
            telling.send_modify(|told| told.push(text.clone()));
            if self.deaf {
                std::future::pending::<()>().await;
            }
            if text == PING {
                return echo(stream).await;
            }
            if text.starts_with("/ipfs/id/") {
                return stream.close().await;
            }
            return futures::io::copy(&mut *stream, &mut futures::io::sink()).await.map(drop);
        }
    }
}

async fn echo(stream: &mut SubstreamBox) -> std::io::Result<()> {
    let mut bytes = [0; 32];
    loop {
        stream.read_exact(&mut bytes).await?;
        stream.write_all(&bytes).await?;
        stream.flush().await?;
    }
}

/// An identify message.
pub fn identify(key: &Keypair, protocols: &[&str], agent: &str, addresses: &[Vec<u8>]) -> Vec<u8> {
    let mut message = Proto::default().bytes(1, &key.public().encode_protobuf());
    for address in addresses {
        message = message.bytes(2, address);
    }
    for protocol in protocols {
        message = message.bytes(3, protocol.as_bytes());
    }
    message.bytes(5, b"hostile").bytes(6, agent.as_bytes()).done()
}
