//! What is asked on streams that are opened here.

use std::{io, time::Duration};

use futures::{AsyncRead, AsyncReadExt, AsyncWriteExt, StreamExt, stream};
use libp2p::{PeerId, Stream};
use n0_future::time::{Instant, sleep};
use sha2::{Digest, Sha256};

use crate::{
    Error,
    bulk::{self, Direction, HASH_BYTES, Hashes},
    protocol::{ASK, BULK, ECHO, MAX_VERDICT_BYTES, PING, PING_BYTES},
    streams::Opener,
};

/// Has so many bytes echoed.
pub(crate) async fn echo(opener: &Opener, peer: PeerId, count: usize) -> Result<(), Error> {
    let failed = Error::stream("echo");
    let sent = bulk::sample(count);
    let mut stream = opener.open(peer, ECHO).await.map_err(&failed)?;
    stream.write_all(sent).await.map_err(&failed)?;
    stream.close().await.map_err(&failed)?;
    let back = to_end(&mut stream, count).await.map_err(&failed)?;
    if back == sent { Ok(()) } else { Err(Error::wrong("echo", format!("{} bytes came back, others", back.len()))) }
}

/// Has so many echo streams, so many at once. Says how many failed, and the first failure.
pub(crate) async fn echoes(
    opener: &Opener,
    peer: PeerId,
    bytes: usize,
    count: usize,
    at_once: usize,
) -> (usize, Option<Error>) {
    let all = stream::iter(0..count).map(|_| echo(opener, peer, bytes)).buffer_unordered(at_once);
    all.fold((0, None), async |(failed, first), done| match done {
        Ok(()) => (failed, first),
        Err(error) => (failed + 1, first.or(Some(error))),
    })
    .await
}

/// Has the other side open an echo to us.
pub(crate) async fn ask(opener: &Opener, peer: PeerId) -> Result<(), Error> {
    let failed = Error::stream("ask");
    let mut stream = opener.open(peer, ASK).await.map_err(&failed)?;
    stream.close().await.map_err(&failed)?;
    let verdict = to_end(&mut stream, MAX_VERDICT_BYTES).await.map_err(&failed)?;
    match &*String::from_utf8_lossy(&verdict) {
        "ok" => Ok(()),
        other => Err(Error::wrong("the hub's echo to us", other)),
    }
}

/// How long each of so many pings took, one after the other.
pub(crate) async fn pings(opener: &Opener, peer: PeerId, count: usize) -> Result<Vec<Duration>, Error> {
    let failed = Error::stream("ping");
    let mut stream = opener.open(peer, PING).await.map_err(&failed)?;
    let mut took = Vec::new();
    for _ in 0..count {
        let (sent, mut back) = (rand::random::<[u8; PING_BYTES]>(), [0; PING_BYTES]);
        let begun = now();
        stream.write_all(&sent).await.map_err(&failed)?;
        stream.flush().await.map_err(&failed)?;
        stream.read_exact(&mut back).await.map_err(&failed)?;
        took.push(begun.elapsed());
        if sent != back {
            return Err(Error::wrong("ping", "other bytes came back"));
        }
    }
    stream.close().await.map_err(&failed)?;
    Ok(took)
}

/// Sends so many bytes: how long until their hash had come, and whether it is right.
pub(crate) async fn send(opener: &Opener, peer: PeerId, count: u64) -> Result<(Duration, bool), Error> {
    let failed = Error::stream("bulk up");
    let expected = Hashes::default().of(count);
    let begun = now();
    let mut stream = begin(opener, peer, Direction::Up, count).await.map_err(&failed)?;
    bulk::write(&mut stream, count).await.map_err(&failed)?;
    stream.close().await.map_err(&failed)?;
    let hash = to_end(&mut stream, HASH_BYTES).await.map_err(&failed)?;
    Ok((begun.elapsed(), hash == expected))
}

/// Has so many bytes sent: how long until the last had come, and whether they are right. With a pause, reads nothing
/// for so long once the first have come.
pub(crate) async fn receive(
    opener: &Opener,
    peer: PeerId,
    count: usize,
    pause: Duration,
) -> Result<(Duration, bool), Error> {
    let failed = Error::stream("bulk down");
    let (mut announced, mut bytes) = ([0; HASH_BYTES], vec![0; count]);
    let begun = now();
    let mut stream = begin(opener, peer, Direction::Down, count as u64).await.map_err(&failed)?;
    stream.flush().await.map_err(&failed)?;
    stream.read_exact(&mut announced).await.map_err(&failed)?;
    if !pause.is_zero() {
        sleep(pause).await;
    }
    stream.read_exact(&mut bytes).await.map_err(&failed)?;
    let took = begun.elapsed();
    if !to_end(&mut stream, 0).await.map_err(&failed)?.is_empty() {
        return Err(Error::wrong("bulk down", "more bytes came than were asked for"));
    }
    stream.close().await.map_err(&failed)?;
    Ok((took, announced == *Sha256::digest(&bytes)))
}

async fn begin(opener: &Opener, peer: PeerId, direction: Direction, count: u64) -> io::Result<Stream> {
    let mut stream = opener.open(peer, BULK).await?;
    stream.write_all(&[direction.letter()]).await?;
    stream.write_all(&count.to_be_bytes()).await?;
    Ok(stream)
}

/// All that comes, and one byte more than expected when there is more.
async fn to_end(stream: &mut (impl AsyncRead + Unpin), expected: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(expected as u64 + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
