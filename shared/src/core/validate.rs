//! Payloads from gossip: whether to pass them on, to show them, to blame somebody.

use libp2p::{PeerId, gossipsub::MessageAcceptance};

use super::{Core, Output, Payload};
use crate::{
    Event,
    access::Action,
    room::{Verdict, frame::claimed_speakers},
    room_id::RoomId,
};

impl Core {
    pub(super) fn gossip(&mut self, payload: Payload) {
        let acceptance = self.validate(&payload);
        let Payload { id, from, .. } = payload;
        self.out.push(Output::Validated { id, from, acceptance });
    }

    fn validate(&mut self, payload: &Payload) -> MessageAcceptance {
        let Payload { from, source, number, bytes, .. } = payload;
        if self.access.check(from, Action::Room, self.now.instant).is_err() {
            return MessageAcceptance::Ignore;
        }
        let (Some(source), Some((room, _))) = (*source, self.rooms.get_key_value(payload.room.as_str())) else {
            return MessageAcceptance::Ignore;
        };
        let room: RoomId = room.clone();
        if !self.is_within_budget(from, &source, &room, bytes) {
            self.counters.payloads_ignored += 1;
            return MessageAcceptance::Ignore;
        }
        if self.is_of_denied(bytes) {
            self.counters.payloads_ignored += 1;
            self.with_room(&room, |room, _, _, _| room.pass_over(bytes));
            return MessageAcceptance::Ignore;
        }
        if self.is_denied(&source) {
            return MessageAcceptance::Ignore;
        }
        let (said, is_large) = ((source, *number), self.is_large(&room));
        let verdict = self.with_room(&room, |room, _, now, out| room.receive(bytes, *from, said, is_large, now, out));
        let verdict = match verdict {
            Some(Verdict::Unread(what)) => {
                let verdict = self.validate_unread(what, from, source, &room, bytes.len());
                if verdict == Verdict::Ignore {
                    self.with_room(&room, |room, _, _, _| room.pass_over_unreadable(bytes));
                }
                Some(verdict)
            }
            verdict => verdict,
        };
        if verdict == Some(Verdict::Accept) {
            self.prove(&room, source);
        }
        let counters = &mut self.counters;
        *match verdict {
            Some(Verdict::Accept) => &mut counters.payloads_accepted,
            Some(Verdict::Reject) => &mut counters.payloads_rejected,
            _ => &mut counters.payloads_ignored,
        } += 1;
        match verdict {
            Some(Verdict::Accept) => MessageAcceptance::Accept,
            // Who merely forwarded it is not to blame.
            Some(Verdict::Reject) if source == *from => {
                self.offence(source, "it said what does not verify");
                MessageAcceptance::Reject
            }
            _ => MessageAcceptance::Ignore,
        }
    }

    pub(super) fn is_denied(&self, peer: &PeerId) -> bool {
        self.access.check(peer, Action::Room, self.now.instant).is_err()
    }

    /// Whether somebody who is denied said this, whoever hands it over.
    pub(super) fn is_of_denied(&self, payload: &[u8]) -> bool {
        self.access.forbids_any() && claimed_speakers(payload).iter().any(|speaker| self.is_denied(speaker))
    }

    pub(super) fn slow_peer(&mut self, peer: PeerId) {
        self.counters.slow_peers += 1;
        self.emit(Event::Slow { peer });
        self.sync_with_slow(peer);
    }
}
