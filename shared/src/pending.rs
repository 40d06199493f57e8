//! Replies that wait for the network, filed under the query they wait for.

use std::collections::HashMap;

use libp2p::{
    PeerId,
    kad::{QueryId, Record, RecordKey},
};

use crate::{Error, ProvideOutcome, PutOutcome, command::Reply};

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

/// Everything that waits. Kademlia ends each query within its own time-out, so nothing waits for ever.
#[derive(Debug)]
pub(crate) struct Pending {
    max: usize,
    queries: HashMap<QueryId, Query>,
    refused: u64,
}

impl Pending {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, queries: HashMap::new(), refused: 0 }
    }

    /// Whether one more query of a caller may start; it is counted if not. Drops abandoned ones first.
    pub(crate) fn has_room(&mut self) -> bool {
        self.queries.retain(|_, query| !query.is_abandoned());
        let has_room = self.len() < self.max;
        self.refused += u64::from(!has_room);
        has_room
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

    /// Queries of callers that were not begun.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}
