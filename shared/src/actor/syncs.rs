//! Syncs: asking, answering, and taking what was handed over.

use std::{collections::BTreeSet, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{Actor, MESH_FORMS, SLOW_EVERY};
use crate::{
    HostBehaviour,
    access::Action,
    room::{
        frame::{Prefix, claimed_place, name_of},
        sync::{self, Answer, Question},
    },
};

/// How long a line that gossip left out is waited for until others are asked for it: gossip itself asks again at its
/// heartbeat.
const GAP_PATIENCE: Duration = Duration::from_millis(600);
/// A room's gaps are asked about at most this often, whatever its authors number their lines by.
const GAP_EVERY: Duration = Duration::from_secs(1);
/// Frames that may be wanted of one peer, in all its rooms, and have not come yet.
const MAX_WANTED: usize = 8192;
/// Frames that are checked in one turn of the event loop: a page that checks a thousand signatures at once stands still.
const MERGED_AT_ONCE: usize = 128;
/// How long the rest waits, so that others get their turn.
const MERGE_PAUSE: Duration = Duration::from_millis(1);
/// Parts of answers that wait so; beyond it they are merged at once.
const MAX_UNMERGED: usize = 64;

/// A question under way.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Whether one more is to follow.
    again: bool,
    /// Whether it was only to learn whether lines of ours were taken.
    only_receipt: bool,
    /// Those lines of ours that it names.
    untaken: BTreeSet<Prefix>,
}

/// Frames that a peer handed over and that are still to be merged into a room.
pub(super) struct Unmerged {
    from: PeerId,
    room: String,
    frames: Vec<Vec<u8>>,
    due: Instant,
}

impl<B: HostBehaviour> Actor<B> {
    /// Asks for what we lack, one question at a time for each peer and room. Programs that do not know the protocol
    /// are never asked.
    pub(super) fn ask_sync(&mut self, peer: PeerId, name: &str) {
        if self.syncs(&peer) != Some(true) {
            return;
        }
        match self.asking.get_mut(&(peer, name.to_owned())) {
            Some(asking) => asking.again = true,
            None => self.ask_now(peer, name, false),
        }
    }

    fn ask_now(&mut self, peer: PeerId, name: &str, only_receipt: bool) {
        let Some(room) = self.rooms.get(name).filter(|room| !room.is_plain()) else { return };
        let untaken = room.untaken_names().into_iter().collect();
        self.streams.ask(peer, room.question());
        self.asking.insert((peer, name.to_owned()), Asking { again: false, only_receipt, untaken });
    }

    /// Asks those who are there whether they have our last lines, unless they are being asked already.
    pub(super) fn ask_receipts(&mut self, name: &str) {
        for peer in self.receivers(name) {
            if self.syncs(&peer) == Some(true) && !self.asking.contains_key(&(peer, name.to_owned())) {
                self.ask_now(peer, name, true);
            }
        }
    }

    /// Those who take our lines for everybody: hubs that carry the room, or where there is none, members.
    fn receivers(&mut self, name: &str) -> Vec<PeerId> {
        let mut there = self.those_there(name);
        let is_hub = |peer: &PeerId| self.peers.get(peer).is_some_and(|known| known.info.hub);
        if there.first().is_some_and(is_hub) {
            there.retain(is_hub);
        }
        there
    }

    /// A peer has some of our last lines: what waits for that goes on.
    fn lines_taken(&mut self, peer: PeerId, name: &str, has: impl Fn(&Prefix) -> bool) {
        let open = self.rooms.get(name).is_some_and(|room| !room.is_settled());
        if open && self.receivers(name).contains(&peer) {
            self.with_room(name, |room, _, now, out| room.taken(has, now, out));
            self.flush(name);
        }
    }

    /// Asks now, and again when the mesh has formed: what was said in between passed us by.
    pub(super) fn meet(&mut self, peer: PeerId, name: &str) {
        if self.syncs(&peer).is_none() && self.peers.contains_key(&peer) {
            self.unasked.insert((peer, name.to_owned()));
            return;
        }
        self.ask_sync(peer, name);
        let due = self.now().instant + MESH_FORMS;
        self.resyncs.insert((peer, name.to_owned()), due);
    }

    /// A peer has said which protocols it knows: what waited for that is asked now.
    pub(super) fn ask_unasked(&mut self, peer: PeerId) {
        let waited: Vec<_> = self.unasked.extract_if(.., |(other, _)| *other == peer).collect();
        for (peer, name) in waited {
            self.meet(peer, &name);
        }
    }

    pub(super) fn repeat_syncs(&mut self, now: Instant) {
        let due: Vec<_> = self.resyncs.extract_if(.., |_, at| *at <= now).map(|(key, _)| key).collect();
        for (peer, name) in due {
            match self.syncs(&peer) {
                None if self.peers.contains_key(&peer) => drop(self.unasked.insert((peer, name))),
                _ => self.ask_sync(peer, &name),
            }
        }
    }

    /// A slow peer missed messages: asks about the rooms it is in, now and then.
    pub(super) fn sync_with_slow(&mut self, peer: PeerId) {
        let now = self.now().instant;
        if self.slow.get(&peer).is_some_and(|last| now < *last + SLOW_EVERY) {
            return;
        }
        self.slow.insert(peer, now);
        for name in self.rooms.keys().cloned().collect::<Vec<_>>() {
            if self.subscribers(&name).contains(&peer) {
                self.ask_sync(peer, &name);
            }
        }
    }

    /// A line waits for one before it. Gossip may still bring that one; else those who are there are asked for it.
    pub(super) fn mend_gap(&mut self, name: &str) {
        let now = self.now().instant;
        let last = self.gaps.get(name).copied();
        if last.is_some_and(|due| due > now) {
            return;
        }
        let earliest = now + GAP_PATIENCE;
        // Not all who miss a line ask in the same moment.
        let spread = GAP_PATIENCE.mul_f64(rand::random());
        let due = last.map_or(earliest, |last| earliest.max(last + GAP_EVERY)) + spread;
        self.gaps.insert(name.to_owned(), due);
        for peer in self.those_there(name) {
            self.resyncs.entry((peer, name.to_owned())).or_insert(due);
        }
    }

    pub(super) fn answer_sync(&mut self, peer: PeerId, question: Question) -> Answer {
        if !self.peers.contains_key(&peer) {
            // Gone, or about to be: nothing is remembered for it.
            return Answer::default();
        }
        let key = (peer, question.room);
        if !question.give.is_empty() {
            // Only what was asked for: a stranger must not pour frames into the room this way.
            let wanted = self.wanted.remove(&key).unwrap_or_default();
            let is_wanted = |frame: &&Vec<u8>| name_of(frame).is_some_and(|id| wanted.contains(&id.prefix()));
            let given: Vec<Vec<u8>> = question.give.iter().filter(is_wanted).cloned().collect();
            self.merge_in_parts(peer, &key.1, given);
            return Answer::default();
        }
        let theirs = sync::prefixes(&question.have);
        self.lines_taken(peer, &key.1, |line| theirs.contains(line));
        let Some(room) = self.rooms.get(&key.1).filter(|room| !room.is_plain()) else { return Answer::default() };
        let mut answer = sync::answer(room.ring(), &question.have);
        let others = self.wanted.iter().filter(|(known, _)| known.0 == peer && **known != key);
        if others.map(|(_, wanted)| wanted.len()).sum::<usize>() + answer.want.len() > MAX_WANTED {
            answer.want.clear();
        }
        if answer.want.is_empty() {
            self.with_room(&key.1, |room, _, _, _| room.rechecked());
            self.flush(&key.1);
        } else {
            self.wanted.insert(key, sync::prefixes(&answer.want));
        }
        answer
    }

    pub(super) fn synced(&mut self, peer: PeerId, room: String, answer: Option<Answer>) {
        let Asking { again, only_receipt, untaken } = self.asking.remove(&(peer, room.clone())).unwrap_or_default();
        self.counters.syncs_failed += u64::from(answer.is_none());
        if let Some(answer) = answer {
            self.merge_in_parts(peer, &room, answer.frames);
            let want = sync::prefixes(&answer.want);
            self.lines_taken(peer, &room, |line| untaken.contains(line) && !want.contains(line));
            let now = self.now();
            let given = self.rooms.get(&room).and_then(|known| known.give(&answer.want, only_receipt, now));
            if let Some(given) = given {
                self.asking.insert((peer, room), Asking { again, ..Asking::default() });
                self.streams.ask(peer, given);
                return;
            }
        }
        if again && self.peers.contains_key(&peer) {
            self.ask_sync(peer, &room);
        }
    }

    /// Forgets what concerned a peer that is gone.
    pub(super) fn forget_syncs(&mut self, peer: &PeerId) {
        self.wanted.retain(|(other, _), _| other != peer);
        self.slow.remove(peer);
        self.unasked.retain(|(other, _)| other != peer);
    }

    /// Merges the oldest frames now, and the others some at a time in later turns.
    fn merge_in_parts(&mut self, from: PeerId, name: &str, mut frames: Vec<Vec<u8>>) {
        frames.truncate(sync::MAX_FRAMES);
        if frames.len() <= MERGED_AT_ONCE {
            return self.merge(from, name, &frames);
        }
        frames.sort_by_cached_key(|frame| claimed_place(frame));
        let due = self.now().instant;
        for frames in frames.chunks(MERGED_AT_ONCE) {
            if self.unmerged.len() < MAX_UNMERGED {
                let frames = frames.to_vec();
                self.unmerged.push_back(Unmerged { from, room: name.to_owned(), frames, due });
            } else {
                self.merge(from, name, frames);
            }
        }
    }

    /// Merges one part of those that wait, when it is due.
    pub(super) fn merge_next(&mut self, now: Instant) {
        if self.unmerged_due().is_none_or(|due| due > now) {
            return;
        }
        let Some(Unmerged { from, room, frames, .. }) = self.unmerged.pop_front() else { return };
        self.merge(from, &room, &frames);
        let after = self.now().instant + MERGE_PAUSE;
        if let Some(next) = self.unmerged.front_mut() {
            next.due = after;
        }
    }

    /// When the next part is due.
    pub(super) fn unmerged_due(&self) -> Option<Instant> {
        self.unmerged.front().map(|next| next.due)
    }

    fn merge(&mut self, from: PeerId, name: &str, frames: &[Vec<u8>]) {
        let now = self.now().instant;
        if self.access.check(&from, Action::Room, now).is_err() {
            return;
        }
        let listed = self.members.of(name, &self.me).0;
        let merge = |room: &mut crate::room::Room, now, out: &mut Vec<_>| {
            room.merge(frames, |peer| listed.contains(peer), now, out)
        };
        let Some(merged) = self.with_room(name, |room, _, now, out| merge(room, now, out)) else { return };
        if !self.unmerged.iter().any(|part| part.room == name) {
            self.with_room(name, |room, _, _, _| room.rechecked());
            self.flush(name);
        }
        if merged.invalid > 0 {
            self.offence(from, "it handed over frames that do not verify");
        }
        if self.is_hub() {
            // The others here may have synced already: what is news to the hub is news to them.
            for payload in merged.new {
                self.publish(name, payload);
            }
        }
    }
}
