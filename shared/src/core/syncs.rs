//! Syncs: whom to ask for frames and when, what to answer, and taking what was handed over.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use libp2p::PeerId;
use n0_future::time::Instant;

use crate::{room::frame::Prefix, room_id::RoomId, timers::Timers};

/// Frames that may be wanted of one peer, in all its rooms, and have not come yet.
const MAX_WANTED: usize = 8192;
/// Parts of answers that wait so; beyond it they are merged at once.
pub(super) const MAX_UNMERGED: usize = 64;

/// What was wanted of one peer so lately is not wanted of another: it is on its way.
const WANTED_ONCE: Duration = Duration::from_millis(500);
/// So often a peer's question about a room is put off for that; the peer asks again by itself.
const MAX_PUT_OFF: u8 = 2;
/// Questions put off that are remembered; with more none is put off.
const MAX_ALL_PUT_OFF: usize = 4096;
/// While nobody has answered about a room, so many are asked at once: each brings all that is known.
const MAX_FIRST: usize = 2;

/// A question under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Asking {
    /// Whether one more is to follow.
    pub(super) again: bool,
    /// Whether it was only to learn whether lines of ours were taken.
    pub(super) only_receipt: bool,
    /// Those lines of ours that it names.
    pub(super) untaken: BTreeSet<Prefix>,
}

/// Frames that a peer handed over and that are still to be merged into a room.
#[derive(Debug)]
pub(super) struct Unmerged {
    pub(super) from: PeerId,
    pub(super) room: RoomId,
    pub(super) frames: Vec<Vec<u8>>,
    pub(super) due: Instant,
}

/// When a room's gaps are asked about, and whom.
#[derive(Debug, Clone)]
pub(super) struct GapQuestion {
    pub(super) due: Instant,
    /// Those who handed over lines whose predecessors are missing.
    pub(super) handed_over: BTreeSet<PeerId>,
}

/// What a peer was told that we want of one room.
#[derive(Debug)]
struct Wanted {
    names: BTreeSet<Prefix>,
    since: Instant,
}

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Syncs {
    pub(super) asking: BTreeMap<(PeerId, RoomId), Asking>,
    /// How many of them there are of each room.
    under_way: BTreeMap<RoomId, usize>,
    /// Syncs that wait until the peer has said whether it knows the protocol.
    pub(super) unasked: BTreeSet<(PeerId, RoomId)>,
    /// Syncs to come.
    pub(super) repeats: Timers<(PeerId, RoomId)>,
    /// When a room's gaps were, or will be, asked about.
    pub(super) gaps: BTreeMap<RoomId, GapQuestion>,
    pub(super) unmerged: VecDeque<Unmerged>,
    /// What we told a peer that we want of a room, by peer.
    wanted: BTreeMap<PeerId, BTreeMap<RoomId, Wanted>>,
    /// How often questions were put off.
    put_off: BTreeMap<(PeerId, RoomId), u8>,
    /// Rooms about which somebody has answered.
    answered: BTreeSet<RoomId>,
    /// When we last synced with a slow peer, or will.
    pub(super) slow: BTreeMap<PeerId, Instant>,
}

impl Syncs {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.repeats.next().into_iter().chain(self.unmerged_due()).min()
    }

    /// When the next part of what was handed over is due.
    pub(super) fn unmerged_due(&self) -> Option<Instant> {
        self.unmerged.front().map(|next| next.due)
    }

    pub(super) fn is_asking(&self, peer: PeerId, room: &RoomId) -> bool {
        self.asking.contains_key(&(peer, room.clone()))
    }

    /// A question is asked.
    pub(super) fn begin(&mut self, peer: PeerId, room: &RoomId, asking: Asking) {
        if self.asking.insert((peer, room.clone()), asking).is_none() {
            *self.under_way.entry(room.clone()).or_default() += 1;
        }
    }

    /// A question has its answer.
    pub(super) fn end(&mut self, key: &(PeerId, RoomId)) {
        if self.asking.remove(key).is_none() {
            return;
        }
        let left = self.under_way.get_mut(&key.1).map_or(0, |under_way| {
            *under_way -= 1;
            *under_way
        });
        if left == 0 {
            self.under_way.remove(&key.1);
        }
    }

    /// Whether somebody is asked about a room, will be once it has said what it knows, or has answered and not all of
    /// that is merged.
    pub(super) fn is_under_way(&self, room: &RoomId) -> bool {
        self.under_way.contains_key(room)
            || self.unmerged.iter().any(|part| part.room == *room)
            || self.unasked.iter().any(|(_, other)| other == room)
    }

    /// Somebody has answered about a room.
    pub(super) fn heard_of(&mut self, room: &RoomId) {
        if !self.answered.contains(room) {
            self.answered.insert(room.clone());
        }
    }

    /// Whether enough are asked about a room of which nothing is known yet.
    pub(super) fn awaits_first(&self, room: &RoomId) -> bool {
        !self.answered.contains(room) && self.under_way.get(room).is_some_and(|under_way| *under_way >= MAX_FIRST)
    }

    /// Whether some of this is on its way from somebody else.
    pub(super) fn is_coming(&self, peer: &PeerId, room: &RoomId, names: &BTreeSet<Prefix>, now: Instant) -> bool {
        let is_wanted = |wanted: &Wanted| wanted.since + WANTED_ONCE > now && !wanted.names.is_disjoint(names);
        let mut others = self.wanted.iter().filter(|(other, _)| *other != peer);
        !names.is_empty()
            && (others.any(|(_, theirs)| theirs.get(room).is_some_and(is_wanted))
                || self.unmerged.iter().any(|part| part.room == *room && part.from != *peer))
    }

    /// Puts a question off, which its asker repeats. Says whether that may be: nobody is put off for long.
    pub(super) fn put_off(&mut self, peer: PeerId, room: &RoomId) -> bool {
        let key = (peer, room.clone());
        if self.put_off.len() >= MAX_ALL_PUT_OFF && !self.put_off.contains_key(&key) {
            return false;
        }
        let times = self.put_off.entry(key).or_default();
        let may = *times < MAX_PUT_OFF;
        *times += u8::from(may);
        may
    }

    /// Notes what we told a peer that we want. Says whether that is within bounds.
    pub(super) fn want(&mut self, peer: PeerId, room: RoomId, names: BTreeSet<Prefix>, now: Instant) -> bool {
        self.put_off.remove(&(peer, room.clone()));
        let theirs = self.wanted.entry(peer).or_default();
        let others = theirs.iter().filter(|(other, _)| **other != room).map(|(_, wanted)| wanted.names.len());
        let is_within = others.sum::<usize>() + names.len() <= MAX_WANTED;
        if is_within {
            theirs.insert(room, Wanted { names, since: now });
        }
        is_within
    }

    pub(super) fn take_wanted(&mut self, peer: &PeerId, room: &str) -> BTreeSet<Prefix> {
        let Some(theirs) = self.wanted.get_mut(peer) else { return BTreeSet::new() };
        let wanted = theirs.remove(room);
        if theirs.is_empty() {
            self.wanted.remove(peer);
        }
        wanted.map(|wanted| wanted.names).unwrap_or_default()
    }

    /// A peer is gone. Returns the rooms about which it is no longer to be asked.
    pub(super) fn forget(&mut self, peer: &PeerId) -> Vec<RoomId> {
        self.wanted.remove(peer);
        self.put_off.retain(|(other, _), _| other != peer);
        self.slow.remove(peer);
        self.repeats.remove_where(|(other, _)| other == peer);
        self.unasked.extract_if(.., |(other, _)| other == peer).map(|(_, room)| room).collect()
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        use crate::bounded::bounded;
        let wanted = self.wanted.values().map(|theirs| theirs.values().map(|wanted| wanted.names.len()).sum());
        let under_way: usize = self.under_way.values().sum();
        vec![
            bounded("MAX_UNMERGED", self.unmerged.len(), MAX_UNMERGED),
            bounded("MAX_WANTED", wanted.max().unwrap_or_default(), MAX_WANTED),
            bounded("MAX_ALL_PUT_OFF", self.put_off.len(), MAX_ALL_PUT_OFF),
            bounded("the count of questions", under_way.abs_diff(self.asking.len()), 0),
        ]
    }

    #[cfg(feature = "sim")]
    pub(super) fn remembered(&self) -> Vec<crate::bounded::Remembered> {
        vec![
            ("syncs to begin", self.unasked.iter().map(|(peer, _)| *peer).collect()),
            ("syncs to repeat", self.repeats.keys().map(|(peer, _)| *peer).collect()),
            ("frames wanted", self.wanted.keys().copied().collect()),
            ("questions put off", self.put_off.keys().map(|(peer, _)| *peer).collect()),
            ("slow peers", self.slow.keys().copied().collect()),
        ]
    }

    /// This node left a room.
    pub(super) fn left(&mut self, room: &str) {
        self.gaps.remove(room);
        self.answered.remove(room);
    }
}
