//! Replies that wait for the network, filed under the query or dial they wait for.

use std::collections::HashMap;

use libp2p::{
    PeerId,
    kad::{QueryId, Record, RecordKey},
    swarm::ConnectionId,
};
use n0_future::time::Instant;

use crate::{Error, ProvideOutcome, PutOutcome, command::Reply, links::SILENCE};

/// Who waits for what becomes of a key: nobody when this node publishes by itself.
pub(crate) type Caller<T> = Option<(String, Reply<Result<T, Error>>)>;

/// A query under way and who waits for it.
#[derive(Debug)]
pub(crate) enum Query {
    /// Walking to the peers that shall store a record, which is this PUT's.
    PutWalk { record: Record, generation: u64, caller: Caller<PutOutcome> },
    /// Storing it there, on so many peers.
    Put { record_key: RecordKey, generation: u64, asked: usize, caller: Caller<PutOutcome> },
    /// Looking for a record.
    Get { reply: Reply<Result<Option<Vec<u8>>, Error>> },
    /// Looking whether one's own record is still there.
    Look { record_key: RecordKey, generation: u64, seen: Seen },
    /// Walking to the peers that shall be told.
    ProvideWalk { record_key: RecordKey, caller: Caller<ProvideOutcome> },
    /// Telling them.
    Provide { record_key: RecordKey, told: u32, caller: Caller<ProvideOutcome> },
    /// Collecting providers.
    Providers { found: Vec<PeerId>, reply: Reply<Result<Vec<PeerId>, Error>> },
}

/// What others have of one's own record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// The record as it is here.
    pub(crate) same: bool,
    /// An older value.
    pub(crate) older: bool,
    /// A newer value of somebody else.
    pub(crate) newer: bool,
}

impl Query {
    /// Whether nobody waits any longer.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::PutWalk { caller, .. } | Self::Put { caller, .. } => gave_up(caller),
            Self::ProvideWalk { caller, .. } | Self::Provide { caller, .. } => gave_up(caller),
            Self::Get { reply } => reply.is_closed(),
            Self::Providers { reply, .. } => reply.is_closed(),
            Self::Look { .. } => false,
        }
    }

    /// Whether a caller asked for it.
    fn is_asked_for(&self) -> bool {
        match self {
            Self::PutWalk { caller, .. } | Self::Put { caller, .. } => caller.is_some(),
            Self::ProvideWalk { caller, .. } | Self::Provide { caller, .. } => caller.is_some(),
            Self::Get { .. } | Self::Providers { .. } => true,
            Self::Look { .. } => false,
        }
    }
}

fn gave_up<T>(caller: &Caller<T>) -> bool {
    caller.as_ref().is_some_and(|(_, reply)| reply.is_closed())
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
        self.len() < self.max
    }

    /// Queries of callers. The node has few of its own.
    pub(crate) fn len(&self) -> usize {
        self.queries.values().filter(|query| query.is_asked_for()).count()
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
