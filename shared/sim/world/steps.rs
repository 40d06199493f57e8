//! The plan's steps.

use tokio::sync::oneshot;

use super::{Happening, World, name, node::other_address_of, plan::Step};
use crate::{
    Error, Message, RoomInfo, Said,
    command::{Command, Reply},
    core::{Core, Input},
    room::load,
};

/// Who comes back after a crash.
pub(super) struct Back {
    pub(super) node: usize,
    pub(super) run: u64,
}

impl World {
    pub(super) fn step(&mut self, step: usize) {
        let step = self.plan.steps[step].1.clone();
        self.note(|| format!("{step:?}"));
        match step {
            Step::Say { node, room, lines } => {
                for _ in 0..lines {
                    self.say(node, room);
                }
            }
            Step::Join { node, room } => self.join(node, room),
            Step::Leave { node, room } => {
                if self
                    .ask(node, |reply| Command::Leave { room: room.to_owned(), reply })
                    .is_some_and(|left| left.is_ok())
                {
                    self.checks.left(node, room);
                }
            }
            Step::Nick { node } => {
                let nick = format!("nick{}", self.now_ms);
                self.ask(node, |reply| Command::SetNick { nick, reply });
            }
            Step::Crash { node, back_after, forgets } => {
                if !self.nodes[node].is_up() {
                    return;
                }
                self.nodes[node].core = None;
                if forgets {
                    self.nodes[node].disk.clear();
                }
                let stored = load(&self.nodes[node].disk);
                self.checks.crashed(node, self.now_ms, self.plan.write_ms, forgets, &stored);
                // Who comes back at once was closed in an orderly way, as a page that is reloaded.
                self.drop_connections(node, back_after > 1000);
                let run = self.nodes[node].run;
                self.after(back_after, Happening::Back(Back { node, run }));
            }
            Step::Freeze { node, for_ms } => {
                let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                self.nodes[node].frozen_until = self.nodes[node].frozen_until.max(until);
                self.at(self.nodes[node].frozen_until, Happening::Thaw { node });
                self.doubt_connections();
            }
            Step::Cut { one, other } => {
                if let Some(connection) = self.network.between(one, other) {
                    self.close(one, connection);
                }
            }
            Step::Name { node, to } => {
                let addresses = vec![other_address_of(to)];
                self.ask(node, |reply| Command::StayConnected { addresses, reply });
            }
            Step::Retry { node } => drop(self.ask(node, |reply| Command::Retry { wanted: true, reply })),
            Step::Lose { from, to, for_ms } => {
                let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                self.network.lossy.insert((from, to), until);
            }
            Step::Partition { apart, for_ms } => {
                if self.network.apart_until <= self.now_ms {
                    let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                    (self.network.apart, self.network.apart_until) = (apart, until);
                    self.doubt_connections();
                }
            }
            Step::Clock { node, off_ms, for_ms } => {
                let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                self.clocks_off[node] += off_ms;
                self.at(until, Happening::ClockBack { node, off_ms });
            }
            Step::Deaf { from, to, for_ms } => {
                let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                self.network.deaf.insert((from, to), until);
                self.doubt_connections();
            }
            Step::Full { node, for_ms } => {
                let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                self.nodes[node].disk_full_until = self.nodes[node].disk_full_until.max(until);
                self.checks.disturbed(node, self.now_ms, until);
            }
            Step::Slow { node, for_ms } => {
                let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                self.nodes[node].disk_slow_until = self.nodes[node].disk_slow_until.max(until);
                self.checks.disturbed(node, self.now_ms, until);
            }
        }
    }

    pub(super) fn back(&mut self, Back { node, run }: Back) {
        if self.nodes[node].run == run {
            self.start(node);
        }
    }

    /// A node runs again: what it stored is there.
    pub(super) fn check_start(&mut self, node: usize) {
        let rooms: Vec<RoomInfo> = self.ask(node, |reply| Command::Rooms { reply }).unwrap_or_default();
        for room in rooms.iter().map(|room| room.room.clone()) {
            let lines = self.lines_of(node, &room);
            let stored = load(&self.nodes[node].disk);
            self.checks.stored_lines_are_there(node, &room, stored.get(&room), &lines);
        }
        self.checks.started(node, &rooms);
    }

    fn lines_of(&mut self, node: usize, room: &str) -> Vec<Message> {
        let room = room.to_owned();
        self.ask(node, |reply| Command::Messages { room, reply }).and_then(Result::ok).unwrap_or_default()
    }

    /// Asks a node for something that it answers at once.
    pub(super) fn ask<T>(&mut self, node: usize, command: impl FnOnce(Reply<T>) -> Command) -> Option<T> {
        if !self.nodes[node].is_up() {
            return None;
        }
        let (reply, mut answer) = oneshot::channel();
        self.handle(node, Input::Command(command(reply)));
        answer.try_recv().ok()
    }

    pub(super) fn join(&mut self, node: usize, room: &'static str) {
        let joined = self.ask(node, |reply| Command::Join { room: room.to_owned(), plain: false, reply });
        if joined.is_some_and(|joined| joined.is_ok()) {
            self.checks.joined(node, room, self.now_ms);
            if self.plan.direct {
                self.agree(node, &room.into());
            }
        }
    }

    fn say(&mut self, node: usize, room: &'static str) {
        let text = self.checks.next_text(node);
        let said: Option<Result<Said, Error>> =
            self.ask(node, |reply| Command::Say { room: room.to_owned(), text: text.clone(), patient: false, reply });
        match said {
            Some(Ok(said)) => {
                self.note(|| format!("{} says {text} in {room}: {said:?}", name(node)));
                self.checks.said_line(node, room, text, self.now_ms);
            }
            Some(Err(Error::NotInRoom { .. } | Error::TooManyWaiting { .. })) | None => {}
            Some(Err(error)) => self.checks.fail("who is in a room may speak", format!("{}: {error}", name(node))),
        }
    }

    /// Asks everybody how things stand once all is healed.
    pub(super) fn check_end(&mut self) {
        for node in 0..self.nodes.len() {
            let rooms: Vec<RoomInfo> = self.ask(node, |reply| Command::Rooms { reply }).unwrap_or_default();
            for room in rooms {
                let lines = self.lines_of(node, &room.room);
                self.checks.stands(node, room, lines);
            }
        }
        let nick = |core: &Core| core.nick().to_owned();
        let nicks: Vec<Option<String>> = self.nodes.iter().map(|node| node.core.as_ref().map(nick)).collect();
        self.checks.end(&nicks);
    }
}
