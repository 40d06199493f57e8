use libp2p::{identity::Keypair, swarm::ConnectionId};

use n0_future::time::Instant;

use super::*;
use crate::{
    Config, Event, Saved,
    command::Command,
    core::{Connection, Identified, Input},
    hub::wire,
    room::{
        Now,
        frame::{Body, Draft, sign},
    },
};

const ROOM: &str = "lobby";
const NOW_MS: u64 = 1_700_000_000_000;

/// A node that is in the room, and what it shows.
struct Reader {
    core: Core,
    now: Now,
    connections: usize,
    asked: Vec<PeerId>,
    shown: Vec<u64>,
}

impl Reader {
    fn new() -> Self {
        Self::with(Config::peer())
    }

    fn with(config: Config) -> Self {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let now = Now { instant: Instant::now(), unix_ms: NOW_MS };
        let core = Core::new(config, Keypair::generate_ed25519(), false, &Saved::new(), 7, now);
        let mut reader = Self { core, now, connections: 0, asked: Vec::new(), shown: Vec::new() };
        let (reply, _joined) = tokio::sync::oneshot::channel();
        reader.hear(Input::Command(Command::Join { room: ROOM.to_owned(), plain: false, reply }));
        reader
    }

    fn hear(&mut self, input: Input) {
        for output in self.core.handle(input, self.now) {
            match output {
                Output::Ask { peer, .. } => self.asked.push(peer),
                Output::Emit(Event::Message(message)) => self.shown.push(message.sequence - NOW_MS),
                _ => {}
            }
        }
    }

    /// Dials a hub that carries the room.
    fn connect(&mut self) -> PeerId {
        self.connections += 1;
        let peer = PeerId::random();
        let id = ConnectionId::new_unchecked(self.connections);
        let address = format!("/memory/{}", self.connections).parse().unwrap();
        self.hear(Input::Connected(Connection { peer, id, address, is_dialled: true, dial: None }));
        self.hear(Input::Subscribed { peer, room: ROOM.to_owned() });
        peer
    }

    fn identify(&mut self, peer: PeerId) {
        let protocols = vec![sync::PROTOCOL, wire::PROTOCOL];
        self.hear(Input::Identified {
            peer,
            identity: Identified { protocols, agent: "tincan/test".into(), addresses: vec![] },
        });
    }

    fn identify_member(&mut self, peer: PeerId) {
        let identity = Identified { protocols: vec![sync::PROTOCOL], agent: "tincan/test".into(), addresses: vec![] };
        self.hear(Input::Identified { peer, identity });
    }

    fn answer(&mut self, peer: PeerId, numbers: std::ops::RangeInclusive<u64>) {
        assert!(self.asked.contains(&peer));
        let frames = numbers.map(line).collect();
        self.hear(Input::Answered {
            peer,
            room: ROOM.to_owned(),
            answer: Some(Answer { frames, ..Answer::default() }),
        });
    }

    /// Until all is merged, and before anything is due that waits for longer.
    fn merge_all(&mut self) {
        for _ in 0..20 {
            self.now.instant += Duration::from_millis(2);
            self.hear(Input::Tick);
        }
    }
}

/// Each said a millisecond after the one before, half a minute ago.
fn line(number: u64) -> Vec<u8> {
    let key = Keypair::ed25519_from_bytes([3; 32]).unwrap();
    let body = Body::Message { nick: "a".into(), text: number.to_string() };
    let (sequence, previous) = (NOW_MS + number, if number == 1 { 0 } else { NOW_MS + number - 1 });
    let time_ms = NOW_MS - 30_000 + number;
    sign(&key, &Draft { room: ROOM, sequence, previous, time_ms, body: &body }).unwrap().bytes
}

#[test]
fn an_answer_that_is_merged_in_parts_is_shown_in_order_with_an_earlier_one() {
    let mut reader = Reader::new();
    let hubs = [reader.connect(), reader.connect()];
    hubs.iter().for_each(|hub| reader.identify(*hub));
    reader.answer(hubs[0], 190..=190);
    assert!(reader.shown.is_empty(), "the other hub is still to answer");
    reader.answer(hubs[1], 1..=189);
    reader.merge_all();
    assert_eq!(reader.shown, (1..=190).collect::<Vec<_>>());
}

#[test]
fn a_hub_that_is_yet_to_say_what_it_knows_is_waited_for() {
    let mut reader = Reader::new();
    let hubs = [reader.connect(), reader.connect()];
    reader.identify(hubs[0]);
    reader.answer(hubs[0], 2..=2);
    reader.merge_all();
    assert!(reader.shown.is_empty());
    reader.identify(hubs[1]);
    reader.answer(hubs[1], 1..=1);
    assert_eq!(reader.shown, [1, 2]);
    // Nothing is waited for when it is gone.
    let third = reader.connect();
    reader.hear(Input::Disconnected { peer: third, connection: ConnectionId::new_unchecked(3), left: 0 });
    assert!(reader.core.syncs.unasked.is_empty());
}

/// A peer tells which of these lines it has, or hands them over. What it is answered with, if it is.
fn ask(reader: &mut Reader, peer: PeerId, question: Question) -> Option<Answer> {
    let (reply, mut answer) = tokio::sync::oneshot::channel();
    reader.hear(Input::Asked { peer, question, reply });
    answer.try_recv().ok()
}

#[test]
fn a_frame_is_wanted_of_one_peer_at_a_time_and_nobody_is_put_off_for_long() {
    let mut reader = Reader::with(Config::hub());
    let [slow, quick, late] = std::array::from_fn(|_| reader.connect());
    let lines: Vec<Vec<u8>> = (1..=3).map(line).collect();
    let have: Vec<Vec<u8>> = lines.iter().map(|line| name_of(line).unwrap().prefix().to_vec()).collect();
    let question = Question { room: ROOM.to_owned(), have, ..Question::default() };
    let wants = |answer: Option<Answer>| answer.map(|answer| answer.want.len());
    assert_eq!(wants(ask(&mut reader, slow, question.clone())), Some(3));
    assert_eq!(wants(ask(&mut reader, quick, question.clone())), None, "they are on their way");
    // Who was asked for them hands over nothing.
    reader.now.instant += Duration::from_millis(600);
    assert_eq!(wants(ask(&mut reader, quick, question.clone())), Some(3));
    for _ in 0..2 {
        assert_eq!(wants(ask(&mut reader, late, question.clone())), None);
    }
    assert_eq!(wants(ask(&mut reader, late, question.clone())), Some(3), "it was put off twice");
    let give = Question { room: ROOM.to_owned(), give: lines, ..Question::default() };
    assert_eq!(ask(&mut reader, quick, give), Some(Answer::default()));
    reader.merge_all();
    assert_eq!(wants(ask(&mut reader, slow, question)), Some(0));
}

#[test]
fn a_hub_that_knows_nothing_of_a_room_asks_two_first() {
    let mut reader = Reader::with(Config::hub());
    let peers: Vec<PeerId> = (0..5).map(|_| reader.connect()).collect();
    peers.iter().for_each(|peer| reader.identify_member(*peer));
    let first = reader.asked.clone();
    assert_eq!(first.len(), 2, "{first:?}");
    reader.answer(first[0], 1..=9);
    reader.merge_all();
    reader.now.instant += Duration::from_secs(1);
    reader.hear(Input::Tick);
    let asked: std::collections::BTreeSet<PeerId> = reader.asked.iter().copied().collect();
    assert_eq!(asked, peers.into_iter().collect());
}
