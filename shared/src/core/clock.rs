//! Whether this machine's clock is right, and what time it is at least.
//!
//! Frames count within an hour of the reader's clock, so with a wrong clock nobody reads ours, and ours would throw away
//! what it keeps. Hubs say what time it is; those that this node chose are believed. Between their words the time that
//! passes is measured by the other clock, which nobody sets: so a jump is noticed, and hubs are asked anew, since after a
//! machine's sleep it was that clock that stood still.

use std::{collections::BTreeMap, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

use crate::{config::FRAME_TIME_WINDOW, room::Now};

/// How often the two clocks are compared, if nothing else happens.
const COMPARE_EVERY: Duration = Duration::from_secs(10);
/// By so much the two clocks may differ between two looks; more is a jump.
const MAX_STEP: Duration = Duration::from_secs(60);
pub(super) const WINDOW_MS: u64 = FRAME_TIME_WINDOW.as_millis() as u64;

/// What is known of the time.
#[derive(Debug)]
pub(super) struct Clock {
    /// What hubs' clocks showed, and when we heard it.
    pub(super) told: BTreeMap<PeerId, Now>,
    /// The same of the last one that was believed, while there is none and it said that this clock is wrong.
    pub(super) last_told: Option<Now>,
    /// Whether the person was told that this clock is wrong, and not yet that it is right again.
    pub(super) is_told_wrong: bool,
    /// Whether it jumped, and nobody has said since that it is right: others' lines may have been ignored here.
    pub(super) is_unsure: bool,
    has_jumped: bool,
    /// A time that was right, as far as that is known.
    pub(super) anchor: Now,
    /// Since when the clock has not jumped.
    steady_since: Instant,
    pub(super) last: Now,
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
    pub(super) fn advance(&mut self, now: Now) -> bool {
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

    pub(super) fn has_jumped_lately(&self) -> bool {
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
    pub(super) fn offset_ms(&self, is_believed: impl Fn(&PeerId) -> bool) -> Option<i64> {
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
pub(super) fn later(then: Now, instant: Instant) -> u64 {
    let passed = instant.saturating_duration_since(then.instant).as_millis();
    then.unix_ms.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
}

pub(super) fn is_off(offset_ms: i64) -> bool {
    offset_ms.unsigned_abs() > WINDOW_MS
}
