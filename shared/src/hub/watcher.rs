//! One peer that asked who is where: what it asked, what it was told, and what it is still to be told.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{listing::Listing, wire::Report};
use crate::{config::MAX_LISTED_MEMBERS, room_id::RoomId};

/// What a watcher was told, or is to know, of one room at one hub.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) listing: Arc<Listing>,
    /// Whether it is a member itself; it is not told so.
    pub(super) is_in: bool,
    /// Whether it uses another program, if it is a member.
    pub(super) is_foreign: bool,
}

impl Told {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.listing, &other.listing) && (self.is_in, self.is_foreign) == (other.is_in, other.is_foreign)
    }

    fn total(&self) -> u32 {
        self.listing.total.saturating_sub(self.is_in.into())
    }

    fn foreign(&self) -> u32 {
        self.listing.foreign.saturating_sub(self.is_foreign.into())
    }

    /// All members up to the bound, above it a sample; the asker left out.
    fn names<'a>(&'a self, asker: &'a PeerId) -> impl Iterator<Item = &'a PeerId> {
        self.listing.names().iter().filter(move |name| !self.is_in || *name != asker).take(MAX_LISTED_MEMBERS)
    }

    pub(super) fn is_empty(&self, asker: &PeerId) -> bool {
        self.total() == 0 && self.names(asker).next().is_none()
    }
}

#[derive(Debug, Default)]
struct Place {
    asked: bool,
    /// Whether it is in `due`.
    is_due: bool,
    told: Vec<Told>,
    /// Where there was no space for more: the hub to go on with.
    resume: Option<PeerId>,
}

/// How a watch differs from the one before.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) more: Vec<RoomId>,
    pub(super) fewer: Vec<RoomId>,
}

/// A peer that asked.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) peer: PeerId,
    pub(super) local_only: bool,
    /// Rooms that it asks about, and those that it was told of and has not been told to be empty.
    places: BTreeMap<RoomId, Place>,
    /// Of the latter, those it no longer asks about. They go first, so that they do not add up.
    leaving: Vec<RoomId>,
    /// Rooms to look at, the one that has waited longest first. A room that changes again keeps its place, and one that
    /// was told goes to the end, so rooms that change all the time do not keep others waiting.
    due: VecDeque<RoomId>,
    is_behind: bool,
    /// While it is behind: since when it has taken no report.
    stalled_since: Option<Instant>,
}

impl Watcher {
    pub(super) fn new(peer: PeerId) -> Self {
        let (places, leaving, due) = (BTreeMap::new(), Vec::new(), VecDeque::new());
        Self { peer, local_only: false, places, leaving, due, is_behind: false, stalled_since: None }
    }

    /// The rooms it asks about.
    pub(super) fn asked(&self) -> impl Iterator<Item = &RoomId> {
        self.places.iter().filter(|(_, place)| place.asked).map(|(room, _)| room)
    }

    /// It asks about these rooms from now on.
    pub(super) fn ask(&mut self, rooms: &BTreeSet<RoomId>, local_only: bool) -> Change {
        let mut change = Change::default();
        for (room, place) in self.places.iter_mut().filter(|(room, place)| place.asked && !rooms.contains(*room)) {
            (place.asked, place.is_due) = (false, false);
            change.fewer.push(room.clone());
        }
        self.leaving.extend(change.fewer.iter().cloned());
        for room in rooms {
            let place = self.places.entry(room.clone()).or_default();
            if !place.asked {
                place.asked = true;
                change.more.push(room.clone());
            }
        }
        self.forget_untold();
        self.due.retain(|room| self.places.get(room).is_some_and(|place| place.is_due));
        let is_other = std::mem::replace(&mut self.local_only, local_only) != local_only;
        for room in if is_other { rooms.iter().collect() } else { change.more.iter().collect::<Vec<_>>() } {
            self.look_at(room);
        }
        change
    }

    /// Rooms of which it was told nothing are left without a word.
    fn forget_untold(&mut self) {
        self.leaving.retain(|room| {
            let Some(place) = self.places.get(room).filter(|place| !place.asked) else { return false };
            if place.told.is_empty() {
                self.places.remove(room);
                return false;
            }
            true
        });
    }

    /// A room that it asks about has changed.
    pub(super) fn look_at(&mut self, room: &str) {
        let Some(place) = self.places.get_mut(room).filter(|place| !place.is_due) else { return };
        place.is_due = true;
        if let Some((room, _)) = self.places.get_key_value(room) {
            self.due.push_back(room.clone());
        }
    }

    /// How many rooms it is still to be told of.
    pub(super) fn lag(&self) -> usize {
        self.leaving.len() + self.due.len()
    }

    /// While it is behind: since when it has taken no report.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        self.stalled_since
    }

    /// Whether it is to be told something and was not before.
    pub(super) fn falls_behind(&mut self) -> bool {
        let falls = !self.is_behind && self.lag() > 0;
        self.is_behind |= falls;
        falls
    }

    /// Builds at most so many reports of how what holds `now` differs from what was told. Says whether that is all.
    pub(super) fn catch_up(
        &mut self,
        now: impl Fn(&Self, &str) -> Vec<Told>,
        most: usize,
        at: Instant,
        reports: &mut Vec<(PeerId, Report)>,
    ) -> bool {
        let before = reports.len();
        let is_all = self.tell_rooms(now, most, reports);
        self.is_behind = !is_all;
        self.stalled_since = match self.stalled_since {
            _ if is_all => None,
            Some(since) if reports.len() == before => Some(since),
            _ => Some(at),
        };
        is_all
    }

    fn tell_rooms(
        &mut self,
        now: impl Fn(&Self, &str) -> Vec<Told>,
        mut left: usize,
        reports: &mut Vec<(PeerId, Report)>,
    ) -> bool {
        while let Some(room) = self.leaving.last().or(self.due.front()).cloned() {
            if left == 0 {
                return false;
            }
            let is_asked = self.places.get(&room).is_some_and(|place| place.asked);
            let now = if is_asked { now(self, &room) } else { Vec::new() };
            let is_told = self.tell(&room, now, &mut left, reports);
            if self.leaving.is_empty() {
                self.due.pop_front();
                if !is_told {
                    // Other rooms come first, so that one in which many hubs' members change keeps none waiting.
                    self.due.push_back(room);
                    return false;
                }
            } else if is_told {
                self.leaving.pop();
            } else {
                return false;
            }
            match self.places.get_mut(&room) {
                Some(place) if is_asked => place.is_due = false,
                _ => drop(self.places.remove(&room)),
            }
        }
        true
    }

    /// Tells of one room. Says whether there was space for all of it.
    fn tell(&mut self, room: &str, now: Vec<Told>, left: &mut usize, reports: &mut Vec<(PeerId, Report)>) -> bool {
        let Some(place) = self.places.get_mut(room) else { return true };
        let of = |all: &[Told], hub: &PeerId| all.iter().position(|told| told.listing.hub == *hub);
        let mut hubs: Vec<PeerId> = place.told.iter().chain(&now).map(|told| told.listing.hub).collect();
        hubs.sort();
        hubs.dedup();
        let first = place.resume.take().map_or(0, |resume| hubs.partition_point(|hub| *hub < resume));
        hubs.rotate_left(first);
        for hub in hubs {
            let (old, new) = (of(&place.told, &hub), of(&now, &hub).map(|at| now[at].clone()));
            let known = old.map(|at| &place.told[at]);
            if known.zip(new.as_ref()).is_some_and(|(old, new)| old.is(new)) {
                continue;
            }
            if let Some(report) = difference(room, hub, known, new.as_ref(), &self.peer) {
                if *left == 0 {
                    place.resume = Some(hub);
                    return false;
                }
                *left -= 1;
                reports.push((self.peer, report));
            }
            old.map(|at| place.told.swap_remove(at));
            place.told.extend(new);
        }
        true
    }
}

/// What has to be said to somebody who was told `old` and is to know `new`; nothing if that is the same to him.
fn difference(room: &str, hub: PeerId, old: Option<&Told>, new: Option<&Told>, asker: &PeerId) -> Option<Report> {
    let names = |told: Option<&Told>| -> BTreeSet<PeerId> {
        told.into_iter().flat_map(|told| told.names(asker)).copied().collect()
    };
    let numbers = |told: Option<&Told>| told.map_or((0, 0), |told| (told.total(), told.foreign()));
    let (was, is) = (names(old), names(new));
    let presences = new_presences(old, new, &was, &is);
    if numbers(old) == numbers(new) && was == is && presences.is_empty() {
        return None;
    }
    let bytes = |names: &BTreeSet<PeerId>, without: &BTreeSet<PeerId>| {
        names.difference(without).map(|peer| peer.to_bytes()).collect()
    };
    let (total, foreign) = numbers(new);
    Some(Report {
        room: room.to_owned(),
        hub: hub.to_bytes(),
        total,
        joined: bytes(&is, &was),
        left: bytes(&was, &is),
        foreign,
        presences,
    })
}

/// What is to be said of those who are listed now (`is`) and of whom it was not told: `was` lists those it knew.
fn new_presences(
    old: Option<&Told>,
    new: Option<&Told>,
    was: &BTreeSet<PeerId>,
    is: &BTreeSet<PeerId>,
) -> Vec<Vec<u8>> {
    let told = |author: &PeerId| {
        let old = old.filter(|_| was.contains(author))?;
        Some(old.listing.presences().get(author)?.sequence)
    };
    let now = new.into_iter().flat_map(|told| told.listing.presences());
    now.filter(|(author, presence)| is.contains(*author) && told(author) != Some(presence.sequence))
        .map(|(_, presence)| presence.bytes.to_vec())
        .collect()
}

#[cfg(test)]
#[path = "watcher_tests.rs"]
mod tests;
