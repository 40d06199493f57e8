//! Payloads from gossip: whether to pass them on, to show them, to blame somebody.

use libp2p::{PeerId, gossipsub::MessageAcceptance};

use super::{Core, Output, Payload};
use crate::{Event, access::Action, room::Verdict, room_id::RoomId};

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
        if !self.is_within_budget(from, &room, bytes) {
            self.counters.payloads_ignored += 1;
            return MessageAcceptance::Ignore;
        }
        let (said, is_large) = ((source, *number), self.is_large(&room));
        let verdict = self.with_room(&room, |room, _, now, out| room.receive(bytes, *from, said, is_large, now, out));
        let verdict = match verdict {
            Some(Verdict::Unread(what)) => Some(self.validate_unread(what, from, source, &room, bytes.len())),
            verdict => verdict,
        };
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

    pub(super) fn slow_peer(&mut self, peer: PeerId) {
        self.counters.slow_peers += 1;
        self.emit(Event::Slow { peer });
        self.sync_with_slow(peer);
    }
}
