//! The host's other network of rooms: what goes to it and what comes from it.

use super::Actor;
use crate::{
    HostBehaviour,
    bridge::Outgoing,
    room::{Elsewhere, frame::Frame},
};

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn bridges(&self) -> bool {
        self.swarm.behaviour().host.bridges()
    }

    /// A line that was said in one of our rooms goes out.
    pub(super) fn spoken(&mut self, frame: &Frame) {
        let Some(room) = self.rooms.get(&frame.room).filter(|room| self.bridges() && !room.is_plain()) else { return };
        let now = self.now();
        let rank = room.bridge_rank(&frame.author, now);
        let out = self.bridge.spoken(frame, &self.me, rank, now.instant);
        self.send_elsewhere(out);
    }

    /// A line of the other network comes in, unless it is ours or another bridge's, which frames bring.
    pub(super) fn elsewhere(&mut self, line: Elsewhere) {
        let now = self.now().instant;
        let Some(room) = self.rooms.get(&line.room) else { return };
        let tincan = |agent: &str| agent.starts_with("tincan/");
        let known = self.peers.get(&line.source).and_then(|peer| peer.info.agent.as_deref()).is_some_and(tincan);
        if line.source == self.me {
            return;
        }
        if known || room.has_heard(&line.source) {
            self.bridge.heard(&line.room, line.source, &line.text, now);
            return;
        }
        if !self.bridge.may_bring(now) {
            self.counters.lines_dropped += 1;
            tracing::debug!(source = %line.source, "more lines than a bridge brings in; dropped");
            return;
        }
        self.counters.lines_brought += 1;
        let name = line.room.clone();
        self.with_room(&name, |room, me, now, out| room.bring(line, me, now, out));
    }

    pub(super) fn announce_bridge(&mut self) {
        if self.bridges() {
            for name in self.rooms.keys().cloned().collect::<Vec<_>>() {
                self.with_room(&name, |room, me, now, out| room.announce_again(me, now, out));
            }
        }
    }

    pub(super) fn bridge_due(&mut self) {
        let now = self.now().instant;
        let due = self.bridge.due(now);
        self.send_elsewhere(due);
    }

    fn send_elsewhere(&mut self, lines: Vec<Outgoing>) {
        let host = &mut self.swarm.behaviour_mut().host;
        for Outgoing { room, parts } in lines {
            for part in parts {
                host.say(&room, &part);
            }
        }
    }
}
