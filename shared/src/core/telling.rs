//! What a hub tells on the streams that peers opened to it.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;

use super::{
    Core, Output,
    watchers::{Open, TELL_QUEUE},
};
use crate::{
    hub::{
        desk::Update,
        listing::Presences,
        wire::{FromHub, Reason, Watch},
    },
    room::Room,
    room_id::RoomId,
};

impl Core {
    pub(super) fn watcher_opened(&mut self, peer: PeerId, serial: u64) {
        if self.is_second_stream(peer, serial) {
            return;
        }
        if let Some(before) = self.watchers.0.insert(peer, Open { serial, space: TELL_QUEUE }) {
            self.out.push(Output::DropWatcher { peer, serial: before.serial });
        }
        // In one message, so that nobody takes a greeting for a welcome.
        let hello = FromHub { reason: self.reason_for(peer), ..self.hello().into() };
        let stays = hello.reason.is_none();
        self.send_to_watcher(peer, hello);
        if stays {
            self.desk.open(peer);
            // It may have been looked at before it could be told.
            if let Some(why) = self.carrier.refusal(&peer) {
                self.send_to_watcher(peer, self.not_carried(why));
            }
        }
    }

    pub(super) fn watched(&mut self, peer: PeerId, serial: u64, watch: Watch) {
        if self.watchers.is_current(&peer, serial) && !self.desk.watch(peer, watch) {
            let text = "more rooms asked about than a hub tells of; leave some".to_owned();
            self.counters.rooms_refused += 1;
            self.send_to_watcher(peer, Reason { code: "too_many_rooms".to_owned(), text });
        }
    }

    pub(super) fn watcher_took(&mut self, peer: PeerId, serial: u64, messages: usize) {
        if let Some(open) = self.watchers.0.get_mut(&peer).filter(|open| open.serial == serial) {
            open.space = (open.space + messages).min(TELL_QUEUE);
            self.desk.took(&peer);
        }
    }

    pub(super) fn watcher_closed(&mut self, peer: PeerId, serial: u64) {
        self.second_stream_closed(&peer, serial);
        if self.watchers.is_current(&peer, serial) {
            self.watchers.0.remove(&peer);
            self.desk.close(&peer);
        }
    }

    /// Tells watchers what changed, as far as their streams take it now.
    pub(super) fn tell_watchers(&mut self) {
        let watchers = &self.watchers;
        let Update { reports, dropped } =
            self.desk.update(&self.members, &said_by(&self.rooms), self.now.instant, |peer| watchers.space(peer));
        for peer in dropped {
            self.lose_watcher(&peer);
        }
        for (peer, report) in reports {
            self.send_to_watcher(peer, report);
        }
    }

    /// Queues a message on a watcher's stream; one that is too far behind loses the stream and asks anew.
    pub(super) fn send_to_watcher(&mut self, peer: PeerId, message: impl Into<FromHub>) {
        let Some(open) = self.watchers.0.get_mut(&peer) else { return };
        match open.space.checked_sub(1) {
            Some(space) => {
                open.space = space;
                let serial = open.serial;
                self.out.push(Output::TellWatcher { peer, serial, message: message.into() });
            }
            None => self.lose_watcher(&peer),
        }
    }

    fn lose_watcher(&mut self, peer: &PeerId) {
        tracing::debug!(%peer, "too slow to be told who is where");
        self.counters.watchers_dropped += 1;
        self.drop_watcher(peer);
    }

    pub(super) fn drop_watcher(&mut self, peer: &PeerId) {
        if let Some(Open { serial, .. }) = self.watchers.0.remove(peer) {
            self.out.push(Output::DropWatcher { peer: *peer, serial });
        }
        self.desk.close(peer);
    }
}

/// What members of a room last said of themselves, as far as it is kept.
pub(super) fn said_by(rooms: &BTreeMap<RoomId, Room>) -> impl Fn(&str, &BTreeSet<PeerId>) -> Presences {
    |room, members| rooms.get(room).map(|room| room.presences_of(members)).unwrap_or_default()
}
