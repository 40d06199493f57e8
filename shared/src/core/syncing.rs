//! Syncs are asked, answered and merged.

use std::time::Duration;

use libp2p::PeerId;

use super::{
    Core, Output,
    syncs::{Asking, MAX_UNMERGED, Unmerged},
};
use crate::{
    room::{
        frame::{Prefix, claimed_place, name_of},
        sync::{self, Answer, Question},
    },
    room_id::RoomId,
};

/// After a first sync a second one: until the mesh has formed, which takes two heartbeats of a hub, lines pass by.
const MESH_FORMS: Duration = Duration::from_millis(600);
/// Until somebody has answered about a room that nothing is known of, others wait so long for their question.
const FIRST_ANSWER_WAIT: Duration = Duration::from_millis(300);
/// A slow peer is synced with at most this often.
const SLOW_EVERY: Duration = Duration::from_secs(5);
/// Frames that are checked in one turn of the event loop: a page that checks a thousand signatures at once stands still.
const MERGED_AT_ONCE: usize = 128;
/// How long the rest waits, so that others get their turn.
const MERGE_PAUSE: Duration = Duration::from_millis(1);

impl Core {
    /// A peer is gone.
    pub(super) fn forget_syncs(&mut self, peer: &PeerId) {
        for room in self.syncs.forget(peer) {
            self.tell_syncing(&room);
        }
    }

    /// Tells a room whether syncs are under way: what they bring of somebody new is not shown before the last is over.
    fn tell_syncing(&mut self, room: &RoomId) {
        let is_syncing = self.syncs.is_under_way(room);
        self.with_room(room, |room, _, now, out| room.set_syncing(is_syncing, now, out));
    }

    /// Asks for what we lack, one question at a time for each peer and room. Programs that do not know the protocol
    /// are never asked.
    fn ask_sync(&mut self, peer: PeerId, room: &RoomId) {
        if self.peers.syncs(&peer) != Some(true) {
            return;
        }
        if let Some(asking) = self.syncs.asking.get_mut(&(peer, room.clone())) {
            asking.again = true;
        } else if self.is_hub() && self.syncs.awaits_first(room) {
            // After a hub's restart everybody comes at once, and each would hand over the same.
            let due = self.now.instant + FIRST_ANSWER_WAIT;
            self.syncs.repeats.set_by(&(peer, room.clone()), due);
        } else {
            self.ask_now(peer, room, false);
        }
    }

    fn ask_now(&mut self, peer: PeerId, name: &RoomId, only_receipt: bool) {
        let Some(room) = self.rooms.get(name).filter(|room| !room.is_plain()) else { return };
        let untaken = room.untaken_names().into_iter().collect();
        let question = Question { is_told: self.peers.is_hub(&peer), ..room.question() };
        self.out.push(Output::Ask { peer, question });
        self.syncs.begin(peer, name, Asking { again: false, only_receipt, untaken });
        self.tell_syncing(name);
    }

    /// Asks those who are there whether they have our last lines, unless they are being asked already.
    pub(super) fn ask_receipts(&mut self, room: &RoomId) {
        for peer in self.receivers(room) {
            if self.peers.syncs(&peer) == Some(true) && !self.syncs.is_asking(peer, room) {
                self.ask_now(peer, room, true);
            }
        }
    }

    /// Those whose word counts that they have our lines: chosen hubs that carry the room, or where there is none, members.
    pub(super) fn receivers(&self, room: &str) -> Vec<PeerId> {
        let (mut hubs, mut members) = (self.those_there(room), Vec::new());
        hubs.retain(|peer| {
            if !self.peers.is_hub(peer) {
                members.push(*peer);
            }
            self.peers.is_hub(peer) && self.is_chosen(peer)
        });
        if hubs.is_empty() { members } else { hubs }
    }

    /// A peer has some of our last lines: what waits for that goes on.
    fn lines_taken(&mut self, peer: PeerId, room: &RoomId, has: impl Fn(&Prefix) -> bool) {
        let open = self.rooms.get(room).is_some_and(|room| !room.is_settled());
        if open && self.receivers(room).contains(&peer) {
            self.with_room(room, |room, _, now, out| room.taken(has, now, out));
            self.flush(room);
        }
    }

    /// Asks now, and again when the mesh has formed: what was said in between passed us by.
    pub(super) fn sync_with(&mut self, peer: PeerId, room: &RoomId) {
        if self.peers.syncs(&peer).is_none() && self.peers.is_connected(&peer) {
            self.syncs.unasked.insert((peer, room.clone()));
            return self.tell_syncing(room);
        }
        self.ask_sync(peer, room);
        self.syncs.repeats.set(&(peer, room.clone()), Some(self.now.instant + MESH_FORMS));
    }

    /// A peer has said which protocols it knows: what waited for that is asked now.
    pub(super) fn ask_unasked(&mut self, peer: PeerId) {
        let waited: Vec<_> = self.syncs.unasked.extract_if(.., |(other, _)| *other == peer).collect();
        for (peer, room) in waited {
            self.sync_with(peer, &room);
            self.tell_syncing(&room);
        }
    }

    /// Syncs that are due.
    pub(super) fn ask_again(&mut self) {
        for (peer, room) in self.syncs.repeats.take_due(self.now.instant) {
            match self.peers.syncs(&peer) {
                None if self.peers.is_connected(&peer) => drop(self.syncs.unasked.insert((peer, room))),
                _ => self.ask_sync(peer, &room),
            }
        }
    }

    /// A slow peer missed messages: asks about the rooms it is in, now or soon.
    pub(super) fn sync_with_slow(&mut self, peer: PeerId) {
        let now = self.now.instant;
        let due = match self.syncs.slow.get(&peer).copied() {
            // What is due already is not put off by what it missed since.
            Some(due) if due > now => due,
            Some(last) => now.max(last + SLOW_EVERY),
            None => now,
        };
        self.syncs.slow.insert(peer, due);
        let theirs = self.subscriptions.rooms_of(&peer).filter(|room| self.rooms.contains_key(*room));
        for room in theirs.cloned().collect::<Vec<_>>() {
            self.syncs.repeats.set_by(&(peer, room), due);
        }
    }

    /// Nothing where the question is put off: what its answer would want is on its way from somebody else. The peer asks
    /// again by itself.
    pub(super) fn answer_sync(&mut self, peer: PeerId, question: Question) -> Option<Answer> {
        if !self.peers.is_connected(&peer) {
            // Gone, or about to be: nothing is remembered for it.
            return Some(Answer::default());
        }
        let Some((room, _)) = self.rooms.get_key_value(question.room.as_str()) else {
            return Some(Answer::default());
        };
        let room = room.clone();
        if !question.give.is_empty() {
            // Only what was asked for: a stranger must not pour frames into the room this way.
            let wanted = self.syncs.take_wanted(&peer, &room);
            let is_wanted = |frame: &&Vec<u8>| name_of(frame).is_some_and(|id| wanted.contains(&id.prefix()));
            let given: Vec<Vec<u8>> = question.give.iter().filter(is_wanted).cloned().collect();
            self.merge_in_parts(peer, &room, given);
            return Some(Answer::default());
        }
        let theirs = sync::prefixes(&question.have);
        self.lines_taken(peer, &room, |line| theirs.contains(line));
        let Some(known) = self.rooms.get(&room).filter(|room| !room.is_plain()) else {
            return Some(Answer::default());
        };
        let presences = !(question.is_told && self.is_hub() && self.is_large(&room));
        let mut answer = sync::answer(known.ring(), &theirs, presences);
        let wanted = sync::prefixes(&answer.want);
        if self.syncs.is_coming(&peer, &room, &wanted, self.now.instant) && self.syncs.put_off(peer, &room) {
            return None;
        }
        if wanted.is_empty() {
            self.with_room(&room, |room, _, _, _| room.rechecked());
            self.flush(&room);
        } else if !self.syncs.want(peer, room, wanted, self.now.instant) {
            answer.want.clear();
        }
        Some(answer)
    }

    pub(super) fn synced(&mut self, peer: PeerId, room: &RoomId, answer: Option<Answer>) {
        let key = (peer, room.clone());
        let Asking { again, only_receipt, untaken } = self.syncs.asking.get(&key).cloned().unwrap_or_default();
        self.counters.syncs_failed += u64::from(answer.is_none());
        if let Some(answer) = answer {
            if self.rooms.contains_key(room) {
                self.syncs.heard_of(room);
            }
            self.merge_in_parts(peer, room, answer.frames);
            let want = sync::prefixes(&answer.want);
            self.lines_taken(peer, room, |line| untaken.contains(line) && !want.contains(line));
            let now = self.now;
            let given = self.rooms.get(room).and_then(|known| known.give(&answer.want, only_receipt, now));
            if let Some(question) = given {
                self.syncs.asking.insert(key, Asking { again, ..Asking::default() });
                self.out.push(Output::Ask { peer, question });
                return;
            }
        }
        self.syncs.end(&key);
        self.tell_syncing(room);
        if again && self.peers.is_connected(&peer) {
            self.ask_sync(peer, room);
        }
    }

    /// Merges the oldest frames now, and the others some at a time in later turns.
    fn merge_in_parts(&mut self, from: PeerId, room: &RoomId, mut frames: Vec<Vec<u8>>) {
        frames.truncate(sync::MAX_FRAMES);
        let before = frames.len();
        frames.retain(|frame| self.may_hand_over(&from, room, frame));
        if frames.len() < before {
            self.syncs.repeats.set_by(&(from, room.clone()), self.now.instant + SLOW_EVERY);
        }
        if frames.len() <= MERGED_AT_ONCE {
            return self.merge(from, room, frames);
        }
        frames.sort_by_cached_key(|frame| claimed_place(frame));
        let due = self.now.instant;
        for frames in frames.chunks(MERGED_AT_ONCE) {
            if self.syncs.unmerged.len() < MAX_UNMERGED {
                let frames = frames.to_vec();
                self.syncs.unmerged.push_back(Unmerged { from, room: room.clone(), frames, due });
            } else {
                self.merge(from, room, frames.to_vec());
            }
        }
    }

    /// Merges one part of those that wait, when it is due.
    pub(super) fn merge_next(&mut self) {
        let now = self.now.instant;
        if self.syncs.unmerged_due().is_none_or(|due| due > now) {
            return;
        }
        let Some(Unmerged { from, room, frames, .. }) = self.syncs.unmerged.pop_front() else { return };
        self.merge(from, &room, frames);
        self.tell_syncing(&room);
        if let Some(next) = self.syncs.unmerged.front_mut() {
            next.due = now + MERGE_PAUSE;
        }
    }

    fn merge(&mut self, from: PeerId, room: &RoomId, mut frames: Vec<Vec<u8>>) {
        if self.is_denied(&from) {
            return;
        }
        let denied: Vec<Vec<u8>> = frames.extract_if(.., |frame| self.is_of_denied(frame)).collect();
        self.with_room(room, |room, _, _, _| denied.iter().for_each(|frame| room.pass_over(frame)));
        let is_large = self.is_large(room);
        let Self { rooms, members, me, now, .. } = self;
        let Some(known) = rooms.get_mut(room) else { return };
        let mut outputs = Vec::new();
        let is_listed = |peer: &PeerId| peer != me && members.lists(room, peer);
        let merged = known.merge(&frames, from, is_listed, is_large, *now, &mut outputs);
        self.room_timers.set(room, known.deadline());
        self.pass_on(room, outputs);
        if !self.syncs.unmerged.iter().any(|part| part.room == *room) {
            self.with_room(room, |room, _, _, _| room.rechecked());
            self.flush(room);
        }
        if merged.invalid > 0 {
            self.offence(from, "it handed over frames that do not verify");
        }
        if self.is_hub() {
            // The others here may have synced already: what is news to the hub is news to them.
            for payload in merged.new {
                self.out.push(Output::Publish { room: room.clone(), payload });
            }
        }
    }
}

#[cfg(test)]
#[path = "syncs_tests.rs"]
mod tests;
