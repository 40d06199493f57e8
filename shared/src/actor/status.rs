//! How the node stands to the network, said when it changes.

use n0_future::time::Instant;

use super::Actor;
use crate::{Event, HostBehaviour, Link, Status};

/// What was last said.
pub(super) type Known = (Link, bool, Option<Instant>);

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn current_status(&self) -> Status {
        let (link, hub, retry_at) = self.standing();
        let now = self.now().instant;
        let wait = retry_at.map(|at| u64::try_from(at.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX));
        Status { link, hub, retry_in_ms: wait }
    }

    pub(super) fn describe_status(&mut self) {
        let standing = self.standing();
        if self.status != Some(standing) {
            self.status = Some(standing);
            self.emit(Event::Status(self.current_status()));
        }
    }

    fn standing(&self) -> Known {
        // Of the few hubs that are asked who is where; a hub may have thousands of peers.
        let hub = self.hubs.keys().any(|hub| self.peers.get(hub).is_some_and(|known| known.welcome));
        let in_a_room = || {
            let joined = self.rooms.iter().filter(|(_, room)| room.is_joined());
            let mut members = joined.filter_map(|(name, _)| self.members.local(name)).flatten();
            members.any(|member| self.peers.contains_key(member))
        };
        if hub || in_a_room() {
            (Link::Online, hub, None)
        } else if self.links.is_dialling() || !self.peers.is_empty() {
            (Link::Connecting, false, None)
        } else {
            (Link::Offline, false, self.links.retry_at())
        }
    }
}
