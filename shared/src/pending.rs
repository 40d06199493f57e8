//! Replies that wait for the network, filed under the query or dial they wait for.

use std::collections::HashMap;

use libp2p::{
    PeerId,
    kad::{QueryId, Record, RecordKey},
    swarm::ConnectionId,
};
use n0_future::time::Instant;

use crate::{Error, ProvideOutcome, PutOutcome, command::Reply, links::SILENCE};

/// A query under way and who waits for it.
#[derive(Debug)]
pub(crate) enum Query {
    /// Walking to the peers that shall store a record.
    PutWalk { key: String, record: Record, reply: Reply<Result<PutOutcome, Error>> },
    /// Storing it there, on so many peers.
    Put { key: String, asked: usize, reply: Reply<Result<PutOutcome, Error>> },
    /// Looking for a record.
    Get { reply: Reply<Result<Option<Vec<u8>>, Error>> },
    /// Walking to the peers that shall be told.
    ProvideWalk { key: String, record_key: RecordKey, reply: Reply<Result<ProvideOutcome, Error>> },
    /// Telling them.
    Provide { key: String, told: u32, reply: Reply<Result<ProvideOutcome, Error>> },
    /// Collecting providers.
    Providers { found: Vec<PeerId>, reply: Reply<Result<Vec<PeerId>, Error>> },
}

impl Query {
    /// Whether nobody waits any longer.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::PutWalk { reply, .. } | Self::Put { reply, .. } => reply.is_closed(),
            Self::Get { reply } => reply.is_closed(),
            Self::ProvideWalk { reply, .. } | Self::Provide { reply, .. } => reply.is_closed(),
            Self::Providers { reply, .. } => reply.is_closed(),
        }
    }
}

/// A dial that a caller asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) address: String,
    pub(crate) since: Instant,
    pub(crate) reply: Reply<Result<PeerId, Error>>,
}

/// Everything that waits. Kademlia ends each query within its own time-out, so nothing waits for ever.
#[derive(Debug)]
pub(crate) struct Pending {
    max: usize,
    queries: HashMap<QueryId, Query>,
    dials: HashMap<ConnectionId, Asked>,
}

impl Pending {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, queries: HashMap::new(), dials: HashMap::new() }
    }

    /// Whether one more query may start. Drops abandoned ones first.
    pub(crate) fn has_room(&mut self) -> bool {
        self.queries.retain(|_, query| !query.is_abandoned());
        self.queries.len() < self.max
    }

    pub(crate) fn len(&self) -> usize {
        self.queries.len()
    }

    pub(crate) fn insert(&mut self, id: QueryId, query: Query) {
        self.queries.insert(id, query);
    }

    pub(crate) fn take(&mut self, id: &QueryId) -> Option<Query> {
        self.queries.remove(id)
    }

    pub(crate) fn query(&mut self, id: &QueryId) -> Option<&mut Query> {
        self.queries.get_mut(id)
    }

    pub(crate) fn insert_dial(&mut self, id: ConnectionId, dial: Asked) {
        self.dials.retain(|_, dial| !dial.reply.is_closed());
        self.dials.insert(id, dial);
    }

    pub(crate) fn take_dial(&mut self, id: &ConnectionId) -> Option<Asked> {
        self.dials.remove(id)
    }

    /// Dials that have told nothing for too long.
    pub(crate) fn silent_dials(&self, now: Instant) -> Vec<ConnectionId> {
        self.dials.iter().filter(|(_, dial)| dial.since + SILENCE <= now).map(|(id, _)| *id).collect()
    }

    /// When the first dial will have been silent for too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.dials.values().map(|dial| dial.since + SILENCE).min()
    }
}
