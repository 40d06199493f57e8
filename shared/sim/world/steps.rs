//! The plan's steps.

use tokio::sync::oneshot;

use super::{Happening, World, name, node::other_address_of, plan::Step};
use crate::{
    Error, Message, RoomInfo, Said,
    command::{Command, Reply},
    core::Input,
};

/// Who comes back after a crash.
pub(super) struct Back {
    node: usize,
    run: u64,
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
                self.checks.crashed(node, self.now_ms, self.plan.write_ms, forgets);
                // Who comes back at once was closed in an orderly way, as a page that is reloaded.
                self.drop_connections(node, back_after > 1000);
                let run = self.nodes[node].run;
                self.after(back_after, Happening::Back(Back { node, run }));
            }
            Step::Freeze { node, for_ms } => {
                let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                self.nodes[node].frozen_until = self.nodes[node].frozen_until.max(until);
                self.at(self.nodes[node].frozen_until, Happening::Thaw { node });
            }
            Step::Cut { one, other } => {
                if let Some(connection) = self.network.between(one, other) {
                    self.close(connection);
                }
            }
            Step::Start { node } => self.start(node),
            Step::Name { node, to } => {
                let addresses = vec![other_address_of(to)];
                self.ask(node, |reply| Command::StayConnected { addresses, reply });
            }
            Step::Retry { node } => drop(self.ask(node, |reply| Command::Retry { wanted: true, reply })),
            Step::Deaf { from, to, for_ms } => {
                let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                self.network.deaf.insert((from, to), until);
            }
            Step::Partition { apart, for_ms } => {
                if self.network.apart_until <= self.now_ms {
                    let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                    (self.network.apart, self.network.apart_until) = (apart, until);
                    self.cut_apart();
                }
            }
            Step::Full { node, for_ms } => {
                let until = (self.now_ms + for_ms).min(self.plan.healed_ms);
                self.nodes[node].disk_full_until = until;
                self.checks.full(node, self.now_ms, until);
            }
        }
    }

    pub(super) fn back(&mut self, Back { node, run }: Back) {
        if self.nodes[node].run == run {
            // It knows nothing of the connections that it had.
            self.drop_connections(node, false);
            self.start(node);
        }
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
            Some(Err(Error::NotInRoom { .. })) | None => {}
            Some(Err(error)) => self.checks.fail("who is in a room may speak", format!("{}: {error}", name(node))),
        }
    }

    /// Asks everybody how things stand once all is healed.
    pub(super) fn check_end(&mut self) {
        for node in 0..self.nodes.len() {
            let rooms: Vec<RoomInfo> = self.ask(node, |reply| Command::Rooms { reply }).unwrap_or_default();
            for room in rooms {
                let name = room.room.clone();
                let lines: Vec<Message> = self
                    .ask(node, |reply| Command::Messages { room: name, reply })
                    .and_then(Result::ok)
                    .unwrap_or_default();
                self.checks.stands(node, room, lines);
            }
        }
        self.checks.end();
    }
}
