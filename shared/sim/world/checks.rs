//! What is promised, and whether it holds as things happen. `at_end.rs`: when all has healed.

mod at_end;

use std::collections::{BTreeMap, BTreeSet};

use libp2p::{PeerId, identity::Keypair};

use super::{Broken, Plan, name, node::KEPT_WHEN_TIGHT};
use crate::{
    Event, Message, MessageState, RoomInfo,
    room::{
        SavedRoom,
        frame::{Body, read_stored},
    },
};

/// How long a line is held back for one before it.
const HOLD_MS: u64 = crate::config::ORDER_HOLD.as_millis() as u64;
/// Of each room so many lines must reach everybody, see [`Checks::kept_lines`]; nodes keep 200.
const KEPT: usize = 150;
/// How long after a trouble of the storage writes that were begun in it may end.
const LATE_WRITES_MS: u64 = 5_000;

/// Lines of an author whose numbers are further apart do not wait for each other: an hour, in milliseconds.
const LONGEST_GAP: u64 = 3_600_000;
/// So often two nodes may end connections of each other by themselves, within [`CUT_OFF_WITHIN_MS`].
const MAX_CUT_OFF: usize = 6;
/// See [`MAX_CUT_OFF`].
const CUT_OFF_WITHIN_MS: u64 = 30_000;
/// Two answers may want the same frame before it has come.
const MAX_GIVEN: usize = 2;

/// A line that somebody said.
#[derive(Debug)]
struct Line {
    node: usize,
    room: &'static str,
    text: String,
    at_ms: u64,
    /// When it was handed to gossip first.
    published_ms: Option<u64>,
    /// Whether it must reach everybody: its author has not left, nor lost it with its memory or storage.
    is_promised: bool,
}

/// What somebody has on the screen of one room, in this run.
#[derive(Debug, Default)]
struct Screen {
    /// Lines by author and text: how often they came as sent.
    sent: BTreeMap<(PeerId, String), usize>,
    /// The last of each author's numbered lines.
    last: BTreeMap<PeerId, u64>,
    /// When each author's lines first came, by number.
    arrived: BTreeMap<(PeerId, u64), u64>,
}

/// Everything that is checked.
#[derive(Debug)]
pub(super) struct Checks {
    pub(super) broken: Option<Broken>,
    peers: Vec<PeerId>,
    lines: Vec<Line>,
    counts: Vec<u64>,
    /// Who is in which room, and since when.
    joined: BTreeMap<(usize, String), u64>,
    screens: BTreeMap<(usize, String), Screen>,
    /// Nodes that share a key: they get only a part of what is said.
    twins: BTreeSet<usize>,
    /// Rooms that a program was in whose key runs twice.
    twins_were_in: BTreeSet<String>,
    pub(super) losses: Vec<usize>,
    pub(super) refusals: Vec<Vec<String>>,
    /// When whose storage was slow or full.
    disturbed: Vec<(usize, u64, u64)>,
    /// Under which number each line was published.
    numbers: BTreeMap<(PeerId, String, String), u64>,
    /// Lines that went out with a wrong time which a hub confirmed: nobody else reads them.
    misdated: BTreeSet<(PeerId, String, String)>,
    /// Waiting lines that were told as sent, of the present runs.
    sent: BTreeSet<(usize, String)>,
    /// Of each room so many lines must reach everybody.
    kept: usize,
    ends: BTreeMap<(usize, String), (RoomInfo, Vec<Message>)>,
    /// Whose lines are promised to nobody.
    unheard: BTreeSet<usize>,
    /// Who denies whom.
    denied: BTreeSet<(usize, PeerId)>,
    /// How often a node handed over to another, in one run of it, what the other cannot read or does not want to.
    given: BTreeMap<(usize, usize, u64, Vec<u8>), usize>,
    /// When one of two nodes ended a connection with the other by itself.
    cut_off: BTreeMap<(usize, usize), Vec<u64>>,
    /// From when on nothing more goes wrong.
    healed_ms: u64,
}

impl Checks {
    pub(super) fn new(keypairs: &[Keypair], plan: &Plan) -> Self {
        let peer = |node: usize| keypairs[node].public().to_peer_id();
        let nodes = || plan.members.iter().enumerate();
        let denied = nodes().flat_map(|(it, member)| member.denies.iter().map(move |other| (it, peer(*other))));
        let twins = plan.members.iter().enumerate().filter_map(|(node, member)| Some([node, member.twin_of?]));
        Self {
            twins: twins.flatten().collect(),
            twins_were_in: BTreeSet::new(),
            losses: vec![0; keypairs.len()],
            refusals: vec![Vec::new(); keypairs.len()],
            broken: None,
            peers: keypairs.iter().map(|key| key.public().to_peer_id()).collect(),
            lines: Vec::new(),
            counts: vec![0; keypairs.len()],
            joined: BTreeMap::new(),
            screens: BTreeMap::new(),
            disturbed: Vec::new(),
            numbers: BTreeMap::new(),
            misdated: BTreeSet::new(),
            sent: BTreeSet::new(),
            kept: if plan.tight { KEPT_WHEN_TIGHT / 2 } else { KEPT },
            ends: BTreeMap::new(),
            unheard: nodes().filter(|(_, member)| member.lie.is_some()).map(|(node, _)| node).collect(),
            denied: denied.collect(),
            given: BTreeMap::new(),
            cut_off: BTreeMap::new(),
            healed_ms: plan.healed_ms,
        }
    }

    /// The first thing that is broken counts.
    pub(super) fn fail(&mut self, promise: &'static str, how: String) {
        self.broken.get_or_insert(Broken { promise, how });
    }

    pub(super) fn said(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn next_text(&mut self, node: usize) -> String {
        self.counts[node] += 1;
        format!("{}.{}", name(node), self.counts[node])
    }

    pub(super) fn said_line(&mut self, node: usize, room: &'static str, text: String, at_ms: u64) {
        // It is published before its caller hears that it was said.
        let key = (self.peers[node], room.to_owned(), text.clone());
        let published_ms = self.numbers.contains_key(&key).then_some(at_ms);
        let is_promised = !self.unheard.contains(&node) && !self.twins.contains(&node);
        self.lines.push(Line { node, room, text, at_ms, published_ms, is_promised });
    }

    pub(super) fn joined(&mut self, node: usize, room: &'static str, at_ms: u64) {
        self.joined.entry((node, room.to_owned())).or_insert(at_ms);
        self.note_twin(node, room);
    }

    fn note_twin(&mut self, node: usize, room: &str) {
        if self.twins.contains(&node) {
            self.twins_were_in.insert(room.to_owned());
        }
    }

    /// What was said there and still waits is forgotten.
    pub(super) fn left(&mut self, node: usize, room: &'static str) {
        self.joined.remove(&(node, room.to_owned()));
        // It may want it anew when it comes back.
        self.given.retain(|(_, to, ..), _| *to != node);
        self.screens.remove(&(node, room.to_owned()));
        self.lines
            .iter_mut()
            .filter(|line| line.node == node && line.room == room)
            .for_each(|line| line.is_promised = false);
    }

    /// A node runs again, and is in these rooms by itself.
    pub(super) fn started(&mut self, node: usize, rooms: &[RoomInfo]) {
        self.screens.retain(|(other, _), _| *other != node);
        self.sent.retain(|(other, _)| *other != node);
        for ((_, room), _) in self.joined.clone().iter().filter(|((other, _), _)| *other == node) {
            if !rooms.iter().any(|info| info.room == *room) {
                self.fail("who joined is in the room", format!("{} in {room} after a restart", name(node)));
            }
        }
        // Leaving may not have outlived a crash either.
        for info in rooms {
            self.joined.entry((node, info.room.clone())).or_insert(0);
            self.note_twin(node, &info.room);
        }
    }

    /// What a node finds in its storage when it starts is there.
    pub(super) fn stored_lines_are_there(
        &mut self,
        node: usize,
        room: &str,
        stored: Option<&SavedRoom>,
        lines: &[Message],
    ) {
        let has = |text: &str| lines.iter().any(|line| line.from == self.peers[node] && line.text == text);
        let lost = stored.into_iter().flat_map(|stored| &stored.waiting).find(|line| !has(&line.text));
        if let Some(lost) = lost {
            let how = format!("{} in {room} has lost {:?}, which waited", name(node), lost.text);
            self.fail("a waiting line is never lost", how);
        }
    }

    /// What was not written before a crash is lost, and with its memory a node forgets all.
    pub(super) fn crashed(
        &mut self,
        node: usize,
        at_ms: u64,
        write_ms: u64,
        forgets: bool,
        stored: &BTreeMap<String, SavedRoom>,
    ) {
        let (me, disturbed) = (self.peers[node], &self.disturbed);
        // What was begun so long ago is written.
        let must_be_written = |since: u64| {
            let is_disturbed = |(it, from, to): &(usize, u64, u64)| {
                *it == node && *from <= since + write_ms && since < *to + LATE_WRITES_MS
            };
            !forgets && since + write_ms < at_ms && !disturbed.iter().any(is_disturbed)
        };
        for line in self.lines.iter_mut().filter(|line| line.node == node) {
            let is_stored = stored.get(line.room).is_some_and(|stored| says(stored, &me, &line.text));
            line.is_promised &= is_stored || must_be_written(line.at_ms);
        }
        self.joined.retain(|(other, room), since| {
            *other != node || !forgets && (stored.contains_key(room) || must_be_written(*since))
        });
    }

    /// What is written meanwhile may take long, or wait.
    pub(super) fn disturbed(&mut self, node: usize, from_ms: u64, to_ms: u64) {
        self.disturbed.push((node, from_ms, to_ms));
    }

    /// A node hands a frame to gossip. `is_misdated`: with a wrong time, which a hub takes for right.
    pub(super) fn published(&mut self, bytes: &[u8], now_ms: u64, is_misdated: bool) {
        let Ok(frame) = read_stored(bytes) else { return };
        let Body::Message { text, .. } = frame.body else { return };
        let line = self.lines.iter_mut().find(|line| line.text == text && line.room == frame.room);
        if let Some(line) = line {
            line.published_ms.get_or_insert(now_ms);
        }
        let key = (frame.author, frame.room, text);
        if is_misdated {
            self.misdated.insert(key.clone());
        }
        let number = self.numbers.entry(key.clone()).or_insert(frame.sequence);
        if *number != frame.sequence {
            self.fail("a waiting line is never sent twice", format!("{:?}, under two numbers", key.2));
        }
    }

    pub(super) fn heard(&mut self, node: usize, event: &Event) {
        // Each room numbers its own.
        if let Event::Sent { message, waiting_id } = event
            && !self.sent.insert((node, format!("{} {waiting_id}", message.room)))
        {
            let how = format!("{} tells of {waiting_id} again", name(node));
            return self.fail("a waiting line is never sent twice", how);
        }
        let message = match event {
            Event::Message(message) | Event::Sent { message, .. } => message,
            Event::Refused { reason, .. } if self.twins.contains(&node) => {
                return self.refusals[node].push(reason.clone());
            }
            Event::RunsElsewhere if self.twins.contains(&node) => return,
            Event::Refused { reason, .. } => {
                return self.fail("no honest peer is refused", format!("{}: {reason}", name(node)));
            }
            Event::RunsElsewhere => return self.fail("a key that runs once is not told to run twice", name(node)),
            _ => return,
        };
        let is_twin = self.peers.iter().enumerate().any(|(it, peer)| *peer == message.from && self.twins.contains(&it));
        if message.state == MessageState::Waiting || is_twin {
            return;
        }
        if self.denied.contains(&(node, message.from)) {
            return self.fail("who is denied is not heard", format!("{} shows {:?}", name(node), message.text));
        }
        let screen = self.screens.entry((node, message.room.clone())).or_default();
        let times = screen.sent.entry((message.from, message.text.clone())).or_default();
        *times += 1;
        if *times > 1 {
            let how = format!("{} shows {:?} {times} times", name(node), message.text);
            return self.fail("no line is shown twice", how);
        }
        let last = screen.last.entry(message.from).or_default();
        let arrived = |number: u64| screen.arrived.get(&(message.from, number)).copied().unwrap_or_default();
        // What does not come in time is given up, and shown when it comes.
        let from = message.sequence.saturating_add(1).min(*last);
        let later = screen.arrived.range((message.from, from)..=(message.from, *last));
        let waited_since = later.map(|(_, at)| *at).min().unwrap_or_default();
        let is_late = arrived(message.sequence) >= waited_since + HOLD_MS;
        // One's own lines of before, which were forgotten, come back as history.
        let is_own = message.from == self.peers[node];
        // Numbers that a wrong clock set so far apart say nothing about what may still come.
        let is_apart = last.saturating_sub(message.sequence) > LONGEST_GAP;
        let is_behind = message.sequence != 0 && message.sequence < *last && !is_late && !is_own && !is_apart;
        *last = message.sequence.max(*last);
        // Of what is not kept by everybody, one node may have the later lines and another the earlier ones.
        if is_behind && self.is_kept(message) {
            let how = format!("{} shows {:?} after a later line of its author", name(node), message.text);
            self.fail("each author's lines are in order", how);
        }
    }

    /// Whether everybody keeps a line.
    fn is_kept(&self, message: &Message) -> bool {
        let mut kept = self.kept_lines(&message.room).into_iter();
        kept.any(|line| self.peers[line.node] == message.from && line.text == message.text)
    }

    /// Frames reach a node.
    pub(super) fn arrived(&mut self, node: usize, frames: &[Vec<u8>], now_ms: u64) {
        for frame in frames.iter().filter_map(|bytes| read_stored(bytes).ok()) {
            let screen = self.screens.entry((node, frame.room)).or_default();
            screen.arrived.entry((frame.author, frame.sequence)).or_insert(now_ms);
        }
    }

    /// Frames were handed over because they were wanted.
    pub(super) fn given(&mut self, from: usize, to: usize, run: u64, frames: &[Vec<u8>]) {
        for bytes in frames {
            let is_unwanted = read_stored(bytes).map_or(true, |frame| self.denied.contains(&(to, frame.author)));
            let times = self.given.entry((from, to, run, bytes.clone())).or_default();
            *times += usize::from(is_unwanted);
            if *times > MAX_GIVEN {
                let how = format!("{} hands it to {} {times} times", name(from), name(to));
                return self.fail("what is of no use is not wanted for ever", how);
            }
        }
    }

    /// A node ends a connection by itself: a second one, or one that does not answer.
    pub(super) fn cut_off(&mut self, node: usize, other: usize, now_ms: u64) {
        let times = self.cut_off.entry((node.min(other), node.max(other))).or_default();
        times.retain(|at| now_ms < at + CUT_OFF_WITHIN_MS);
        times.push(now_ms);
        if times.len() > MAX_CUT_OFF {
            let how = format!("{} and {}, {} times", name(node), name(other), times.len());
            self.fail("nobody is cut off again and again", how);
        }
    }

    /// A node lost a connection.
    pub(super) fn lost(&mut self, node: usize) {
        self.losses[node] += 1;
    }

    /// How a room stands at the end, for one node.
    pub(super) fn stands(&mut self, node: usize, room: RoomInfo, lines: Vec<Message>) {
        self.ends.insert((node, room.room.clone()), (room, lines));
    }
}

/// Whether a stored room has a line of somebody, waiting or sent.
fn says(stored: &SavedRoom, author: &PeerId, text: &str) -> bool {
    let waits = stored.waiting.iter().any(|line| line.text == text);
    waits
        || stored.frames.iter().any(|frame| {
            frame.author == *author && matches!(&frame.body, Body::Message { text: said, .. } if said == text)
        })
}
