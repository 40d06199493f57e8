//! What streams of the other side are answered.

use std::io;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{PeerId, Stream};
use n0_future::time::timeout;
use sha2::{Digest, Sha256};

use crate::{
    bulk::{self, Direction, Hashes},
    client,
    protocol::{ASK, BULK, ECHO, ECHO_BYTES, MAX_BULK_BYTES, MAX_ECHO_BYTES, PATIENCE},
    streams::{Incoming, Opener},
};

/// Bytes of a bulk stream read at once.
const READ_BYTES: usize = 64 * 1024;

/// Answers one stream to its end; one that fails is reset by being dropped.
pub(crate) async fn serve(incoming: Incoming, opener: Opener, hashes: Hashes) {
    let Incoming { peer, protocol, stream } = incoming;
    let served = match &protocol {
        protocol if *protocol == ECHO => echo(stream).await,
        protocol if *protocol == ASK => answer(stream, peer, opener).await,
        protocol if *protocol == BULK => bulk(stream, &hashes).await,
        _ => return,
    };
    if let Err(error) = served {
        tracing::info!(%peer, %protocol, %error, "a stream was not answered to its end");
    }
}

async fn echo(mut stream: Stream) -> io::Result<()> {
    let mut bytes = Vec::new();
    (&mut stream).take(MAX_ECHO_BYTES as u64 + 1).read_to_end(&mut bytes).await?;
    if bytes.len() > MAX_ECHO_BYTES {
        return Err(invalid("an echo that is too long"));
    }
    stream.write_all(&bytes).await?;
    stream.close().await
}

async fn answer(mut stream: Stream, peer: PeerId, opener: Opener) -> io::Result<()> {
    if stream.read(&mut [0]).await? > 0 {
        return Err(invalid("an ask with bytes in it"));
    }
    let verdict = match timeout(PATIENCE, client::echo(&opener, peer, ECHO_BYTES)).await {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(error)) => format!("no: {error}"),
        Err(_) => format!("no: the echo took more than {} s", PATIENCE.as_secs()),
    };
    stream.write_all(verdict.as_bytes()).await?;
    stream.close().await
}

async fn bulk(mut stream: Stream, hashes: &Hashes) -> io::Result<()> {
    let (mut letter, mut length) = ([0], [0; 8]);
    stream.read_exact(&mut letter).await?;
    stream.read_exact(&mut length).await?;
    let length = u64::from_be_bytes(length);
    if length > MAX_BULK_BYTES {
        return Err(invalid("more bytes than a bulk stream may have"));
    }
    match Direction::of(letter[0]).ok_or_else(|| invalid("a bulk stream of no direction"))? {
        Direction::Up => {
            let hash = received(&mut stream, length).await?;
            stream.write_all(&hash).await?;
        }
        Direction::Down => {
            stream.write_all(&hashes.of(length)).await?;
            bulk::write(&mut stream, length).await?;
        }
    }
    stream.close().await
}

/// The hash of all that comes, which is so much.
async fn received(stream: &mut Stream, length: u64) -> io::Result<[u8; bulk::HASH_BYTES]> {
    let (mut hash, mut buffer, mut count) = (Sha256::new(), vec![0; READ_BYTES], 0);
    loop {
        let read = stream.read(&mut buffer).await?;
        count += read as u64;
        match read {
            0 if count == length => return Ok(hash.finalize().into()),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ if count > length => return Err(invalid("more bytes than were announced")),
            _ => hash.update(&buffer[..read]),
        }
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
