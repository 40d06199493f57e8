//! What peers may say and ask, counted before it costs anything. Hubs that this node chose bring what everybody there says.

use libp2p::PeerId;
use tokio::sync::oneshot;

use super::Core;
use crate::{
    room::{
        frame::claimed_speakers,
        sync::{Answer, Question},
    },
    room_id::RoomId,
};

impl Core {
    /// Whether a peer may hand over this payload, which `source` signed. What was seen before costs nothing. Who merely
    /// forwards a flood is not to blame.
    pub(super) fn is_within_budget(&mut self, from: &PeerId, source: &PeerId, room: &RoomId, bytes: &[u8]) -> bool {
        let allowed = self.may_hand_over(from, room, bytes);
        // A hub publishes under its own name what a sync brought it.
        let is_own = || source == from && claimed_speakers(bytes) == [*from];
        if !allowed && is_own() && self.budgets.is_flood(*from, bytes.len(), self.now.instant) {
            self.offence(*from, "it says more than twice what one peer may");
        }
        allowed
    }

    /// The same of what comes otherwise than by gossip.
    pub(super) fn may_hand_over(&mut self, from: &PeerId, room: &RoomId, bytes: &[u8]) -> bool {
        if self.is_chosen(from) || self.rooms.get(room).is_some_and(|room| room.knows(bytes)) {
            return true;
        }
        let Some(known) = self.peers.get(from) else { return true };
        let allowed = self.budgets.allow_frame(*from, &known.info.address, bytes.len(), self.now.instant);
        self.counters.payloads_over_budget += u64::from(!allowed);
        allowed
    }

    /// A peer asks for frames. Without an answer it asks again later.
    pub(super) fn asked(&mut self, peer: PeerId, question: Question, reply: oneshot::Sender<Answer>) {
        if let Some(known) = self.peers.get(&peer).filter(|_| !self.is_chosen(&peer))
            && !self.budgets.allow_sync(peer, &known.info.address, self.now.instant)
        {
            self.counters.syncs_refused += 1;
            return;
        }
        if let Some(answer) = self.answer_sync(peer, question) {
            // Fails only when the asker is gone.
            drop(reply.send(answer));
        }
    }
}
