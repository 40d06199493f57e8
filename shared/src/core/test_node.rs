//! A core in one room, driven by its inputs, and what came out of it.

use std::time::Duration;

use libp2p::{PeerId, StreamProtocol, identity::Keypair, swarm::ConnectionId};
use n0_future::time::Instant;

use super::{Connection, Core, Identified, Input, Output};
use crate::{
    Config, Event, Saved,
    command::Command,
    hub::wire::{self, FromHub},
    room::{
        Now,
        frame::{Body, Draft, sign},
        sync::{self, Answer, Question},
    },
};

pub(super) const ROOM: &str = "lobby";
pub(super) const NOW_MS: u64 = 1_700_000_000_000;
/// What a hub of ours lists, and what a member does.
pub(super) const HUB: [StreamProtocol; 2] = [sync::PROTOCOL, wire::PROTOCOL];
pub(super) const MEMBER: [StreamProtocol; 1] = [sync::PROTOCOL];

/// A node that is in the room.
pub(super) struct TestNode {
    pub(super) core: Core,
    pub(super) now: Now,
    connections: usize,
    pub(super) events: Vec<Event>,
    /// Who was asked in a sync, in this order.
    pub(super) asked: Vec<PeerId>,
    /// Hub streams that were opened.
    pub(super) opened: Vec<(PeerId, u64)>,
}

impl TestNode {
    pub(super) fn new(config: Config) -> Self {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let now = Now { instant: Instant::now(), unix_ms: NOW_MS };
        let core = Core::new(config, Keypair::generate_ed25519(), false, &Saved::new(), 7, now);
        let (events, asked, opened) = (Vec::new(), Vec::new(), Vec::new());
        let mut node = Self { core, now, connections: 0, events, asked, opened };
        let (reply, _joined) = tokio::sync::oneshot::channel();
        node.hear(Input::Command(Command::Join { room: ROOM.to_owned(), plain: false, reply }));
        node
    }

    pub(super) fn hear(&mut self, input: Input) {
        for output in self.core.handle(input, self.now) {
            match output {
                Output::Ask { peer, .. } => self.asked.push(peer),
                Output::Emit(event) => self.events.push(event),
                Output::OpenHub { hub, serial } => self.opened.push((hub, serial)),
                _ => {}
            }
        }
    }

    /// Numbers of the lines that were shown, in this order.
    pub(super) fn shown(&self) -> Vec<u64> {
        let lines = self.events.iter().filter_map(|event| match event {
            Event::Message(message) => Some(message.sequence - NOW_MS),
            _ => None,
        });
        lines.collect()
    }

    /// Dials somebody at this address who is in the room, or carries it. Returns the connection.
    pub(super) fn dial(&mut self, peer: PeerId, address: &str) -> ConnectionId {
        self.connections += 1;
        let id = ConnectionId::new_unchecked(self.connections);
        let address = address.parse().unwrap();
        self.hear(Input::Connected(Connection { peer, id, address, is_dialled: true, dial: None }));
        self.hear(Input::Subscribed { peer, room: ROOM.to_owned() });
        id
    }

    pub(super) fn identify(&mut self, peer: PeerId, protocols: &[StreamProtocol]) {
        let identity = Identified { protocols: protocols.to_vec(), agent: "tincan/test".into(), addresses: vec![] };
        self.hear(Input::Identified { peer, identity });
    }

    pub(super) fn connect(&mut self, peer: PeerId, address: &str, protocols: &[StreamProtocol]) -> PeerId {
        self.dial(peer, address);
        self.identify(peer, protocols);
        peer
    }

    pub(super) fn member(&mut self) -> PeerId {
        self.connect(PeerId::random(), "/ip4/192.0.2.9/tcp/1", &MEMBER)
    }

    pub(super) fn hub(&mut self, address: &str) -> PeerId {
        self.connect(PeerId::random(), address, &HUB)
    }

    pub(super) fn choose(&mut self, hub: PeerId) {
        self.core.peers.get_mut(&hub).unwrap().chosen = true;
    }

    /// A hub says something on its stream.
    pub(super) fn told(&mut self, hub: PeerId, message: FromHub) {
        let serial = self.opened.iter().rev().find(|(opened, _)| *opened == hub).unwrap().1;
        self.hear(Input::HubOpened { hub, serial });
        self.hear(Input::FromHub { hub, serial, message });
    }

    /// Somebody answers a sync with these frames.
    pub(super) fn answer(&mut self, peer: PeerId, frames: Vec<Vec<u8>>) {
        let answer = Some(Answer { frames, ..Answer::default() });
        self.hear(Input::Answered { peer, room: ROOM.to_owned(), answer });
    }

    /// A peer tells which lines it has, or hands them over. What it is answered with, if it is.
    pub(super) fn ask(&mut self, peer: PeerId, question: Question) -> Option<Answer> {
        let (reply, mut answer) = tokio::sync::oneshot::channel();
        self.hear(Input::Asked { peer, question, reply });
        answer.try_recv().ok()
    }

    /// Until all is merged, and before anything is due that waits for longer.
    pub(super) fn merge_all(&mut self) {
        for _ in 0..20 {
            self.pass(Duration::from_millis(2));
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.hear(Input::Tick);
    }
}

/// A line with this number, said so long ago. The first one names none before it.
pub(super) fn line(author: &Keypair, number: u64, ago: Duration) -> Vec<u8> {
    let body = Body::Message { nick: "a".into(), text: number.to_string() };
    let (sequence, previous) = (NOW_MS + number, if number == 1 { 0 } else { NOW_MS + number - 1 });
    let time_ms = NOW_MS - ago.as_millis() as u64;
    sign(author, &Draft { room: ROOM, sequence, previous, time_ms, body: &body }).unwrap().bytes
}
