//! What this node believes of whom, and what it lets whom do.

use libp2p::{gossipsub::MessageId, identity::Keypair, swarm::ConnectionId};
use n0_future::time::Instant;

use super::*;
use crate::{
    Event, Saved,
    command::Command,
    core::{Connection, Identified},
    hub::wire::{self, FromHub, Reason, TWIN},
    room::{
        frame::{Body, Draft, sign},
        sync,
    },
};

const ROOM: &str = "lobby";
const NOW_MS: u64 = 1_700_000_000_000;
/// More than twice what one peer may hand over at once.
const FLOOD: u64 = 8_300;

/// A node that is in the room, and what it did.
struct Node {
    core: Core,
    now: Now,
    connections: usize,
    events: Vec<Event>,
    opened: Vec<(PeerId, u64)>,
}

impl Node {
    fn new(config: Config) -> Self {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let now = Now { instant: Instant::now(), unix_ms: NOW_MS };
        let core = Core::new(config, Keypair::generate_ed25519(), false, &Saved::new(), 7, now);
        let mut node = Self { core, now, connections: 0, events: Vec::new(), opened: Vec::new() };
        let (reply, _joined) = tokio::sync::oneshot::channel();
        node.hear(Input::Command(Command::Join { room: ROOM.to_owned(), plain: false, reply }));
        node
    }

    fn hear(&mut self, input: Input) {
        for output in self.core.handle(input, self.now) {
            match output {
                Output::Emit(event) => self.events.push(event),
                Output::OpenHub { hub, serial } => self.opened.push((hub, serial)),
                _ => {}
            }
        }
    }

    /// Somebody at this address who is in the room, or carries it.
    fn connect(&mut self, peer: PeerId, address: &str, protocols: &[libp2p::StreamProtocol]) -> PeerId {
        self.connections += 1;
        let id = ConnectionId::new_unchecked(self.connections);
        let address = address.parse().unwrap();
        self.hear(Input::Connected(Connection { peer, id, address, is_dialled: true, dial: None }));
        self.hear(Input::Subscribed { peer, room: ROOM.to_owned() });
        let identity = Identified { protocols: protocols.to_vec(), agent: "test".into(), addresses: vec![] };
        self.hear(Input::Identified { peer, identity });
        peer
    }

    fn member(&mut self) -> PeerId {
        self.connect(PeerId::random(), "/ip4/192.0.2.9/tcp/1", &[sync::PROTOCOL])
    }

    fn hub(&mut self, address: &str) -> PeerId {
        self.connect(PeerId::random(), address, &[sync::PROTOCOL, wire::PROTOCOL])
    }

    fn choose(&mut self, hub: PeerId) {
        self.core.peers.get_mut(&hub).unwrap().chosen = true;
    }

    /// A hub says something on its stream.
    fn told(&mut self, hub: PeerId, message: FromHub) {
        let serial = self.opened.iter().rev().find(|(opened, _)| *opened == hub).unwrap().1;
        self.hear(Input::HubOpened { hub, serial });
        self.hear(Input::FromHub { hub, serial, message });
    }
}

fn line(author: &Keypair, number: u64) -> Vec<u8> {
    let body = Body::Message { nick: "n".into(), text: "a flood".into() };
    let (sequence, previous) = (NOW_MS + number, NOW_MS + number - 1);
    sign(author, &Draft { room: ROOM, sequence, previous, time_ms: NOW_MS, body: &body }).unwrap().bytes
}

#[test]
fn a_hub_that_nobody_chose_is_asked_last_and_gives_no_receipts() {
    let mut node = Node::new(Config::peer());
    let strangers: Vec<PeerId> = (0..5).map(|n| node.hub(&format!("/ip4/192.0.2.{n}/tcp/1"))).collect();
    assert!(node.core.receivers(ROOM).is_empty(), "nobody's word counts");
    let member = node.member();
    assert_eq!(node.core.those_there(ROOM)[0], member);
    assert_eq!(node.core.receivers(ROOM), [member]);
    // Of all, the one that would come last by its id.
    let chosen = strangers.into_iter().max().unwrap();
    node.choose(chosen);
    assert_eq!(node.core.those_there(ROOM)[0], chosen);
    assert_eq!(node.core.receivers(ROOM), [chosen]);
}

#[test]
fn only_a_chosen_hub_is_believed_that_the_key_runs_twice() {
    let mut node = Node::new(Config::peer());
    let reason = Some(Reason { code: TWIN.to_owned(), text: "a stranger's words".to_owned() });
    let message = FromHub { reason, ..FromHub::default() };
    let hub = node.hub("/ip4/192.0.2.1/tcp/1");
    let alarms = |node: &Node| node.events.iter().filter(|event| matches!(event, Event::RunsElsewhere)).count();
    let shown = |node: &Node| node.events.iter().filter(|event| matches!(event, Event::Refused { .. })).count();
    node.told(hub, message.clone());
    assert_eq!((alarms(&node), shown(&node)), (0, 0));
    node.choose(hub);
    node.told(hub, message);
    assert_eq!((alarms(&node), shown(&node)), (1, 1));
}

#[test]
fn hubs_of_one_address_that_come_by_themselves_leave_places_for_others() {
    let mut node = Node::new(Config::peer());
    for port in 1..40 {
        node.hub(&format!("/ip4/192.0.2.1/tcp/{port}"));
    }
    let other = node.hub("/ip4/192.0.2.2/tcp/1");
    assert_eq!(node.opened.len(), 3);
    assert_eq!(node.opened[2].0, other);
}

/// Hands this author's lines over by gossip. Returns how many offences were counted.
fn gossip(node: &mut Node, from: PeerId, author: &Keypair) -> u64 {
    for number in 1..=FLOOD {
        node.hear(Input::Gossip(Payload {
            id: MessageId::new(&number.to_be_bytes()),
            room: ROOM.to_owned(),
            from,
            source: Some(from),
            number,
            bytes: line(author, number),
        }));
    }
    assert!(node.core.counters.payloads_over_budget > 0);
    node.core.counters.offences
}

#[test]
fn who_floods_is_blamed_and_who_hands_over_a_flood_is_not() {
    let author = Keypair::generate_ed25519();
    let mut node = Node::new(Config::hub());
    // As a hub does with what a sync brought it.
    let hub = node.hub("/ip4/192.0.2.1/tcp/1");
    assert_eq!(gossip(&mut node, hub, &author), 0);
    let mut node = Node::new(Config::hub());
    let flooder = node.connect(author.public().to_peer_id(), "/ip4/192.0.2.1/tcp/1", &[sync::PROTOCOL]);
    assert!(gossip(&mut node, flooder, &author) > 0);
}

#[test]
fn what_syncs_hand_over_costs_the_same_budget() {
    let author = Keypair::generate_ed25519();
    let mut node = Node::new(Config::hub());
    let peer = node.member();
    for part in 0..FLOOD / 1000 {
        let frames = (1..=1000).map(|number| line(&author, part * 1000 + number)).collect();
        node.hear(Input::Answered {
            peer,
            room: ROOM.to_owned(),
            answer: Some(sync::Answer { frames, ..sync::Answer::default() }),
        });
    }
    assert!(node.core.counters.payloads_over_budget >= FLOOD / 1000 * 1000 - 4_097);
    assert_eq!(node.core.counters.offences, 0);
}
