//! Callers who say a line when there is a place for it, or wait until all lines were taken.

use std::collections::VecDeque;

use n0_future::time::Instant;

use crate::{Error, Said, command::Reply, room_id::RoomId};

/// A caller who waits.
pub(super) struct Patient {
    pub(super) room: RoomId,
    pub(super) wish: Wish,
}

pub(super) enum Wish {
    Say { text: String, reply: Reply<Result<Said, Error>> },
    Settle { reply: Reply<Result<(), Error>> },
}

impl Wish {
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Say { reply, .. } => reply.is_closed(),
            Self::Settle { reply } => reply.is_closed(),
        }
    }

    pub(super) fn refuse(self, error: Error) {
        match self {
            Self::Say { reply, .. } => drop(reply.send(Err(error))),
            Self::Settle { reply } => drop(reply.send(Err(error))),
        }
    }
}

/// All who wait, the first to come first.
#[derive(Default)]
pub(super) struct Patience {
    pub(super) waiting: VecDeque<Patient>,
    /// When the pace of a room allows the next line of somebody who waits.
    pub(super) due: Option<Instant>,
}

impl Patience {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        vec![crate::bounded::bounded("MAX_PATIENT", self.waiting.len(), crate::config::MAX_PATIENT)]
    }
}
