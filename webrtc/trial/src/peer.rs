//! What a trial peer does. Times are in milliseconds.

use std::time::Duration;

use libp2p::{Multiaddr, identity::Keypair};
use n0_future::time::Instant;
use serde::Serialize;

use crate::{
    Error, Node,
    bulk::Direction,
    client,
    node::{Role, Transport},
    protocol::{
        ANSWER, ECHO_BYTES, GREETING, JOIN_LIMIT, MAX_AT_ONCE, MAX_BULK_BYTES, MAX_PINGS, PATIENCE, RECORD, VERSION,
    },
    seen::Seen,
};

/// Bytes of each of many streams.
const SHORT_BYTES: usize = 1024;
/// How long a stream is not read, by which its sender must long have sent everything: part of what is tried.
const UNREAD_FOR: Duration = Duration::from_secs(3);
/// A bulk stream may take so long, however slow the machine.
const BULK_LIMIT: Duration = Duration::from_secs(300);
/// The same for all of many streams or of many connections.
const MANY_LIMIT: Duration = Duration::from_secs(600);

/// Each from the beginning of the dial, apart from `ping`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Joined {
    /// Until the connection stood.
    pub dial: f64,
    /// Until the hub's subscription was seen.
    pub subscribed: f64,
    /// Until the hub's answer to a line had come.
    pub message: f64,
    /// The median of all pings.
    pub ping: f64,
    /// Until everything was done.
    pub total: f64,
}

/// Of one bulk stream.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Moved {
    /// How long it took.
    pub ms: f64,
    /// Whether the hash is right.
    pub ok: bool,
}

/// Of many streams.
#[derive(Debug, Clone, Serialize)]
pub struct Echoed {
    /// Whose bytes came back.
    pub ok: usize,
    /// All others.
    pub failed: usize,
    /// Why the first of them did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Of a stream that lay unread.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Unread {
    /// Whether all of it came in the end.
    pub ok: bool,
}

impl Node {
    /// A trial peer with a key of its own.
    ///
    /// # Errors
    /// [`Error::SetUp`].
    pub fn peer(transport: impl FnOnce(&Keypair) -> Result<Transport, Error>) -> Result<Self, Error> {
        let keypair = Keypair::generate_ed25519();
        Self::new(&keypair, transport(&keypair)?, Role::Peer)
    }

    /// Tries everything once, and hangs up.
    ///
    /// # Errors
    /// The first thing that fails, or is not done within [`JOIN_LIMIT`].
    pub async fn join(&mut self, address: &Multiaddr, pings: usize) -> Result<Joined, Error> {
        if !(1..=MAX_PINGS).contains(&pings) {
            return Err(Error::Asked(format!("{pings} pings; ask for 1 to {MAX_PINGS}")));
        }
        let joined = self.within(JOIN_LIMIT, async |node: &mut Self| node.try_everything(address, pings).await).await;
        let hung_up = self.hang_up().await;
        joined.and_then(|joined| hung_up.map(|()| joined))
    }

    async fn try_everything(&mut self, address: &Multiaddr, pings: usize) -> Result<Joined, Error> {
        let begun = client::now();
        let hub = self.dial(address).await?;
        let dial = ms(begun);
        self.until("the hub's subscription", |seen| Ok(seen.subscribed.then_some(()))).await?;
        let subscribed = ms(begun);
        let name = self.swarm.local_peer_id().to_string();
        self.seen.awaited = Some(format!("{name}{ANSWER}").into_bytes());
        self.say(format!("{GREETING}{name}").as_bytes())?;
        self.until("the hub's answer in the room", |seen| Ok(seen.answered.then_some(()))).await?;
        let message = ms(begun);
        self.until("identify", identified).await?;
        self.look_up();
        self.until("the record", found).await?;
        let opener = self.opener.clone();
        self.during("an echo", client::echo(&opener, hub, ECHO_BYTES)).await?;
        self.during("the hub's echo to us", client::ask(&opener, hub)).await?;
        self.until("the first ping", pinged).await?;
        let mut pings = self.during("pings", client::pings(&opener, hub, pings)).await?;
        pings.sort_unstable();
        let ping = pings[pings.len() / 2].as_secs_f64() * 1e3;
        Ok(Joined { dial, subscribed, message, ping, total: ms(begun) })
    }

    /// Moves so many bytes over a fresh connection.
    ///
    /// # Errors
    /// What stops it.
    pub async fn bulk(&mut self, address: &Multiaddr, direction: Direction, bytes: u64) -> Result<Moved, Error> {
        let count = countable(bytes)?;
        self.connected(address, BULK_LIMIT, async |node: &mut Self, hub| {
            let opener = node.opener.clone();
            let (took, ok) = match direction {
                Direction::Up => node.during("the hash", client::send(&opener, hub, bytes)).await?,
                Direction::Down => {
                    node.during("all bytes", client::receive(&opener, hub, count, Duration::ZERO)).await?
                }
            };
            Ok(Moved { ms: took.as_secs_f64() * 1e3, ok })
        })
        .await
    }

    /// Connects and hangs up so many times. Returns how often.
    ///
    /// # Errors
    /// The first thing that fails.
    pub async fn cycles(&mut self, address: &Multiaddr, count: usize) -> Result<usize, Error> {
        let all = async |node: &mut Self| {
            for _ in 0..count {
                node.connected(address, PATIENCE, async |_: &mut Self, _| Ok(())).await?;
            }
            Ok(count)
        };
        self.within(MANY_LIMIT, all).await
    }

    /// Has so many short streams echoed over one connection, so many at once.
    ///
    /// # Errors
    /// There is no connection.
    pub async fn streams(&mut self, address: &Multiaddr, count: usize, at_once: usize) -> Result<Echoed, Error> {
        if !(1..=MAX_AT_ONCE).contains(&at_once) {
            return Err(Error::Asked(format!("{at_once} streams at once; ask for 1 to {MAX_AT_ONCE}")));
        }
        self.connected(address, MANY_LIMIT, async |node: &mut Self, hub| {
            let opener = node.opener.clone();
            let all = async { Ok(client::echoes(&opener, hub, SHORT_BYTES, count, at_once).await) };
            let (failed, why) = node.during("echoes", all).await?;
            Ok(Echoed { ok: count - failed, failed, why: why.map(|error| error.to_string()) })
        })
        .await
    }

    /// Has so many bytes sent and reads none of them for a while, then all.
    ///
    /// # Errors
    /// What stops it.
    pub async fn unread(&mut self, address: &Multiaddr, bytes: u64) -> Result<Unread, Error> {
        let count = countable(bytes)?;
        self.connected(address, BULK_LIMIT, async |node: &mut Self, hub| {
            let opener = node.opener.clone();
            let received = client::receive(&opener, hub, count, UNREAD_FOR);
            let (_, ok) = node.during("all bytes", received).await?;
            Ok(Unread { ok })
        })
        .await
    }

    /// Connects, says so, and returns when the connection is gone.
    ///
    /// # Errors
    /// There is no connection.
    pub async fn watch(&mut self, address: &Multiaddr, connected: impl FnOnce()) -> Result<(), Error> {
        self.within(PATIENCE, async |node: &mut Self| {
            node.dial(address).await?;
            node.until("identify", identified).await
        })
        .await?;
        connected();
        while self.seen.lost.is_none() {
            self.turn().await;
        }
        Ok(())
    }

    /// Does something on a fresh connection, and hangs up.
    async fn connected<T>(
        &mut self,
        address: &Multiaddr,
        limit: Duration,
        work: impl AsyncFnOnce(&mut Self, libp2p::PeerId) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let done = self.within(limit, async |node: &mut Self| {
            let hub = node.dial(address).await?;
            node.until("identify", identified).await?;
            work(node, hub).await
        });
        let done = done.await;
        let hung_up = self.hang_up().await;
        done.and_then(|done| hung_up.map(|()| done))
    }
}

fn identified(seen: &Seen) -> Result<Option<()>, Error> {
    match seen.identified.as_deref() {
        None => Ok(None),
        Some(VERSION) => Ok(Some(())),
        Some(other) => Err(Error::wrong("identify", format!("the other side speaks {other:?}, not {VERSION}"))),
    }
}

fn pinged(seen: &Seen) -> Result<Option<()>, Error> {
    match &seen.pinged {
        None => Ok(None),
        Some(Ok(())) => Ok(Some(())),
        Some(Err(error)) => Err(Error::wrong("ping", error)),
    }
}

fn found(seen: &Seen) -> Result<Option<()>, Error> {
    match &seen.record {
        None => Ok(None),
        Some(Ok(value)) if value == RECORD => Ok(Some(())),
        Some(Ok(value)) => Err(Error::wrong("the record", String::from_utf8_lossy(value))),
        Some(Err(error)) => Err(Error::wrong("the record", error)),
    }
}

fn countable(bytes: u64) -> Result<usize, Error> {
    let fits = usize::try_from(bytes).ok().filter(|_| bytes <= MAX_BULK_BYTES);
    fits.ok_or_else(|| Error::Asked(format!("{bytes} bytes; a bulk stream has at most {MAX_BULK_BYTES}")))
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
