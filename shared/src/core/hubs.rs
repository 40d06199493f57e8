//! The hubs this node asks who is where: our streams to them, and what they say.

use std::time::Duration;

use libp2p::PeerId;

use super::{Core, Output, hub_stream::HubStream};
use crate::{
    Event,
    access::Denied,
    hub::{
        listing::Presences,
        members::Trust,
        reasons::Given,
        wire::{FromHub, Hello, MAX_PRESENCES, Reason, Report, TWIN, Watch},
    },
    room::Room,
    room_id::RoomId,
};

/// How long a hub stream that ended is not opened again.
const HUB_STREAM_WAIT: Duration = Duration::from_secs(1);
/// Text of a hub's reason that is shown.
const MAX_REASON_CHARS: usize = 256;

impl Core {
    pub(super) fn open_hub(&mut self, hub: PeerId) {
        self.serial += 1;
        self.hubs.insert(hub, HubStream::Opening { serial: self.serial });
        self.out.push(Output::OpenHub { hub, serial: self.serial });
    }

    /// Whether what a stream tells is of the one that is used now.
    fn is_current(&self, hub: &PeerId, serial: u64) -> bool {
        self.hubs.get(hub).is_some_and(|stream| stream.serial() == Some(serial))
    }

    pub(super) fn hub_opened(&mut self, hub: PeerId, serial: u64) {
        if self.is_current(&hub, serial) {
            self.hubs.insert(hub, HubStream::Open { serial, told: None, greeted: false });
            self.watch_hubs();
        } else {
            self.out.push(Output::CloseHub { hub, serial });
        }
    }

    pub(super) fn hub_closed(&mut self, hub: PeerId, serial: u64) {
        if self.is_current(&hub, serial) {
            self.forget_hub(&hub);
            let until = self.now.instant + HUB_STREAM_WAIT;
            self.hubs.insert(hub, HubStream::Waiting { until });
        }
    }

    /// What a hub said no longer holds.
    pub(super) fn forget_hub(&mut self, hub: &PeerId) {
        if self.members.forget(hub) {
            self.looks.changed(self.now.instant);
        }
    }

    pub(super) fn reopen_hub_streams(&mut self) {
        let due = |stream: &HubStream| stream.reopens_at().is_some_and(|at| at <= self.now.instant);
        let due: Vec<PeerId> = self.hubs.iter().filter(|(_, stream)| due(stream)).map(|(hub, _)| *hub).collect();
        for hub in due {
            self.hubs.remove(&hub);
            if self.peers.is_connected(&hub) {
                self.follow(hub);
            }
        }
    }

    pub(super) fn hub_said(&mut self, hub: PeerId, serial: u64, message: FromHub) {
        if !self.is_current(&hub, serial) {
            return;
        }
        let FromHub { hello, report, reason } = message;
        let is_twin = reason.as_ref().is_some_and(|reason| reason.code == TWIN);
        // Whoever calls itself a hub must not alarm anybody.
        let is_believed = !is_twin || self.is_chosen(&hub);
        let closes = is_twin || reason.as_ref().is_some_and(|reason| Denied::closes(&reason.code));
        if let Some(hello) = hello {
            self.greeted(hub, hello, !closes);
        }
        if let Some(report) = report {
            self.hear_report(hub, &report);
        }
        if let Some(Reason { text, .. }) = reason {
            if is_twin && is_believed {
                self.rest_as_twin(hub);
            } else if closes {
                self.stay_away(hub);
            }
            let reason: String = text.chars().take(MAX_REASON_CHARS).collect();
            if is_believed && let Some(given) = self.reasons.give(hub, Given { reason, closes }, self.now.instant) {
                self.tell_reason(hub, given);
            }
        }
    }

    /// A hub's first word, and later ones when its clock was set. `stays`: it lets us stay.
    fn greeted(&mut self, hub: PeerId, Hello { time_ms, .. }: Hello, stays: bool) {
        let Some(HubStream::Open { greeted, .. }) = self.hubs.get_mut(&hub) else { return };
        if !std::mem::replace(greeted, true) && stays {
            self.welcomed(hub);
        }
        self.hub_time(hub, time_ms);
    }

    fn hear_report(&mut self, hub: PeerId, report: &Report) {
        // Hubs ask each other only about their own peers; who answers for others is not believed.
        if self.is_hub() && report.hub != hub.to_bytes() {
            return;
        }
        // Nor is heard what nobody asked, which would be kept and told to others. What is known already follows the hub's
        // word until it says that nobody is left: if we come back before it has read that we were gone, it does not repeat
        // itself.
        let room = self.rooms.get(report.room.as_str());
        let is_wanted = room.is_some_and(|room| room.is_joined() || self.is_hub());
        if !is_wanted && !self.members.has_listed(&hub, &report.room) {
            return;
        }
        let trust = if self.is_chosen(&hub) { Trust::Chosen } else { Trust::Stranger };
        let presences = self.take_presences(hub, report);
        let room = self.rooms.get(report.room.as_str());
        let is_proven = |peer: &PeerId| presences.contains_key(peer) || room.is_some_and(|room| room.has_heard(peer));
        if self.members.report(hub, trust, report, presences.clone(), is_proven) {
            self.looks.changed(self.now.instant);
            if self.members.has_unproven(&hub, &report.room) {
                // It may keep what they say of themselves.
                self.sync_with_slow(hub);
            }
        }
    }

    /// What a hub hands over with a report that its members said of themselves, as far as it verifies.
    fn take_presences(&mut self, hub: PeerId, report: &Report) -> Presences {
        let room = RoomId::from(report.room.as_str());
        let handed = report.presences.get(..MAX_PRESENCES).unwrap_or(&report.presences);
        let mut handed: Vec<Vec<u8>> = handed.iter().filter(|frame| !self.is_of_denied(frame)).cloned().collect();
        handed.retain(|frame| self.may_hand_over(&hub, &room, frame));
        let taken = self.with_room(&room, |room, _, now, out| room.take_presences(&handed, now, out));
        let (presences, all_verify) = taken.unwrap_or((Presences::new(), true));
        if !all_verify {
            self.offence(hub, "it handed over presences that do not verify");
        }
        presences
    }

    fn tell_reason(&mut self, hub: PeerId, Given { reason, closes }: Given) {
        tracing::debug!(%hub, reason = %crate::neutralise(&reason, false), "a hub refuses something");
        self.emit(Event::Refused { peer: hub, reason, closes });
    }

    /// Reasons that hubs gave too soon after others.
    pub(super) fn tell_reasons(&mut self) {
        for (hub, given) in self.reasons.due(self.now.instant) {
            self.tell_reason(hub, given);
        }
    }

    /// Tells each hub which rooms we want to know about, when that changed.
    pub(super) fn watch_hubs(&mut self) {
        if self.hubs.is_empty() {
            return;
        }
        let watched = self.rooms.iter().filter(|(_, room)| self.is_hub() || Room::is_joined(room));
        let watch = Watch { rooms: watched.map(|(name, _)| name.to_string()).collect(), local_only: self.is_hub() };
        for (hub, stream) in &mut self.hubs {
            if let HubStream::Open { told, .. } = stream
                && told.as_ref() != Some(&watch)
            {
                *told = Some(watch.clone());
                self.out.push(Output::WatchRooms { hub: *hub, watch: watch.clone() });
            }
        }
    }
}
