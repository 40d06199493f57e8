//! Other programs in rooms: which rooms are theirs, and what of theirs a hub passes on.

use std::collections::BTreeSet;

use libp2p::PeerId;

use super::Core;
use crate::{
    room::{Room, Unread, Verdict},
    room_id::RoomId,
};

impl Core {
    /// What to tell gossipsub about a payload that the room cannot read.
    pub(super) fn validate_unread(
        &mut self,
        what: Unread,
        from: &PeerId,
        source: PeerId,
        room: &RoomId,
        bytes: usize,
    ) -> Verdict {
        let outnumbered = self.members.local_is_foreign(room);
        match what {
            Unread::Malformed if !outnumbered => return Verdict::Ignore,
            Unread::LongText => {}
            _ if outnumbered || !self.has_frames(room) => {}
            _ => return Verdict::Ignore,
        }
        if !self.is_hub() {
            return Verdict::Ignore;
        }
        if self.foreign.spend(source, *from, room, bytes, self.now.instant) {
            self.counters.foreign_forwarded += 1;
            return Verdict::Accept;
        }
        self.counters.foreign_dropped += 1;
        tracing::debug!(%source, room = %crate::neutralise(room, false), "more of other programs than is passed on");
        Verdict::Ignore
    }

    /// Whether one of the Tincan members connected here has signed a frame in this room. What strangers signed that
    /// are no members, or have gone, does not make a room ours.
    fn has_frames(&self, name: &str) -> bool {
        let Some(room) = self.rooms.get(name) else { return false };
        let mut members = self.members.local(name).into_iter().flatten().chain([&self.me]);
        members.any(|peer| self.peers.syncs(peer) != Some(false) && room.has_heard(peer))
    }

    /// Whether, of the members of whom this node itself knows what they use, more use Tincan: they signed frames here, or
    /// say so to us. No hub's word goes against that.
    pub(super) fn is_ours(&self, room: &Room, listed: &BTreeSet<PeerId>) -> bool {
        let (mut ours, mut theirs) = (0, 0);
        for peer in listed {
            match self.peers.syncs(peer) {
                Some(false) => theirs += 1,
                Some(true) => ours += 1,
                None => ours += usize::from(room.has_heard(peer)),
            }
        }
        ours > theirs
    }
}
