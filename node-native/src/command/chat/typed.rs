//! What a person types: lines, and commands that begin with a slash.

use tincan_shared::{RoomInfo, short_id};

use super::{super::report::person, Chat, Shown, nick_of};
use crate::{Error, names::tidy, output};

/// Every command, with what it does.
const HELP: [(&str, &str); 6] = [
    ("/rooms", "list your rooms"),
    ("/join [--plain] ROOM", "go to a room; --plain for one of another program"),
    ("/leave [ROOM]", "leave a room, and forget its lines"),
    ("/nick NAME", "change your name"),
    ("/who", "list who is in this room"),
    ("/help", "list the commands; Ctrl-D ends"),
];
/// How a line is said that begins with a slash.
const ESCAPE: &str = "a line that begins with two slashes is sent with one";
/// What is said to somebody who left the last room.
const NO_ROOM: &str = "you are in no room; /join one";

/// What a typed line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked<'a> {
    Say(&'a str),
    Rooms,
    Join { room: &'a str, plain: bool },
    Leave(Option<&'a str>),
    Nick(&'a str),
    Who,
    Help,
    Wrong(String),
}

/// The commands, for the tab key; with a space behind those that something follows.
pub(super) fn commands() -> Vec<String> {
    let word = |usage: &str| usage.split_inclusive(' ').next().unwrap_or_default().to_owned();
    HELP.iter().map(|(usage, _)| word(usage)).collect()
}

fn understand(line: &str) -> Asked<'_> {
    let Some(command) = line.strip_prefix('/') else { return Asked::Say(line) };
    if command.starts_with('/') {
        return Asked::Say(command);
    }
    let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let (word, rest) = (word.to_lowercase(), rest.trim());
    let usage = || Asked::Wrong(format!("something is missing or too much; write {}", usage_of(&word)));
    match (word.as_str(), rest) {
        ("rooms", "") => Asked::Rooms,
        ("who", "") => Asked::Who,
        ("help", _) => Asked::Help,
        ("nick", name) if !name.is_empty() => Asked::Nick(name),
        ("leave", "") => Asked::Leave(None),
        ("leave", room) => Asked::Leave(Some(room)),
        ("join", rest) => {
            let plain = rest.split_whitespace().next() == Some("--plain");
            let room = if plain { rest["--plain".len()..].trim() } else { rest };
            if room.is_empty() { usage() } else { Asked::Join { room, plain } }
        }
        ("rooms" | "who" | "nick", _) => usage(),
        _ => Asked::Wrong(format!("/{word} is no command; /help lists them, and {ESCAPE}")),
    }
}

fn usage_of(word: &str) -> &'static str {
    let named = |usage: &&(&str, &str)| usage.0[1..].split(' ').next() == Some(word);
    HELP.iter().find(named).map_or("/help", |(usage, _)| usage)
}

impl Chat {
    /// Does what a typed line asks for. What goes wrong is told and ends nothing.
    pub(super) async fn typed(&mut self, line: &str) -> Result<(), Error> {
        if line.trim().is_empty() {
            return Ok(());
        }
        match self.do_typed(line).await {
            Err(Error::Node(tincan_shared::Error::NotInRoom { .. })) if self.room.is_empty() => {
                output::note(&format!("error: {NO_ROOM}"));
                Ok(())
            }
            Err(Error::Node(error)) if error != tincan_shared::Error::Stopped => {
                output::note(&output::error_line(&error, output::note_surface()));
                Ok(())
            }
            done => done,
        }
    }

    async fn do_typed(&mut self, line: &str) -> Result<(), Error> {
        match understand(line) {
            Asked::Say(text) => drop(self.node.say(self.room.clone(), text).await?),
            Asked::Rooms => self.list_rooms().await?,
            Asked::Join { room, plain } => {
                let room = super::meant(&self.node, room, tidy(room)).await?;
                self.enter(room, plain).await?;
            }
            Asked::Leave(room) => {
                let room = match room {
                    Some(room) => super::meant(&self.node, room, tidy(room)).await?,
                    None => self.room.clone(),
                };
                self.leave(room).await?;
            }
            Asked::Nick(nick) => {
                let nick = tidy(nick);
                self.node.set_nick(nick.clone()).await?;
                tell(&format!("you are {nick} now"));
            }
            Asked::Who => self.list_members().await?,
            Asked::Help => {
                for (usage, what) in HELP {
                    tell(&format!("{usage:<22}{what}"));
                }
                tell(ESCAPE);
            }
            Asked::Wrong(what) => output::note(&output::error_line(&what, output::note_surface())),
        }
        Ok(())
    }

    async fn list_rooms(&self) -> Result<(), Error> {
        for room in self.node.rooms().await? {
            let mark = if room.room == self.room { '*' } else { ' ' };
            tell(&format!("{mark} {}: {}{}", room.room, others(room.total), waiting(room.waiting)));
        }
        for room in self.node.stored_rooms().await? {
            tell(&format!("  {}: not joined{}", room.room, waiting(room.waiting)));
        }
        Ok(())
    }

    async fn list_members(&self) -> Result<(), Error> {
        let rooms = self.node.rooms().await?;
        let Some(room) = rooms.iter().find(|room| room.room == self.room) else {
            return Err(tincan_shared::Error::NotInRoom { room: self.room.clone() }.into());
        };
        let named = Shown::members_of(room).into_iter().map(|(peer, nick)| person(nick_of(nick.as_deref()), &peer));
        tell(&format!(
            "in {}: {}",
            room.room,
            named.chain([self.me().await?]).chain(more(room)).collect::<Vec<_>>().join(", ")
        ));
        Ok(())
    }

    async fn me(&self) -> Result<String, Error> {
        let info = self.node.info().await?;
        Ok(format!("{} (you, {})", info.nick, short_id(&info.peer_id)))
    }

    /// Leaves a room; what waited in it is named, as it is forgotten with it.
    async fn leave(&mut self, room: String) -> Result<(), Error> {
        let waited = self.node.messages(room.clone()).await?;
        self.node.leave(room.clone()).await?;
        for message in waited.iter().filter(|message| message.state == tincan_shared::MessageState::Waiting) {
            tell(&format!("not sent: {}", message.text));
        }
        self.rooms.remove(&room);
        tell(&format!("left {room}"));
        if self.room == room {
            self.room = self.rooms.keys().next().cloned().unwrap_or_default();
            match self.room.as_str() {
                "" => tell(NO_ROOM),
                room => tell(&format!("in room {room}")),
            }
        }
        Ok(())
    }
}

/// An answer to a command.
fn tell(line: &str) {
    output::note(&output::note_surface().line(line));
}

fn others(total: u32) -> String {
    match total {
        0 => "nobody else".to_owned(),
        1 => "1 other".to_owned(),
        n => format!("{n} others"),
    }
}

fn waiting(lines: u32) -> String {
    match lines {
        0 => String::new(),
        1 => ", 1 line waits".to_owned(),
        n => format!(", {n} lines wait"),
    }
}

fn more(room: &RoomInfo) -> Option<String> {
    let listed = u32::try_from(room.members.len()).unwrap_or(u32::MAX);
    room.total.checked_sub(listed).filter(|more| *more > 0).map(|more| format!("and {more} more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_is_a_command_and_two_are_one() {
        for (line, asked) in [
            ("hello /there", Asked::Say("hello /there")),
            ("//etc/hosts", Asked::Say("/etc/hosts")),
            ("/rooms", Asked::Rooms),
            ("/WHO ", Asked::Who),
            ("/join my den ", Asked::Join { room: "my den", plain: false }),
            ("/join --plain universal", Asked::Join { room: "universal", plain: true }),
            ("/join --plainly", Asked::Join { room: "--plainly", plain: false }),
            ("/leave", Asked::Leave(None)),
            ("/leave den", Asked::Leave(Some("den"))),
            ("/nick ann", Asked::Nick("ann")),
        ] {
            assert_eq!(understand(line), asked, "{line}");
        }
        for (line, part) in [("/join", "/join [--plain] ROOM"), ("/nick", "/nick NAME"), ("/etc/hosts", "no command")] {
            let Asked::Wrong(what) = understand(line) else { panic!("{line}") };
            assert!(what.contains(part) && what.contains("; "), "{what}");
        }
    }
}
