//! What must hold when all has healed, and there was time.

use std::collections::BTreeSet;

use libp2p::PeerId;

use super::{Checks, Line, name};
use crate::{Message, RoomInfo, room::ring::KEPT_AUTHOR_SHARE};

impl Checks {
    /// Everything has healed, and there was time.
    pub(in super::super) fn end(&mut self, nicks: &[Option<String>]) {
        let ends = std::mem::take(&mut self.ends);
        for ((node, room), (_, lines)) in &ends {
            if self.joined.contains_key(&(*node, room.clone())) && !self.twins.contains(node) {
                self.has_all(*node, room, lines);
            }
        }
        for (node, room) in
            self.joined.keys().filter(|(node, _)| !self.twins.contains(node)).cloned().collect::<Vec<_>>()
        {
            let room = room.as_str();
            let Some((info, _)) = ends.get(&(node, room.to_owned())) else {
                self.fail("who joined is in the room", format!("{} in {room}", name(node)));
                continue;
            };
            // Which of two programs with one key is there, nobody can say: a hub hears what a key subscribes to.
            if self.twins_were_in.contains(room) {
                continue;
            }
            if info.waiting > 0 && self.others(node, room) > 0 {
                self.fail(
                    "no line waits while somebody is there",
                    format!("{} in {room}: {}", name(node), info.waiting),
                );
            }
            self.nicks_are_known(node, info, nicks);
            let others = self.others(node, room);
            if info.total as usize != others || info.members.len() != others {
                let how = format!("{} counts {} in {room}, of {others}", name(node), info.total);
                self.fail("members and counts agree", how);
            }
        }
    }

    /// Whoever said a line after all had healed goes by the nick of that line.
    fn nicks_are_known(&mut self, node: usize, info: &RoomInfo, nicks: &[Option<String>]) {
        let lines = self.lines.iter().filter(|line| line.is_promised && line.room == info.room);
        let late = lines.filter(|line| line.published_ms.is_some_and(|at| at >= self.healed_ms));
        let late: BTreeSet<usize> = late.map(|line| line.node).collect();
        let goes_by = |other: usize| info.members.iter().find(|member| member.peer == self.peers[other]);
        let is_heard = |other: &usize| *other != node && !self.denied.contains(&(node, self.peers[*other]));
        for other in late.into_iter().filter(is_heard) {
            let Some(member) = goes_by(other) else { continue };
            if nicks[other].is_some() && member.nick != nicks[other] {
                let how = format!("{} takes {} for {:?}", name(node), name(other), member.nick);
                return self.fail("everybody goes by the last nick", how);
            }
        }
    }

    /// Whether somebody has all lines of a room.
    fn has_all(&mut self, node: usize, room: &str, lines: &[Message]) {
        let has: BTreeSet<(PeerId, &str)> = lines.iter().map(|message| (message.from, message.text.as_str())).collect();
        let is_misdated =
            |line: &Line| self.misdated.contains(&(self.peers[line.node], room.to_owned(), line.text.clone()));
        let missing = self.kept_lines(room).into_iter().filter(|line| line.is_promised && !is_misdated(line));
        let missing = missing.filter(|line| !self.denied.contains(&(node, self.peers[line.node])));
        let missing = missing.filter(|line| !has.contains(&(self.peers[line.node], line.text.as_str())));
        let missing: Vec<&str> = missing.map(|line| line.text.as_str()).collect();
        if !missing.is_empty() {
            let how = format!("{} in {room} lacks {}", name(node), missing.join(", "));
            self.fail("every line reaches everybody", how);
        }
    }

    /// The lines of a room that everybody keeps. Of a full log an author keeps its last ones, up to its share, where all
    /// those fit; if not, it keeps what of them is among the last lines of the room.
    pub(super) fn kept_lines(&self, room: &str) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.lines.iter().filter(|line| line.room == room).collect();
        lines.sort_by_key(|line| line.published_ms.unwrap_or(u64::MAX));
        let Some(before) = lines.len().checked_sub(self.kept) else { return lines };
        let later = |at: usize, author: usize| lines[at..].iter().filter(|line| line.node == author).count();
        let is_within = |at: &usize| later(*at, lines[*at].node) <= self.kept / KEPT_AUTHOR_SHARE;
        let within: Vec<usize> = (0..lines.len()).filter(is_within).collect();
        let from = if within.len() <= self.kept { 0 } else { before };
        within.into_iter().filter(|at| *at >= from).map(|at| lines[at]).collect()
    }

    fn others(&self, node: usize, room: &str) -> usize {
        let there = self.joined.keys().filter(|(_, there)| *there == room).map(|(other, _)| self.peers[*other]);
        there.filter(|peer| *peer != self.peers[node]).collect::<BTreeSet<PeerId>>().len()
    }
}
