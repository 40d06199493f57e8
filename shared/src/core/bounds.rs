//! How full everything is, and whom this node remembers: for the simulator.

use libp2p::PeerId;

use super::Core;
use crate::{
    bounded::{Bounded, Remembered, bounded},
    room::Room,
};

impl Core {
    /// Everything that has a bound.
    pub(crate) fn bounds(&self) -> Vec<Bounded> {
        let limits = &self.config.limits;
        let mut all = vec![
            bounded("known_hubs", self.hubs.len(), limits.known_hubs),
            bounded("joined_rooms", self.rooms.values().filter(|room| room.is_joined()).count(), limits.joined_rooms),
            bounded("rooms in memory", self.rooms.len(), limits.joined_rooms + limits.carried_rooms),
            bounded("timers of rooms", self.room_timers.len(), self.rooms.len()),
        ];
        all.extend(self.peers.bounds());
        all.extend(self.subscriptions.bounds());
        all.extend(self.syncs.bounds());
        all.extend(self.dials.bounds());
        all.extend(self.patience.bounds());
        all.extend(self.refusals.bounds());
        all.extend(self.links.bounds());
        all.extend(self.members.bounds());
        all.extend(self.desk.bounds());
        all.extend(self.carrier.bounds(limits));
        all.extend(self.reasons.bounds());
        all.extend(self.access.bounds());
        all.extend(self.budgets.bounds());
        all.extend(self.bridge.bounds());
        all.extend(self.rooms.values().flat_map(Room::bounds));
        all
    }

    /// Peers that are remembered only while they are connected, by the part that remembers them.
    pub(crate) fn remembered(&self) -> Vec<Remembered> {
        let mut all = self.peers.remembered();
        all.extend(self.subscriptions.remembered());
        all.extend(self.syncs.remembered());
        all.push(("members", self.members.remembered()));
        all.push(("watchers", self.watchers.remembered()));
        all.push(("desk", self.desk.remembered()));
        all.push(("hubs", self.hubs.keys().copied().collect()));
        all
    }

    /// Peers that this node has caught at something.
    pub(crate) fn offenders(&self) -> Vec<PeerId> {
        self.access.offenders()
    }
}
