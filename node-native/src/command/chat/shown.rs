//! What the screen shows of a room: lines, and who comes and goes.

use std::time::Duration;

use libp2p::PeerId;
use tincan_shared::{Message, MessageState, RoomInfo, config::DEFAULT_NICK, short_name};
use tokio::time::Instant;

use super::{
    super::report::person,
    Chat,
    comings::{Coming, Comings, NICK_WAIT},
};
use crate::{Error, output};

/// Printed lines whose ids are remembered: more than the node keeps of a room.
const REMEMBERED_LINES: usize = 2048;

/// What a person does about it who joined another program's room with frames.
const FOREIGN: &str = "people in this room use another program and see your messages as garbage; \
                       stop, and join with --plain";

/// A room on this screen.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Raw text only.
    pub(super) plain: bool,
    /// Whether it was said that the others there use another program.
    foreign: bool,
    /// Who is there, with their nicks.
    pub(super) members: Vec<(PeerId, Option<String>)>,
    /// Whose coming was said.
    pub(super) comings: Comings,
}

impl Shown {
    pub(super) fn members_of(room: &RoomInfo) -> Vec<(PeerId, Option<String>)> {
        room.members.iter().map(|member| (member.peer, member.nick.clone())).collect()
    }
}

/// Somebody's nick, or what stands for it.
pub(super) fn nick_of(nick: Option<&str>) -> &str {
    nick.unwrap_or(DEFAULT_NICK)
}

impl Chat {
    /// Others' lines are what was asked for; one's own are on the screen already.
    pub(super) fn message(&mut self, message: &Message) -> Result<(), Error> {
        let printed = (message.room.clone(), message.id.clone());
        if self.printed.contains(&printed) {
            return Ok(());
        }
        self.printed.push_back(printed);
        if self.printed.len() > REMEMBERED_LINES {
            self.printed.pop_front();
        }
        let room = self.rooms.get(&message.room);
        match message.state {
            MessageState::Received => output::line(&shown(message, room.is_some_and(|room| room.plain))),
            MessageState::Waiting => {
                let alone = room.is_none_or(|room| room.members.is_empty());
                let why = if alone { "waiting for somebody" } else { "waiting its turn" };
                self.reporter.note(&format!("{why}: {}", message.text));
                Ok(())
            }
            MessageState::Sent => Ok(()),
        }
    }

    /// Says who came and who went, and when they cannot read what is said here.
    pub(super) fn room(&mut self, room: &RoomInfo) {
        let shown = self.rooms.entry(room.room.clone()).or_default();
        shown.members = Shown::members_of(room);
        if room.foreign && !shown.foreign {
            self.reporter.note(FOREIGN);
        }
        shown.foreign = room.foreign;
        self.say_comings();
    }

    /// Says who came and who went, as far as their nicks are known or were waited for.
    pub(super) fn say_comings(&mut self) {
        let is_one = self.rooms.len() == 1;
        for (name, Shown { members, comings, plain, .. }) in &mut self.rooms {
            let place = if is_one { String::new() } else { format!(" in {name}") };
            // A plain room has no nicks.
            let wait = if *plain { Duration::ZERO } else { NICK_WAIT };
            for coming in comings.look(members, wait, Instant::now()) {
                let (what, peer, nick) = match coming {
                    Coming::Joined(peer, nick) => ("joined", peer, nick),
                    Coming::Left(peer, nick) => ("left", peer, nick),
                };
                self.reporter.note(&format!("{what}: {}{place}", person(nick_of(nick.as_deref()), &peer)));
            }
        }
    }

    /// When somebody's nick was waited for long enough.
    pub(super) fn comings_due(&self) -> Option<Instant> {
        self.rooms.values().filter_map(|shown| shown.comings.due()).min()
    }
}

/// A line of somebody else. What a room of raw text does not tell apart is not marked there.
fn shown(message: &Message, plain_room: bool) -> String {
    let nick = match (&message.claimed_source, message.nick.as_str()) {
        // Whose words these are is the bridge's claim; the id after it is the bridge's, which signed them.
        (Some(source), _) => format!("{} via bridge", short_name(source)),
        (None, _) if message.plain && !plain_room => "unsigned".to_owned(),
        (None, "") => DEFAULT_NICK.to_owned(),
        (None, nick) => nick.to_owned(),
    };
    let text = match message.newer {
        true => "(from a newer Tincan)".to_owned(),
        false => output::surface().line(&message.text),
    };
    format!("[{}] {}: {text}", output::surface().line(&message.room), person(&nick, &message.from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(nick: &str, text: &str) -> Message {
        Message {
            room: "lobby".into(),
            id: String::new(),
            from: libp2p::PeerId::random(),
            nick: nick.into(),
            text: text.into(),
            time_ms: 0,
            sequence: 1,
            state: MessageState::Received,
            plain: false,
            newer: false,
            claimed_source: None,
        }
    }

    #[test]
    fn a_message_is_one_harmless_line() {
        let message = message("an\x1bn", "a\nb");
        let id = tincan_shared::short_id(&message.from);
        assert_eq!(shown(&message, false), format!("[lobby] an␛n ({id}): a⏎b"));
        let plain = Message { plain: true, ..message };
        assert_eq!(shown(&plain, false), format!("[lobby] unsigned ({id}): a⏎b"));
        let tab = Message { text: "\u{feff}a\tb".into(), ..plain.clone() };
        assert!(shown(&tab, false).ends_with("a\tb"), "text is shown as it was said");
        let nameless = Message { nick: String::new(), ..plain.clone() };
        assert_eq!(shown(&nameless, true), format!("[lobby] guest ({id}): a⏎b"));
        let bridged = Message { claimed_source: Some("12D3KooWabcdef".into()), plain: false, ..plain };
        assert_eq!(shown(&bridged, false), format!("[lobby] abcdef via bridge ({id}): a⏎b"));
    }
}
