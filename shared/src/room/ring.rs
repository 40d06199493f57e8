//! The last frames of a room, kept for those who come later, and each author's latest presence.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use libp2p::PeerId;

use super::{
    body::STATUS_BRIDGE,
    frame::{Body, Frame, FrameId, Prefix},
    seen::Seen,
};

/// Names of frames, and of the lines in them, remembered in one room, so that none is taken twice.
const MAX_SEEN: usize = 16_384;

/// Names of frames remembered that are neither kept nor wanted: this Tincan cannot read them, their authors are denied, or
/// the log had no place for them.
const MAX_PASSED_OVER: usize = 4096;

/// An author that holds more than one in so many frames or bytes of a full log loses the oldest of them first.
pub(crate) const KEPT_AUTHOR_SHARE: usize = 8;

/// What is kept of one room.
#[derive(Debug)]
pub struct Ring {
    max_frames: usize,
    max_bytes: usize,
    max_presences: usize,
    bytes: usize,
    /// By when they were said, the oldest first: so all keep the same, however a frame came.
    frames: VecDeque<Kept>,
    /// How much of them is whose.
    held: BTreeMap<PeerId, Held>,
    presences: BTreeMap<PeerId, Kept>,
    seen: Seen,
    passed_over: Seen,
    /// What was said before this is not handed out: nobody takes it.
    of_use_ms: u64,
    /// Whether lines younger than the window were dropped to make place.
    overflowed: bool,
}

#[derive(Debug, Default)]
struct Held {
    frames: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    /// When it was said, by its author, but no later than it came: nobody's clock pushes out what others said.
    place_ms: u64,
    frame: Frame,
}

/// What [`Ring::insert`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Inserted {
    /// Never seen before. Names what had to go.
    New {
        /// Ids of frames that are no longer kept.
        dropped: Vec<FrameId>,
    },
    /// Seen before, the same line signed again, brought by another bridge, or a presence older than the known one.
    Known,
}

impl Ring {
    /// An empty one with its bounds.
    #[must_use]
    pub fn new(max_frames: usize, max_bytes: usize, max_presences: usize) -> Self {
        Self {
            max_frames,
            max_bytes,
            max_presences,
            bytes: 0,
            frames: VecDeque::new(),
            held: BTreeMap::new(),
            presences: BTreeMap::new(),
            seen: Seen::new(MAX_SEEN),
            passed_over: Seen::new(MAX_PASSED_OVER),
            of_use_ms: 0,
            overflowed: false,
        }
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        use crate::bounded::bounded;
        let bytes: usize = self.frames.iter().map(|kept| kept.frame.bytes.len()).sum();
        vec![
            bounded("kept_frames", self.frames.len(), self.max_frames),
            bounded("kept_bytes", self.bytes, self.max_bytes),
            bounded("the count of kept bytes", self.bytes.abs_diff(bytes), 0),
            bounded("kept_presences", self.presences.len(), self.max_presences),
            bounded("MAX_SEEN", self.seen.len(), MAX_SEEN),
            bounded("MAX_PASSED_OVER", self.passed_over.len(), MAX_PASSED_OVER),
        ]
    }

    /// Whether a frame was ever taken, or passed over.
    #[must_use]
    pub fn has_seen(&self, id: &FrameId) -> bool {
        self.seen.contains(id) || self.passed_over.contains(id) || self.all().any(|frame| frame.id == *id)
    }

    /// Whether the name of a frame was forgotten that may still count.
    pub(super) fn forgot_some(&self, now_ms: u64) -> bool {
        self.seen.forgot_some(now_ms)
    }

    /// A frame is not wanted, now or later.
    pub fn pass_over(&mut self, id: FrameId) {
        self.passed_over.insert(id, 0);
    }

    /// Takes a verified frame that came at that unix time.
    pub fn insert(&mut self, frame: Frame, now_ms: u64) -> Inserted {
        if self.has_seen(&frame.id) {
            return Inserted::Known;
        }
        self.seen.insert(frame.id, now_ms);
        if let Some(name) = frame.origin().or_else(|| frame.line()) {
            // Another bridge brought it before, or its author signed it before.
            if self.has_seen(&name) {
                return Inserted::Known;
            }
            self.seen.insert(name, now_ms);
        }
        if frame.body.is_presence() {
            return self.insert_presence(frame, now_ms);
        }
        self.bytes += frame.bytes.len();
        let held = self.held.entry(frame.author).or_default();
        (held.frames, held.bytes) = (held.frames + 1, held.bytes + frame.bytes.len());
        let place_ms = frame.time_ms.min(now_ms);
        // An author's own lines of one millisecond stand as they were said, in whatever order they came.
        let place = (place_ms, frame.line_number());
        let after = self.frames.partition_point(|kept| (kept.place_ms, kept.frame.line_number()) <= place);
        self.frames.insert(after, Kept { place_ms, frame });
        let mut dropped = Vec::new();
        while self.frames.len() > self.max_frames || self.bytes > self.max_bytes {
            let Some(Kept { frame, .. }) = self.frames.remove(self.first_to_go()) else { break };
            self.let_go(&frame);
            // Others may keep it: they need not hand it over again.
            self.passed_over.insert(frame.id, 0);
            dropped.push(frame.id);
            self.overflowed = true;
        }
        Inserted::New { dropped }
    }

    /// The first line of an author that holds more than its share, else the oldest of all.
    fn first_to_go(&self) -> usize {
        let has_more = |held: &Held| {
            held.frames * KEPT_AUTHOR_SHARE > self.max_frames || held.bytes * KEPT_AUTHOR_SHARE > self.max_bytes
        };
        let is_over = |kept: &Kept| self.held.get(&kept.frame.author).is_some_and(has_more);
        let Some(over) = self.frames.iter().find(|kept| is_over(kept)) else { return 0 };
        // By number: a burst comes in any order.
        let theirs = self.frames.iter().enumerate().filter(|(_, kept)| kept.frame.author == over.frame.author);
        theirs.min_by_key(|(_, kept)| kept.frame.line_number()).map_or(0, |(at, _)| at)
    }

    /// A frame is no longer kept.
    fn let_go(&mut self, frame: &Frame) {
        self.bytes -= frame.bytes.len();
        let Some(held) = self.held.get_mut(&frame.author) else { return };
        (held.frames, held.bytes) = (held.frames - 1, held.bytes - frame.bytes.len());
        if held.frames == 0 {
            self.held.remove(&frame.author);
        }
    }

    fn insert_presence(&mut self, frame: Frame, now_ms: u64) -> Inserted {
        if self.presences.get(&frame.author).is_some_and(|kept| kept.frame.sequence >= frame.sequence) {
            return Inserted::Known;
        }
        let mut dropped: Vec<FrameId> =
            self.presences.remove(&frame.author).map(|old| old.frame.id).into_iter().collect();
        if self.presences.len() >= self.max_presences {
            let oldest = self.presences.values().min_by_key(|kept| kept.place_ms).map(|kept| kept.frame.author);
            dropped.extend(oldest.and_then(|author| self.presences.remove(&author)).map(|old| old.frame.id));
        }
        self.presences.insert(frame.author, Kept { place_ms: frame.time_ms.min(now_ms), frame });
        Inserted::New { dropped }
    }

    /// Drops lines said before `gone_ms`, and hands out no more those said before `of_use_ms`; presences stay.
    pub fn expire(&mut self, gone_ms: u64, of_use_ms: u64) -> Vec<FrameId> {
        self.of_use_ms = of_use_ms;
        let young = self.frames.partition_point(|kept| kept.place_ms < gone_ms);
        let old: Vec<Frame> = self.frames.drain(..young).map(|kept| kept.frame).collect();
        old.iter().for_each(|frame| self.let_go(frame));
        // What made place earlier was older still.
        self.overflowed &= old.is_empty();
        old.into_iter().map(|frame| frame.id).collect()
    }

    /// The kept lines, the oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter().map(|kept| &kept.frame)
    }

    /// Whether a line said at that unix time would still be kept: what made place for others was older than the rest.
    #[must_use]
    pub fn reaches_back_to(&self, time_ms: u64) -> bool {
        !self.overflowed || self.frames.front().is_some_and(|oldest| oldest.place_ms < time_ms)
    }

    /// Everything kept: presences first, then lines, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Frame> {
        self.presences.values().map(|kept| &kept.frame).chain(self.lines())
    }

    /// The same, as far as it may be handed out.
    fn of_use(&self) -> impl Iterator<Item = &Frame> {
        let lines = self.frames.iter().filter(|kept| kept.place_ms >= self.of_use_ms);
        self.presences.values().chain(lines).map(|kept| &kept.frame)
    }

    /// The latest presence of an author.
    #[must_use]
    pub fn presence(&self, author: &PeerId) -> Option<&Frame> {
        self.presences.get(author).map(|kept| &kept.frame)
    }

    /// What those said of themselves who bridge to another network.
    pub fn bridges(&self) -> impl Iterator<Item = &Frame> {
        let bridges = |frame: &Frame| matches!(&frame.body, Body::Presence { status, .. } if status == STATUS_BRIDGE);
        self.presences.values().map(|kept| &kept.frame).filter(move |frame| bridges(frame))
    }

    /// What this node can name in a sync.
    #[must_use]
    pub fn have(&self) -> Vec<Prefix> {
        self.of_use().map(|frame| frame.id.prefix()).collect()
    }

    /// What this node does not keep and does not want either, the newest first.
    pub fn unwanted(&self) -> impl Iterator<Item = Prefix> {
        self.passed_over.newest().map(FrameId::prefix)
    }

    /// What somebody who has `theirs` lacks.
    pub fn lacking(&self, theirs: &BTreeSet<Prefix>) -> impl Iterator<Item = &Frame> {
        let theirs = theirs.clone();
        self.of_use().filter(move |frame| !theirs.contains(&frame.id.prefix()))
    }

    /// Which of `theirs` were never seen here.
    #[must_use]
    pub fn want(&self, theirs: &BTreeSet<Prefix>) -> Vec<Prefix> {
        theirs
            .iter()
            .filter(|prefix| !self.seen.has_prefix(prefix) && !self.passed_over.has_prefix(prefix))
            .copied()
            .collect()
    }

    /// Kept frames by prefix.
    pub fn pick(&self, wanted: &BTreeSet<Prefix>) -> impl Iterator<Item = &Frame> {
        let wanted = wanted.clone();
        self.of_use().filter(move |frame| wanted.contains(&frame.id.prefix()))
    }
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
