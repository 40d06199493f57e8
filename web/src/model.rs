//! What the page knows, and the one place where events change it. Pure: time is an argument.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tincan_shared::{Event, Link, Message, MessageState, PeerId, PeerInfo, RoomInfo, Status, neutralise};
use tincan_wasm::{Host, Origin};

use crate::{
    lines::{Line, Lines},
    message::speaker,
    muted::Muted,
    reading::{MAX_MARKS, Marks, Reading, write_marks},
    refusals::Refusals,
    unseen_messages::UnseenMessages,
};

/// Lines kept for a screen reader to announce.
const MAX_HEARD: usize = 5;
/// Characters of a line that it announces; the whole line stands in the room.
const MAX_HEARD_CHARS: usize = 500;
/// Warnings kept on the screen.
const MAX_WARNINGS: usize = 3;

/// Two run with one key.
const RUNS_ELSEWHERE: &str = "Your identity also runs somewhere else. Close one of the two: what is said may reach \
                              only one of them.";

/// A room on the screen.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) info: RoomInfo,
    pub(crate) lines: Lines,
    /// How far its lines were read.
    pub(crate) reading: Reading,
}

/// Everything on the screen that comes from the node.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) me: Option<PeerId>,
    pub(crate) nick: String,
    pub(crate) status: Status,
    /// Whether a connection was lost or did not come about: trying again, in contrast to the first time.
    pub(crate) cut_off: bool,
    /// When offline: unix time in milliseconds of the next attempt.
    pub(crate) retry_at_ms: Option<u64>,
    pub(crate) peers: BTreeMap<PeerId, PeerInfo>,
    pub(crate) rooms: Vec<Room>,
    /// The room on the screen; empty when there is none.
    pub(crate) current: String,
    /// Whether the page itself is on the screen, and not behind another tab.
    pub(crate) visible: bool,
    /// How far rooms were read that are not there: an earlier page had them, or they were left.
    pub(crate) marks: Marks,
    /// Whose lines are hidden.
    pub(crate) muted: Arc<Muted>,
    /// The last lines that nobody has seen yet.
    pub(crate) unseen_messages: UnseenMessages,
    /// The last lines of others in the room on the screen, numbered, for the live region.
    pub(crate) heard: VecDeque<(u64, String)>,
    /// What went wrong and stays worth knowing, newest last.
    pub(crate) warnings: Vec<String>,
    pub(crate) refusals: Refusals,
    /// This device's clock minus a hub's in milliseconds, when they are too far apart for lines to pass.
    pub(crate) clock_off_ms: Option<i64>,
    /// The hub behind the page's own address.
    pub(crate) origin: Origin,
    /// Whether what happens is still written to the browser's storage.
    pub(crate) stores: bool,
    /// Another tab changed what Tincan keeps in this browser: the node has stopped.
    pub(crate) outdated: bool,
    /// Whether the browser cleared it while the page was open, and all was stored again.
    pub(crate) cleared: bool,
    /// Another number whenever somebody came, went or changed.
    pub(crate) people_revision: u64,
    heard_so_far: u64,
}

/// What only the node can answer, after an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The lines of one room.
    Lines(String),
    /// Everything: events were missed.
    Everything,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            me: None,
            nick: String::new(),
            status: Status { link: Link::Connecting, hub: false, retry_in_ms: None },
            cut_off: false,
            retry_at_ms: None,
            peers: BTreeMap::new(),
            rooms: Vec::new(),
            current: String::new(),
            visible: true,
            marks: Marks::new(),
            muted: Arc::default(),
            unseen_messages: UnseenMessages::default(),
            heard: VecDeque::new(),
            warnings: Vec::new(),
            refusals: Refusals::default(),
            clock_off_ms: None,
            origin: Origin::Asking,
            stores: true,
            outdated: false,
            cleared: false,
            people_revision: 0,
            heard_so_far: 0,
        }
    }
}

impl Model {
    pub(crate) fn room(&self, name: &str) -> Option<&Room> {
        self.rooms.iter().find(|room| room.info.room == name)
    }

    pub(crate) fn current_room(&self) -> Option<&Room> {
        self.room(&self.current)
    }

    /// Members that hubs count without naming them, in the largest room: those of others may be the same.
    pub(crate) fn unlisted(&self) -> usize {
        let beyond = |room: &Room| (room.info.total as usize).saturating_sub(room.info.members.len());
        self.rooms.iter().map(beyond).max().unwrap_or(0)
    }

    /// Whether the room on the screen is another program's.
    pub(crate) fn is_plain(&self) -> bool {
        self.current_room().is_some_and(|room| room.info.plain)
    }

    /// Lines that arrived while nobody looked: in other rooms, or while the page was hidden.
    pub(crate) fn unread(&self) -> u32 {
        self.rooms.iter().map(|room| room.reading.unread()).fold(0, u32::saturating_add)
    }

    /// The key of the line above which "new since you were here" stands, among those that are `shown`.
    pub(crate) fn first_new(&self, shown: impl Fn(&Line) -> bool) -> Option<u64> {
        self.current_room().and_then(|room| room.reading.first_new(&room.lines, shown))
    }

    fn room_mut(&mut self, name: &str) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| room.info.room == name)
    }

    /// Shows a room.
    pub(crate) fn open(&mut self, name: &str, now_ms: u64) {
        if name != self.current {
            self.look_away(now_ms);
        }
        name.clone_into(&mut self.current);
        self.people_revision += 1;
        self.heard.clear();
        self.look();
    }

    /// The page came to the screen, or went behind another tab.
    pub(crate) fn set_visible(&mut self, visible: bool, now_ms: u64) {
        if visible == self.visible {
            return;
        }
        if !visible {
            self.look_away(now_ms);
        }
        self.visible = visible;
        self.look();
    }

    /// How far each room is read, to be kept for the next page.
    pub(crate) fn written_marks(&mut self, now_ms: u64) -> String {
        let (visible, current) = (self.visible, self.current.clone());
        for room in self.rooms.iter_mut().filter(|room| visible && room.info.room == current) {
            room.reading.saw(&room.lines, now_ms);
        }
        let marks = self.rooms.iter().filter_map(|room| Some((room.info.room.as_str(), room.reading.mark()?)));
        write_marks(marks.chain(self.marks.iter().map(|(room, mark)| (room.as_str(), mark))))
    }

    fn look(&mut self) {
        if self.visible
            && let Some(at) = self.rooms.iter().position(|room| room.info.room == self.current)
        {
            self.rooms[at].reading.look();
        }
    }

    fn look_away(&mut self, now_ms: u64) {
        if self.visible
            && let Some(at) = self.rooms.iter().position(|room| room.info.room == self.current)
        {
            let Room { reading, lines, .. } = &mut self.rooms[at];
            reading.look_away(lines, now_ms);
        }
    }

    /// Takes in one event. Whatever is on the screen changes here and in the `set_*` and `merge_*` below only.
    pub(crate) fn apply(&mut self, event: Event, now_ms: u64) -> Option<Ask> {
        match event {
            Event::Status(status) => self.set_status(status, now_ms),
            Event::PeerUp(info) | Event::PeerChanged(info) => {
                if self.status.link != Link::Online && !self.peers.contains_key(&info.peer) {
                    self.refusals.reached(info.peer, now_ms);
                }
                self.people_revision += 1;
                self.peers.insert(info.peer, info);
            }
            Event::PeerDown { peer } => {
                self.people_revision += 1;
                self.peers.remove(&peer);
            }
            Event::Pong { peer, rtt_us } => {
                if let Some(info) = self.peers.get_mut(&peer) {
                    self.people_revision += 1;
                    info.rtt_us = Some(rtt_us);
                }
            }
            Event::Room(info) => return self.set_room(info, now_ms),
            Event::Left { room } => self.left(&room, now_ms),
            Event::Message(message) => self.message(message, now_ms),
            Event::Sent { waiting_id, message } => {
                if let Some(room) = self.room_mut(&message.room) {
                    room.lines.sent(&waiting_id, message, now_ms);
                }
            }
            Event::Refused { peer, reason, closes } => {
                let hub = self.is_hub(&peer);
                self.refusals.add(peer, hub, &reason, closes, now_ms);
                if closes && hub && self.status.link != Link::Online {
                    self.refusals.turned_away(peer);
                }
            }
            Event::RunsElsewhere => self.warn(RUNS_ELSEWHERE.into()),
            Event::ClockWrong { offset_ms } => self.clock_off_ms = Some(offset_ms),
            Event::ClockRight => self.clock_off_ms = None,
            Event::Lagged { .. } => return Some(Ask::Everything),
            // That is said where the connection is.
            Event::Stopped if self.outdated => {}
            Event::Stopped => self.warn("The node has stopped. Reload the page to start it again.".into()),
            _ => {}
        }
        None
    }

    pub(crate) fn set_status(&mut self, status: Status, now_ms: u64) {
        self.status = status;
        match status.link {
            // Without a next attempt there was none yet: nobody knows whom to dial.
            Link::Offline if status.retry_in_ms.is_some() => self.cut_off = true,
            Link::Offline => {}
            Link::Online => self.cut_off = false,
            Link::Connecting => {}
        }
        self.retry_at_ms = status.retry_in_ms.map(|wait| now_ms.saturating_add(wait));
        if !status.hub {
            // The next hub compares clocks anew.
            self.clock_off_ms = None;
        }
        let mut refusals = std::mem::take(&mut self.refusals);
        refusals.follow(status.link, now_ms, |peer| self.is_hub(peer));
        self.refusals = refusals;
    }

    /// What the page learned that is not the node's to tell.
    pub(crate) fn set_host(&mut self, host: Host) {
        (self.origin, self.stores) = (host.origin, host.stores);
        (self.cleared, self.outdated) = (host.cleared, host.outdated);
    }

    fn is_hub(&self, peer: &PeerId) -> bool {
        let known = self.peers.get(peer).is_some_and(|info| info.hub);
        let own = matches!(&self.origin, Origin::Answers { hub, .. } if hub == peer);
        known || own || self.refusals.iter().any(|refusal| refusal.peer == *peer && refusal.hub)
    }

    pub(crate) fn set_peers(&mut self, peers: Vec<PeerInfo>) {
        self.people_revision += 1;
        self.peers = peers.into_iter().map(|info| (info.peer, info)).collect();
    }

    /// A room was joined or changed. The lines of a new one are still to be asked for.
    pub(crate) fn set_room(&mut self, info: RoomInfo, now_ms: u64) -> Option<Ask> {
        self.people_revision += 1;
        if let Some(room) = self.room_mut(&info.room) {
            room.info = info;
            return None;
        }
        let ask = Ask::Lines(info.room.clone());
        let reading = Reading::begin(self.marks.remove(&info.room), now_ms);
        self.rooms.push(Room { info, lines: Lines::default(), reading });
        Some(ask)
    }

    /// Rooms that the node is no longer in go; the others are brought up to date.
    pub(crate) fn set_rooms(&mut self, infos: Vec<RoomInfo>, now_ms: u64) {
        let gone: Vec<String> = self
            .rooms
            .iter()
            .map(|room| room.info.room.clone())
            .filter(|name| infos.iter().all(|info| info.room != *name))
            .collect();
        for name in gone {
            self.left(&name, now_ms);
        }
        for info in infos {
            self.set_room(info, now_ms);
        }
    }

    pub(crate) fn merge_lines(&mut self, name: &str, messages: Vec<Message>, now_ms: u64) {
        let looking = self.visible && name == self.current;
        let Some(at) = self.rooms.iter().position(|room| room.info.room == name) else { return };
        let Room { lines, reading, .. } = &mut self.rooms[at];
        for key in lines.merge(messages, now_ms) {
            let others =
                |message: &Message| message.state == MessageState::Received && !self.muted.contains(&message.from);
            if lines.get(key).is_some_and(|line| others(&line.message)) {
                reading.arrived(key, lines, looking, now_ms);
            }
        }
    }

    /// Adds a warning; the oldest makes room, and the same is not said twice.
    pub(crate) fn warn(&mut self, warning: String) {
        self.warnings.retain(|other| *other != warning);
        self.warnings.push(warning);
        if self.warnings.len() > MAX_WARNINGS {
            self.warnings.remove(0);
        }
    }

    fn left(&mut self, name: &str, now_ms: u64) {
        self.people_revision += 1;
        if self.current == name {
            self.look_away(now_ms);
        }
        // Who comes back goes on where they left.
        let mark = self.room(name).and_then(|room| room.reading.mark().cloned());
        self.marks.extend(mark.map(|mark| (name.to_owned(), mark)));
        if self.marks.len() > MAX_MARKS {
            self.marks.pop_first();
        }
        self.rooms.retain(|room| room.info.room != name);
        if self.current == name {
            let next = self.rooms.first().map(|room| room.info.room.clone()).unwrap_or_default();
            self.open(&next, now_ms);
        }
    }

    fn message(&mut self, message: Message, now_ms: u64) {
        let on_screen = message.room == self.current;
        let looking = self.visible && on_screen;
        let to_be_read = message.state == MessageState::Received && !self.muted.contains(&message.from);
        let Some(at) = self.rooms.iter().position(|room| room.info.room == message.room) else { return };
        let Room { info, lines, reading } = &mut self.rooms[at];
        // Most lines are neither for a screen reader nor for a notification.
        let wanted = to_be_read && (on_screen || !self.visible);
        let said = wanted.then(|| (speaker(&message, info.plain), excerpt(&message.text)));
        if !lines.insert(message, now_ms, true) || !to_be_read {
            return;
        }
        let new = reading.arrived(lines.last_key(), lines, looking, now_ms);
        let Some((who, text)) = said else { return };
        if on_screen {
            self.heard_so_far += 1;
            self.heard.push_back((self.heard_so_far, format!("{who}: {text}")));
            if self.heard.len() > MAX_HEARD {
                self.heard.pop_front();
            }
        }
        if new && !self.visible {
            self.unseen_messages.add(&self.rooms[at].info.room, who, text);
        }
    }
}

/// The beginning of a text, as a screen reader says it and a notification shows it.
fn excerpt(text: &str) -> String {
    let start = text.chars().take(MAX_HEARD_CHARS).collect::<String>();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{}{more}", neutralise(&start, true))
}

#[cfg(test)]
mod tests;
