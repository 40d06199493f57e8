//! Other programs in rooms: which rooms are theirs, and what of theirs a hub passes on.

use libp2p::{PeerId, gossipsub};

use super::Actor;
use crate::{
    HostBehaviour,
    room::{Unread, Verdict},
};

impl<B: HostBehaviour> Actor<B> {
    /// What to tell gossipsub about a payload that the room cannot read.
    pub(super) fn judge_unread(
        &mut self,
        what: Unread,
        from: &PeerId,
        source: PeerId,
        message: &gossipsub::Message,
    ) -> Verdict {
        let name = message.topic.as_str().to_owned();
        let outnumbered = self.members.local_is_foreign(&name);
        match what {
            Unread::Malformed if !outnumbered => return Verdict::Reject,
            Unread::LongText => {}
            _ if outnumbered || !self.has_frames(&name) => {}
            _ => return Verdict::Ignore,
        }
        if !self.is_hub() {
            return Verdict::Ignore;
        }
        let now = self.now().instant;
        if self.foreign.spend(source, *from, &name, message.data.len(), now) {
            self.counters.foreign_forwarded += 1;
            return Verdict::Accept;
        }
        self.counters.foreign_dropped += 1;
        tracing::debug!(%source, room = %crate::neutralise(&name, false), "more of other programs than is passed on");
        Verdict::Ignore
    }

    /// Whether one of the Tincan members connected here has signed a frame in this room. What strangers signed that
    /// are no members, or have gone, does not make a room ours.
    fn has_frames(&self, name: &str) -> bool {
        let Some(room) = self.rooms.get(name) else { return false };
        let mut members = self.members.local(name).into_iter().flatten().chain([&self.me]);
        members.any(|peer| self.syncs(peer) != Some(false) && room.has_heard(peer))
    }

    /// Whether a peer lists `/tincan/sync/1.0.0`, as every Tincan does; nothing while it is not identified.
    pub(super) fn syncs(&self, peer: &PeerId) -> Option<bool> {
        self.peers.get(peer).filter(|known| known.identified).map(|known| known.syncs)
    }
}
