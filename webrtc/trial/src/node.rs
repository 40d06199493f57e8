//! A swarm, and what is known of the one peer that a trial is about.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::{
    StreamExt,
    future::{Either, select},
};
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::{muxing::StreamMuxerBox, transport::Boxed},
    gossipsub::IdentTopic,
    identity::Keypair,
    kad::RecordKey,
    swarm::{self, SwarmEvent},
};
use n0_future::{task::spawn, time::timeout};
use tokio::sync::Semaphore;

pub use crate::behaviour::Role;
use crate::{
    Error,
    behaviour::{Behaviour, BehaviourEvent},
    bulk::{self, Hashes},
    protocol::{PATIENCE, TRIAL},
    seen::Seen,
    serve::serve,
    streams::{self, Incoming, Opener},
};

/// Transports, authenticated and multiplexed.
pub type Transport = Boxed<(PeerId, StreamMuxerBox)>;

/// A connection without streams stays so long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3600);
/// Streams of the other side that are being opened at once on one connection; more are dropped.
const MAX_OPENING: usize = 1024;
/// Streams of others that are answered at once; more are dropped.
const MAX_SERVED: usize = 4096;

/// See the [module](self).
pub struct Node {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) seen: Seen,
    pub(crate) opener: Opener,
    hashes: Hashes,
    served: Arc<Semaphore>,
    /// What is being waited for.
    doing: &'static str,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("peer", self.swarm.local_peer_id()).field("doing", &self.doing).finish()
    }
}

impl Node {
    /// Connected to nobody.
    ///
    /// # Errors
    /// [`Error::SetUp`].
    pub fn new(keypair: &Keypair, transport: Transport, role: Role) -> Result<Self, Error> {
        bulk::prepare();
        let (streams, opener) = streams::Behaviour::new();
        let behaviour = Behaviour::new(keypair, role, streams)?;
        let config = swarm::Config::with_executor(|task| {
            spawn(task);
        })
        .with_idle_connection_timeout(IDLE_TIMEOUT)
        .with_max_negotiating_inbound_streams(MAX_OPENING);
        Ok(Self {
            swarm: Swarm::new(transport, behaviour, keypair.public().to_peer_id(), config),
            seen: Seen::default(),
            opener,
            hashes: Hashes::default(),
            served: Arc::new(Semaphore::new(MAX_SERVED)),
            doing: "nothing",
        })
    }

    /// Connects; forgets whom it was connected to before.
    ///
    /// # Errors
    /// [`Error::Dial`], [`Error::Late`].
    pub async fn dial(&mut self, address: &Multiaddr) -> Result<PeerId, Error> {
        self.seen = Seen::default();
        self.swarm.dial(address.clone()).map_err(|error| Error::Dial(error.to_string()))?;
        let hub = self.until("a connection", |seen| match &seen.refused {
            Some(why) => Err(Error::Dial(why.clone())),
            None => Ok(seen.connected),
        });
        let hub = hub.await?;
        self.swarm.behaviour_mut().kad.add_address(&hub, address.clone());
        Ok(hub)
    }

    /// Closes the connection and waits until it is.
    ///
    /// # Errors
    /// [`Error::Late`].
    pub async fn hang_up(&mut self) -> Result<(), Error> {
        let Some(hub) = self.seen.connected else { return Ok(()) };
        if self.swarm.disconnect_peer_id(hub).is_err() {
            return Ok(());
        }
        let closed = async {
            while self.seen.lost.is_none() {
                self.turn().await;
            }
        };
        let closed = timeout(PATIENCE, closed).await;
        closed.map_err(|_| Error::Late { what: "the end of the connection", within: PATIENCE })
    }

    pub(crate) fn say(&mut self, line: &[u8]) -> Result<(), Error> {
        let said = self.swarm.behaviour_mut().gossip.publish(IdentTopic::new(TRIAL), line);
        said.map(drop).map_err(|error| Error::wrong("a line to the room", error.to_string()))
    }

    pub(crate) fn look_up(&mut self) {
        self.swarm.behaviour_mut().kad.get_record(RecordKey::new(&TRIAL));
    }

    /// Runs until something is seen, which is an error when the connection ends before.
    pub(crate) async fn until<T>(
        &mut self,
        what: &'static str,
        seen: impl Fn(&Seen) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        self.doing = what;
        loop {
            if let Some(found) = seen(&self.seen)? {
                return Ok(found);
            }
            if let Some(why) = &self.seen.lost {
                return Err(Error::Lost(format!("{why} (while waiting for {what})")));
            }
            self.turn().await;
        }
    }

    /// Runs while work is done on streams.
    pub(crate) async fn during<T>(
        &mut self,
        what: &'static str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.doing = what;
        let mut work = pin!(work);
        loop {
            match select(work.as_mut(), self.swarm.next()).await {
                Either::Left((done, _)) => return done,
                Either::Right((event, _)) => event.into_iter().for_each(|event| self.note(event)),
            }
        }
    }

    /// Bounds what [`Self::until`] and [`Self::during`] do, and says what it was that took too long.
    pub(crate) async fn within<T>(
        &mut self,
        limit: Duration,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let done = timeout(limit, work(self)).await;
        done.unwrap_or(Err(Error::Late { what: self.doing, within: limit }))
    }

    pub(crate) async fn turn(&mut self) {
        let event = self.swarm.select_next_some().await;
        self.note(event);
    }

    fn note(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Streams(incoming)) => self.serve(incoming),
            event => self.seen.note(event),
        }
    }

    pub(crate) fn serve(&mut self, incoming: Incoming) {
        let Ok(turn) = self.served.clone().try_acquire_owned() else {
            return tracing::info!("more streams come than are answered; one is dropped");
        };
        let (opener, hashes) = (self.opener.clone(), self.hashes.clone());
        drop(spawn(async move {
            serve(incoming, opener, hashes).await;
            drop(turn);
        }));
    }
}
