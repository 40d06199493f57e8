//! What follows from what is known of the time.

use libp2p::PeerId;

use super::{
    Core,
    clock::{WINDOW_MS, is_off, later},
};
use crate::{
    Event,
    room::{Now, Reach},
    room_id::RoomId,
};

impl Core {
    fn clock_offset(&self) -> Option<i64> {
        self.clock.offset_ms(|hub| self.is_chosen(hub))
    }

    /// Whether others would ignore what is signed now.
    pub(super) fn is_clock_wrong(&self) -> bool {
        self.clock.is_told_wrong || self.clock_offset().is_some_and(is_off)
    }

    /// Whether times by this clock, or an hour before, may be wrong.
    pub(super) fn is_clock_doubtful(&self) -> bool {
        self.is_clock_wrong() || self.clock.is_unsure || self.clock.has_jumped_lately()
    }

    /// Compares the clocks, before anything else is decided.
    pub(super) fn compare_clocks(&mut self) {
        if !self.clock.advance(self.now) {
            return;
        }
        for name in self.rooms.keys().cloned().collect::<Vec<RoomId>>() {
            self.expire(&name);
        }
        if self.is_hub() {
            for peer in self.watchers.ids() {
                self.send_to_watcher(peer, self.hello());
            }
        }
        // It is this clock that was set, or the other that stood still: hubs know.
        let chosen = |hub: &&PeerId| self.is_chosen(hub);
        let chosen: Vec<PeerId> = self.hubs.keys().filter(chosen).copied().collect();
        if chosen.is_empty() {
            self.check_clock();
        }
        for hub in chosen {
            self.unfollow(&hub);
            self.follow(hub);
        }
    }

    /// A hub says what time it is.
    pub(super) fn hub_time(&mut self, hub: PeerId, unix_ms: u64) {
        self.clock.told.insert(hub, Now { unix_ms, ..self.now });
        if self.is_chosen(&hub) {
            self.clock.last_told = None;
            self.check_clock();
        }
    }

    /// Other hubs are believed than before.
    pub(super) fn check_clock_anew(&mut self) {
        if self.clock_offset().is_some_and(is_off) != self.clock.is_told_wrong {
            self.check_clock();
        }
    }

    /// Tells the person when the clock is wrong, and when it is right again. What was held back is said then.
    fn check_clock(&mut self) {
        let offset_ms = self.clock_offset().unwrap_or_default();
        if is_off(offset_ms) {
            self.clock.is_told_wrong = true;
            self.emit(Event::ClockWrong { offset_ms });
            return;
        }
        let was_wrong = std::mem::take(&mut self.clock.is_told_wrong);
        if was_wrong {
            self.emit(Event::ClockRight);
        }
        if !std::mem::take(&mut self.clock.is_unsure) && !was_wrong {
            return;
        }
        for name in self.rooms.keys().cloned().collect::<Vec<RoomId>>() {
            if self.is_joined(&name) {
                self.announce(&name);
            }
            // What was said meanwhile was ignored here.
            self.sync_with_those_there(&name);
            self.flush(&name);
        }
    }

    /// Whom a line reaches with this clock.
    pub(super) fn reach_in_time(&self, reach: Reach, is_plain: bool) -> Reach {
        if !is_plain && self.is_clock_wrong() { Reach { members: 0, ..reach } } else { reach }
    }

    /// Forgets what was kept for an hour, when it is certain that the hour has passed.
    pub(super) fn expire(&mut self, name: &RoomId) {
        let ours = self.now.unix_ms;
        let at_least = match self.clock_offset() {
            Some(ahead) => ours.saturating_sub(u64::try_from(ahead).unwrap_or_default()),
            None => later(self.clock.anchor, self.now.instant).min(ours),
        };
        let (gone, of_use) = (at_least.saturating_sub(WINDOW_MS), ours.saturating_sub(WINDOW_MS));
        let of_use = if self.is_clock_wrong() { gone } else { of_use };
        self.with_room(name, |room, _, _, out| room.expire(gone, of_use, out));
    }
}
