//! Whether this machine's clock is right, and what time it is at least.
//!
//! Frames count within an hour of the reader's clock, so with a wrong clock nobody reads ours, and ours would throw away
//! what it keeps. Hubs say what time it is; those that this node chose are believed. Between their words the time that
//! passes is measured by the other clock, which nobody sets: so a jump is noticed, and hubs are asked anew, since after a
//! machine's sleep it was that clock that stood still.

use std::{collections::BTreeMap, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

use super::Core;
use crate::{
    Event,
    config::FRAME_TIME_WINDOW,
    room::{Now, Reach},
    room_id::RoomId,
};

/// How often the two clocks are compared, if nothing else happens.
const COMPARE_EVERY: Duration = Duration::from_secs(10);
/// By so much the two clocks may differ between two looks; more is a jump.
const MAX_STEP: Duration = Duration::from_secs(60);
const WINDOW_MS: u64 = FRAME_TIME_WINDOW.as_millis() as u64;

/// What is known of the time.
#[derive(Debug)]
pub(super) struct Clock {
    /// What hubs' clocks showed, and when we heard it.
    told: BTreeMap<PeerId, Now>,
    /// The same of the last one that was believed, while there is none and it said that this clock is wrong.
    last_told: Option<Now>,
    /// Whether the person was told that this clock is wrong, and not yet that it is right again.
    is_told_wrong: bool,
    /// Whether it jumped, and nobody has said since that it is right: others' lines may have been ignored here.
    is_unsure: bool,
    has_jumped: bool,
    /// A time that was right, as far as that is known.
    anchor: Now,
    /// Since when the clock has not jumped.
    steady_since: Instant,
    last: Now,
}

impl Clock {
    /// `newest_ms`: when the newest was said of what an earlier run stored.
    pub(super) fn new(now: Now, newest_ms: Option<u64>) -> Self {
        let anchor = Now { unix_ms: newest_ms.unwrap_or(now.unix_ms).min(now.unix_ms), ..now };
        Self {
            told: BTreeMap::new(),
            last_told: None,
            is_told_wrong: false,
            is_unsure: false,
            has_jumped: false,
            anchor,
            steady_since: now.instant,
            last: now,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        Some(self.last.instant + COMPARE_EVERY)
    }

    /// Time has passed. Says whether the clock has jumped.
    fn advance(&mut self, now: Now) -> bool {
        let step_ms = later(self.last, now.instant).abs_diff(now.unix_ms);
        let has_jumped = Duration::from_millis(step_ms) > MAX_STEP;
        if has_jumped {
            (self.steady_since, self.is_unsure, self.has_jumped) = (now.instant, true, true);
        } else if now.instant.saturating_duration_since(self.steady_since) >= FRAME_TIME_WINDOW {
            self.anchor = now;
        }
        self.last = now;
        has_jumped
    }

    fn has_jumped_lately(&self) -> bool {
        let steady = self.last.instant.saturating_duration_since(self.steady_since);
        self.has_jumped && steady < FRAME_TIME_WINDOW
    }

    /// A hub is gone.
    pub(super) fn forget(&mut self, hub: &PeerId, was_believed: bool) {
        let told = self.told.remove(hub);
        if was_believed && self.is_told_wrong {
            self.last_told = told.or(self.last_told);
        }
    }

    /// Ours minus the time that the hubs tell which are believed; where they differ, the one nearest to ours.
    fn offset_ms(&self, is_believed: impl Fn(&PeerId) -> bool) -> Option<i64> {
        let ours = i128::from(self.last.unix_ms);
        let told = self.told.iter().filter(|(hub, _)| is_believed(hub)).map(|(_, told)| told);
        let (told, last): (Vec<&Now>, _) = (told.collect(), self.last_told.as_ref());
        let last = last.filter(|_| told.is_empty());
        let offsets = told.into_iter().chain(last).map(|told| ours - i128::from(later(*told, self.last.instant)));
        let clamped = |offset: i128| i64::try_from(offset.clamp(i64::MIN.into(), i64::MAX.into())).unwrap_or_default();
        offsets.min_by_key(|offset| offset.unsigned_abs()).map(clamped)
    }
}

/// The time at this instant, by an earlier reading.
fn later(then: Now, instant: Instant) -> u64 {
    let passed = instant.saturating_duration_since(then.instant).as_millis();
    then.unix_ms.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
}

fn is_off(offset_ms: i64) -> bool {
    offset_ms.unsigned_abs() > WINDOW_MS
}

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
                self.tell(peer, self.hello());
            }
        }
        // It is this clock that was set, or the other that stood still: hubs know.
        let chosen = |hub: &&PeerId| self.is_chosen(hub);
        let chosen: Vec<PeerId> = self.hubs.keys().filter(chosen).copied().collect();
        if chosen.is_empty() {
            self.judge_clock();
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
            self.judge_clock();
        }
    }

    /// Other hubs are believed than before.
    pub(super) fn judge_clock_anew(&mut self) {
        if self.clock_offset().is_some_and(is_off) != self.clock.is_told_wrong {
            self.judge_clock();
        }
    }

    /// Tells the person when the clock is wrong, and when it is right again. What was held back is said then.
    fn judge_clock(&mut self) {
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
