//! The host's other network of rooms: what goes to it and what comes from it.

use super::{Core, Output};
use crate::{
    bridge::Outgoing,
    room::{Elsewhere, frame::Frame},
    room_id::RoomId,
};

impl Core {
    /// A line that was said in one of our rooms goes out.
    pub(super) fn spoken(&mut self, frame: &Frame) {
        let room = self.rooms.get(frame.room.as_str()).filter(|room| self.bridges && !room.is_plain());
        let Some(room) = room else { return };
        let before = room.bridges_before(&frame.author, self.now);
        let out = self.bridge.spoken(frame, &self.me, &before, self.now.instant);
        self.send_elsewhere(out);
    }

    /// A line of the other network comes in, unless it is ours or another bridge's, which frames bring.
    pub(super) fn elsewhere(&mut self, line: Elsewhere) {
        let now = self.now.instant;
        let Some(room) = self.rooms.get(line.room.as_str()) else { return };
        let tincan = |agent: &str| agent.starts_with("tincan/");
        let known = self.peers.get(&line.source).and_then(|peer| peer.info.agent.as_deref()).is_some_and(tincan);
        if line.source == self.me || self.is_denied(&line.source) {
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
        let room = RoomId::from(line.room.as_str());
        self.with_room(&room, |room, me, now, out| room.bring(line, me, now, out));
    }

    pub(super) fn announce_bridge(&mut self) {
        if self.bridges {
            for name in self.rooms.keys().cloned().collect::<Vec<_>>() {
                self.with_room(&name, |room, me, now, out| room.announce_again(me, now, out));
            }
        }
    }

    pub(super) fn bridge_due(&mut self) {
        let due = self.bridge.due(self.now.instant);
        self.send_elsewhere(due);
    }

    fn send_elsewhere(&mut self, lines: Vec<Outgoing>) {
        for Outgoing { room, parts } in lines {
            for text in parts {
                self.out.push(Output::SayElsewhere { room: room.clone(), text });
            }
        }
    }
}
