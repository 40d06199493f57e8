mod bridged;
mod elsewhere;
mod nicks;
mod outbox;
mod waiting;

use std::time::Duration;

use libp2p::{PeerId, identity::Keypair};
use n0_future::time::Instant;

use super::*;
use crate::{Event, Limits, Message, MessageState, Said};

struct Person {
    keypair: Keypair,
    room: Room,
    shown: Vec<Message>,
    sent: Vec<Vec<u8>>,
    stored: crate::Saved,
    /// Waiting lines that were told to be sent.
    waited: Vec<String>,
    /// How often it was to be asked whether lines were taken.
    asked: usize,
}

fn reaches(members: u32) -> Reach {
    Reach { members, receipts: true }
}

fn limits() -> Limits {
    crate::Config::peer().limits
}

#[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
fn now() -> Now {
    Now { instant: Instant::now(), unix_ms: 1_700_000_000_000 }
}

fn later(now: Now, by: Duration) -> Now {
    Now { instant: now.instant + by, unix_ms: now.unix_ms + u64::try_from(by.as_millis()).unwrap() }
}

fn identity(keypair: &Keypair) -> Identity<'_> {
    Identity { keypair, nick: "n", bridge: false, relays: &[] }
}

impl Person {
    fn new(seed: u8) -> Self {
        let keypair = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        let room = Room::new("lobby", keypair.public().to_peer_id(), &limits());
        let mut person = Self {
            keypair,
            room,
            shown: Vec::new(),
            sent: Vec::new(),
            stored: crate::Saved::new(),
            waited: Vec::new(),
            asked: 0,
        };
        person.act(|room, _, out| room.join(false, SavedRoom::default(), &limits(), now(), out));
        person
    }

    fn act<T>(&mut self, action: impl FnOnce(&mut Room, Identity<'_>, &mut Vec<RoomOutput>) -> T) -> T {
        let mut out = Vec::new();
        let result = action(&mut self.room, identity(&self.keypair), &mut out);
        for output in out {
            match output {
                RoomOutput::Publish(bytes) => self.sent.push(bytes),
                RoomOutput::Emit(event) => match *event {
                    Event::Message(message) => self.shown.push(message),
                    Event::Sent { message, waiting_id } => {
                        self.waited.push(waiting_id);
                        self.shown.push(message);
                    }
                    _ => {}
                },
                RoomOutput::Store(change) => match change.value {
                    Some(value) => drop(self.stored.insert(change.key, value)),
                    None => drop(self.stored.remove(&change.key)),
                },
                RoomOutput::AskReceipts => self.asked += 1,
                RoomOutput::Changed | RoomOutput::Spoken(_) | RoomOutput::Signed(_) | RoomOutput::Gap(_) => {}
            }
        }
        result
    }

    fn say(&mut self, text: &str, reach: u32, now: Now) -> Said {
        self.act(|room, me, out| room.say(text.into(), reaches(reach), me, now, out)).unwrap()
    }

    fn hear(&mut self, payload: &[u8], now: Now) -> Verdict {
        let source = Keypair::ed25519_from_bytes([99; 32]).unwrap().public().to_peer_id();
        self.act(|room, _, out| room.receive(payload, source, (source, 1), false, now, out))
    }

    fn texts(&self) -> Vec<&str> {
        self.shown.iter().map(|message| message.text.as_str()).collect()
    }
}

#[test]
fn the_same_text_twice_is_two_lines_and_a_replay_is_none() {
    let (mut ann, mut bob) = (Person::new(1), Person::new(2));
    ann.say("hi", 1, now());
    ann.say("hi", 1, now());
    for payload in ann.sent.clone() {
        assert_eq!(bob.hear(&payload, now()), Verdict::Accept);
        assert_eq!(bob.hear(&payload, now()), Verdict::Ignore);
    }
    assert_eq!(bob.texts(), ["hi", "hi"]);
}

#[test]
fn lines_wait_until_somebody_is_there_and_keep_their_order() {
    let mut ann = Person::new(1);
    assert!(matches!(ann.say("one", 0, now()), Said::Queued { .. }));
    assert!(matches!(ann.say("two", 0, now()), Said::Queued { .. }));
    assert!(ann.sent.is_empty());
    // A line said when somebody is there already still goes after those that wait.
    assert!(matches!(ann.say("three", 1, now()), Said::Queued { .. }));
    ann.act(|room, me, out| room.flush(reaches(1), me, now(), out));
    let mut bob = Person::new(2);
    for payload in ann.sent.clone() {
        bob.hear(&payload, now());
    }
    assert_eq!(bob.texts(), ["one", "two", "three"]);
    assert_eq!(ann.room.waiting(), 0);
}

#[test]
fn a_restart_keeps_lines_numbers_and_what_waits() {
    let mut ann = Person::new(1);
    ann.say("kept", 1, now());
    ann.say("waits", 0, now());
    let saved = load(&ann.stored).remove("lobby").unwrap();
    let last = saved.last_line;
    let mut again = Person::new(1);
    again.act(|room, _, out| room.leave(out));
    again.act(|room, _, out| room.join(false, saved, &limits(), now(), out));
    let me = identity(&again.keypair);
    let screen = again.room.messages(me);
    let lines: Vec<_> = screen.iter().map(|m| (m.text.as_str(), m.state)).collect();
    assert_eq!(lines, [("kept", MessageState::Sent), ("waits", MessageState::Waiting)]);
    again.act(|room, _, _| room.rechecked());
    again.act(|room, me, out| room.flush(reaches(1), me, now(), out));
    let frame = frame::verify(again.sent.last().unwrap()).unwrap();
    assert!(frame.sequence > last);
    assert_eq!(frame.previous, last);
}

#[test]
fn forwarding_is_refused_as_the_table_says() {
    let (mut ann, mut bob) = (Person::new(1), Person::new(2));
    ann.say("hi", 1, now());
    let good = ann.sent[0].clone();
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(bob.hear(&forged, now()), Verdict::Reject);
    for (payload, what) in [
        (&[0xff, 2, 0][..], Unread::UnknownVersion),
        (&[0xff, 1, 0, 0xff], Unread::Malformed),
        (&[0xc0, 0x80], Unread::Binary),
        (&[], Unread::LongText),
        (&[b'x'; 4097], Unread::LongText),
    ] {
        assert_eq!(bob.hear(payload, now()), Verdict::Unread(what));
    }
    assert_eq!(bob.hear("grüezi".as_bytes(), now()), Verdict::Accept, "a plain line");
    assert_eq!(bob.hear(&good, later(now(), Duration::from_secs(3601))), Verdict::Ignore, "outside the hour");
    let mut elsewhere = Room::new("attic", bob.room.me, &limits());
    assert_eq!(
        elsewhere.receive(&good, bob.room.me, (bob.room.me, 1), false, now(), &mut Vec::new()),
        Verdict::Reject,
        "another room"
    );
    assert_eq!(bob.shown.iter().filter(|m| m.plain).count(), 1);
}

#[test]
fn two_rings_that_sync_hold_the_same() {
    let (mut ann, mut bob) = (Person::new(1), Person::new(2));
    ann.say("from ann", 1, now());
    bob.say("from bob", 1, now());
    let answer = sync::answer(bob.room.ring(), &sync::prefixes(&ann.room.question().have), true);
    let merged = ann.act(|room, _, out| room.merge(&answer.frames, PeerId::random(), |_| true, false, now(), out));
    assert_eq!((merged.new.len(), merged.invalid), (1, 0));
    let given = ann.room.give(&answer.want, false, now()).unwrap();
    bob.act(|room, _, out| room.merge(&given.give, PeerId::random(), |_| true, false, now(), out));
    assert_eq!(ann.texts(), ["from ann", "from bob"]);
    assert_eq!(bob.texts(), ["from bob", "from ann"]);
    let settled = sync::answer(bob.room.ring(), &sync::prefixes(&ann.room.question().have), true);
    assert!(settled.frames.is_empty() && settled.want.is_empty());
}

#[test]
fn two_bridges_bring_a_line_once_and_any_order_is_right() {
    let (mut first, mut second, mut reader) = (Person::new(1), Person::new(2), Person::new(3));
    let line = |text: &str| Elsewhere {
        room: "lobby".into(),
        source: libp2p::PeerId::from_public_key(&Keypair::ed25519_from_bytes([9; 32]).unwrap().public()),
        number: text.as_bytes().to_vec(),
        text: text.into(),
    };
    for bridge in [&mut first, &mut second] {
        for text in ["one", "two"] {
            bridge.act(|room, me, out| room.bring(line(text), me, now(), out));
        }
    }
    assert_eq!(first.shown.len(), 2, "a bridge shows what it brings");
    let frames = [&second.sent[1], &first.sent[0], &second.sent[0], &first.sent[1]];
    for frame in frames {
        reader.hear(frame, now());
    }
    let shown: Vec<_> = reader.shown.iter().map(|message| (message.text.as_str(), message.from)).collect();
    assert_eq!(shown, [("two", second.room.me), ("one", first.room.me)]);
    let source = line("").source.to_base58();
    assert!(reader.shown.iter().all(|message| message.claimed_source.as_ref() == Some(&source)));
    let said = first.say("mine", 1, now());
    assert!(matches!(said, Said::Sent { .. }), "a bridge still speaks for itself, in order");
    let own = first.sent[2].clone();
    reader.hear(&own, now());
    assert_eq!(reader.shown.last().unwrap().text, "mine");
}

#[test]
fn what_others_would_hold_against_a_bridge_is_not_published() {
    let mut bridge = Person::new(1);
    let line = |number: &[u8], text: &str| Elsewhere {
        room: "lobby".into(),
        source: libp2p::PeerId::random(),
        number: number.to_vec(),
        text: text.into(),
    };
    for refused in [line(b"", "no number"), line(&[7; 65], "a long number"), line(b"1", "")] {
        bridge.act(|room, me, out| room.bring(refused, me, now(), out));
    }
    assert!(bridge.sent.is_empty() && bridge.shown.is_empty());
    bridge.act(|room, me, out| room.bring(line(&[7; 64], "fine"), me, now(), out));
    assert_eq!(bridge.sent.len(), 1);
}

#[test]
fn a_line_that_a_bridge_brings_is_the_bridges_whoever_it_names() {
    let (mut ann, mut liar, mut reader) = (Person::new(1), Person::new(2), Person::new(3));
    let forge = |text: &str, number: &[u8], sequence: u64| {
        let body = frame::Body::Bridged { source: ann.room.me.to_bytes(), number: number.to_vec(), text: text.into() };
        let time_ms = now().unix_ms;
        let draft = frame::Draft { room: "lobby", sequence, previous: 0, time_ms, body: &body };
        frame::sign(&liar.keypair, &draft).unwrap().bytes
    };
    let forged = forge("I owe the liar", b"1", u64::MAX);
    let (early, true_words) = (forge("never said", b"2", 1), forge("said", b"2", 2));
    ann.say("one", 1, now());
    liar.say("mine", 1, now());
    for payload in [&forged, &ann.sent[0], &early, &true_words, &liar.sent[0]] {
        assert_eq!(reader.hear(payload, now()), Verdict::Accept);
    }
    ann.say("two", 1, now());
    reader.hear(&ann.sent[1], now());
    let (me, claimed) = (ann.room.me, Some(ann.room.me.to_base58()));
    let of_ann: Vec<_> = reader.shown.iter().filter(|message| message.from == me).map(|m| m.text.as_str()).collect();
    assert_eq!(of_ann, ["one", "two"]);
    let bridged: Vec<_> = reader.shown.iter().filter(|message| message.claimed_source == claimed).collect();
    assert_eq!(bridged.len(), 3, "a false text does not keep the true one away");
    assert!(bridged.iter().all(|message| message.from == liar.room.me && message.sequence == 0));
    assert_eq!(reader.room.nick(&liar.room.me), Some("n"));
}

#[test]
fn a_room_becomes_plain_with_all_that_was_said_and_waits() {
    let (mut ann, mut bob) = (Person::new(1), Person::new(2));
    ann.say("framed", 1, now());
    ann.say("waits", 0, now());
    assert!(ann.act(|room, _, out| room.set_plain(true, out)) && ann.room.is_plain());
    assert!(!ann.act(|room, _, out| room.set_plain(true, out)), "nothing changes");
    ann.act(|room, me, out| room.flush(reaches(1), me, now(), out));
    ann.say("plain", 1, now());
    assert_eq!(ann.sent[1..], [b"waits".to_vec(), b"plain".to_vec()]);
    for payload in &ann.sent {
        bob.hear(payload, now());
    }
    assert_eq!(bob.texts(), ["framed", "waits", "plain"]);
    assert_eq!(ann.texts(), ["framed", "waits", "waits", "plain"]);
    assert!(load(&ann.stored)["lobby"].plain, "also after a restart");
}
