//! How often the watchers of a room are told that it changed: one member that comes and goes all the time would
//! otherwise cost a report to everybody, each time.

use std::{collections::BTreeSet, time::Duration};

use n0_future::time::Instant;

use crate::room_id::RoomId;

/// Changes of one room that are told at once, and the time between two changes after these.
const CHANGES_AT_ONCE: u32 = 4;
const CHANGE_EVERY: Duration = Duration::from_millis(250);
/// The same in a large room ([`LARGE_ROOM`](crate::config::LARGE_ROOM)): what changes there is mostly the number.
const LARGE_CHANGE_EVERY: Duration = Duration::from_secs(2);

/// When the watchers of one room may be told.
#[derive(Debug, Default)]
pub(super) struct ChangePace {
    /// Each change that is told moves it on by the time between two; it may be ahead of now by one less than
    /// `CHANGES_AT_ONCE` of these.
    ahead: Option<Instant>,
    is_waiting: bool,
}

/// Rooms whose changes wait to be told.
#[derive(Debug, Default)]
pub(super) struct Waiting(BTreeSet<(Instant, RoomId)>);

impl ChangePace {
    /// The room changed. Says whether to tell of it now; if not, the room waits.
    pub(super) fn change(&mut self, room: &RoomId, is_large: bool, now: Instant, waiting: &mut Waiting) -> bool {
        if self.is_waiting {
            return false;
        }
        let ahead = self.ahead.map_or(now, |ahead| ahead.max(now));
        let every = if is_large { LARGE_CHANGE_EVERY } else { CHANGE_EVERY };
        self.ahead = Some(ahead + every);
        let due = ahead.checked_sub(every * (CHANGES_AT_ONCE - 1)).map_or(now, |due| due.max(now));
        self.is_waiting = due > now;
        if self.is_waiting {
            waiting.0.insert((due, room.clone()));
        }
        !self.is_waiting
    }

    /// It has waited long enough.
    pub(super) fn told(&mut self) {
        self.is_waiting = false;
    }
}

impl Waiting {
    /// When a room is to be told of next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// A room that has waited long enough.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<RoomId> {
        let (at, _) = self.0.first()?;
        if *at > now {
            return None;
        }
        self.0.pop_first().map(|(_, room)| room)
    }
}
