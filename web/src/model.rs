//! What the page knows, and the one place where events change it. Pure: time is an argument.

use std::collections::{BTreeMap, VecDeque};

use tincan_shared::{Event, Link, Message, MessageState, PeerId, PeerInfo, RoomInfo, Status, neutralise};
use tincan_wasm::{Host, Origin};

use crate::{lines::Lines, message::speaker, refusals::Refusals};

/// Lines kept for a screen reader to announce.
const MAX_HEARD: usize = 5;
/// Characters of a line that it announces; the whole line stands in the room.
const MAX_HEARD_CHARS: usize = 500;
/// Warnings kept on the screen.
const MAX_WARNINGS: usize = 3;

/// A room on the screen.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) info: RoomInfo,
    pub(crate) lines: Lines,
    /// Lines that arrived while another room was on the screen.
    pub(crate) unread: u32,
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
            heard: VecDeque::new(),
            warnings: Vec::new(),
            refusals: Refusals::default(),
            clock_off_ms: None,
            origin: Origin::Asking,
            stores: true,
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

    /// Lines that arrived in rooms that are not on the screen.
    pub(crate) fn unread(&self) -> u32 {
        self.rooms.iter().map(|room| room.unread).fold(0, u32::saturating_add)
    }

    fn room_mut(&mut self, name: &str) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| room.info.room == name)
    }

    /// Shows a room.
    pub(crate) fn open(&mut self, name: &str) {
        name.clone_into(&mut self.current);
        self.people_revision += 1;
        self.heard.clear();
        if let Some(room) = self.room_mut(name) {
            room.unread = 0;
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
            Event::Room(info) => return self.set_room(info),
            Event::Left { room } => self.left(&room),
            Event::Message(message) => self.message(message, now_ms),
            Event::Sent { waiting_id, message } => {
                if let Some(room) = self.room_mut(&message.room) {
                    room.lines.sent(&waiting_id, message, now_ms);
                }
            }
            Event::Refused { peer, reason } => {
                let hub = self.is_hub(&peer);
                self.refusals.add(peer, hub, &reason, now_ms);
                if hub && self.status.link != Link::Online {
                    self.refusals.turned_away(peer);
                }
            }
            Event::ClockWrong { offset_ms } => self.clock_off_ms = Some(offset_ms),
            Event::Lagged { .. } => return Some(Ask::Everything),
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
    pub(crate) fn set_room(&mut self, info: RoomInfo) -> Option<Ask> {
        self.people_revision += 1;
        if let Some(room) = self.room_mut(&info.room) {
            room.info = info;
            return None;
        }
        let ask = Ask::Lines(info.room.clone());
        self.rooms.push(Room { info, lines: Lines::default(), unread: 0 });
        Some(ask)
    }

    /// Rooms that the node is no longer in go; the others are brought up to date.
    pub(crate) fn set_rooms(&mut self, infos: Vec<RoomInfo>) {
        let gone: Vec<String> = self
            .rooms
            .iter()
            .map(|room| room.info.room.clone())
            .filter(|name| infos.iter().all(|info| info.room != *name))
            .collect();
        for name in gone {
            self.left(&name);
        }
        for info in infos {
            self.set_room(info);
        }
    }

    pub(crate) fn merge_lines(&mut self, name: &str, messages: Vec<Message>, now_ms: u64) {
        if let Some(room) = self.room_mut(name) {
            room.lines.merge(messages, now_ms);
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

    fn left(&mut self, name: &str) {
        self.people_revision += 1;
        self.rooms.retain(|room| room.info.room != name);
        if self.current == name {
            let next = self.rooms.first().map(|room| room.info.room.clone()).unwrap_or_default();
            self.open(&next);
        }
    }

    fn message(&mut self, message: Message, now_ms: u64) {
        let on_screen = message.room == self.current;
        let received = message.state == MessageState::Received;
        let Some(room) = self.room_mut(&message.room) else { return };
        let said = (on_screen && received).then(|| heard(&message, room.info.plain));
        if !room.lines.insert(message, now_ms, true) || !received {
            return;
        }
        let Some(said) = said else {
            room.unread = room.unread.saturating_add(1);
            return;
        };
        self.heard_so_far += 1;
        self.heard.push_back((self.heard_so_far, said));
        if self.heard.len() > MAX_HEARD {
            self.heard.pop_front();
        }
    }
}

/// What a screen reader says of a line.
fn heard(message: &Message, plain_room: bool) -> String {
    let start = message.text.chars().take(MAX_HEARD_CHARS).collect::<String>();
    let more = if start.len() < message.text.len() { "…" } else { "" };
    format!("{}: {}{more}", speaker(message, plain_room), neutralise(&start, true))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::sample::{message, peer};

    fn room(name: &str) -> RoomInfo {
        RoomInfo { room: name.into(), plain: false, foreign: false, members: Vec::new(), total: 0, waiting: 0 }
    }

    #[test]
    fn a_new_room_asks_for_its_lines_once() {
        let mut model = Model::default();
        assert_eq!(model.apply(Event::Room(room("lobby")), 0), Some(Ask::Lines("lobby".into())));
        assert_eq!(model.apply(Event::Room(room("lobby")), 0), None);
        assert_eq!(model.apply(Event::Lagged { missed: 1 }, 0), Some(Ask::Everything));
    }

    #[test]
    fn lines_of_other_rooms_count_as_unread_until_opened() {
        let mut model = Model::default();
        model.apply(Event::Room(room("lobby")), 0);
        model.open("elsewhere");
        for id in ["a", "a", "b"] {
            model.apply(Event::Message(message(id, peer(1), 1, 0)), 0);
        }
        assert_eq!(model.room("lobby").map(|room| room.unread), Some(2));
        assert!(model.heard.is_empty());
        model.open("lobby");
        assert_eq!(model.room("lobby").map(|room| room.unread), Some(0));
        model.apply(Event::Message(message("c", peer(1), 1, 0)), 0);
        assert_eq!(model.heard.back().map(|(_, said)| said.as_str()), Some("ann: c"));
    }

    #[test]
    fn leaving_the_room_on_the_screen_opens_another() {
        let mut model = Model::default();
        model.set_rooms(vec![room("a"), room("b")]);
        model.open("b");
        model.apply(Event::Left { room: "b".into() }, 0);
        assert_eq!(model.current, "a");
        model.set_rooms(Vec::new());
        assert_eq!(model.current, "");
    }

    #[test]
    fn the_next_attempt_is_a_point_in_time() {
        let mut model = Model::default();
        model.apply(Event::Status(Status { link: Link::Offline, hub: false, retry_in_ms: Some(5_000) }), 1_000);
        assert_eq!(model.retry_at_ms, Some(6_000));
        let status = |link| Event::Status(Status { link, hub: false, retry_in_ms: None });
        model.apply(status(Link::Connecting), 6_000);
        assert!(model.cut_off, "an attempt is not yet a connection");
        model.apply(status(Link::Online), 6_000);
        assert!(!model.cut_off);
    }

    #[test]
    fn warnings_are_bounded() {
        let mut model = Model::default();
        for n in 0..10 {
            model.warn(n.to_string());
        }
        assert_eq!(model.warnings.len(), MAX_WARNINGS);
    }
}
