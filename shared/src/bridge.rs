//! Lines to and from a network without frames: each crosses once, also with several bridges, and never back.
//!
//! Inwards a line becomes a frame that names its origin, so rooms know a second one. Outwards there is no such
//! name: of several bridges the first in the order of peer ids speaks at once, the others wait and keep silent
//! when they hear it. What came in through a bridge never goes out again.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use libp2p::PeerId;
use n0_future::time::Instant;

use crate::{
    config::DEFAULT_NICK,
    neutralise,
    room::frame::{Body, Frame},
};

/// How long each further bridge waits for those before it.
const WAIT_PER_RANK: Duration = Duration::from_millis(700);
/// The longest such wait.
const MAX_WAIT: Duration = Duration::from_secs(3);
/// Bridges that one line waits for.
const MAX_AWAITED: usize = 5;
/// Lines for which nobody else had spoken within [`VAIN_SPAN`], from which on only bridges are waited for that were heard:
/// whoever likes may say that it is a bridge, and would delay every line.
const MAX_VAIN: usize = 4;
/// See [`MAX_VAIN`].
const VAIN_SPAN: Duration = Duration::from_secs(600);
/// Bridges that were heard and are remembered; beyond it who was heard longest ago is forgotten.
const MAX_HEARD_BRIDGES: usize = 64;
/// Lines that wait, and heard ones that are remembered; beyond it the oldest goes at once, or is forgotten.
const MAX_HELD: usize = 1024;
/// Bytes of text in one message of the other network; floodsub's own bound is 2 KiB with its framing.
const MAX_PART_BYTES: usize = 1700;
/// Lines brought in within [`RATE_SPAN`], whoever says them: each costs a signature and travels to everybody.
const MAX_BROUGHT: usize = 200;
/// See [`MAX_BROUGHT`].
const RATE_SPAN: Duration = Duration::from_secs(4);

/// A line on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) room: String,
    /// In parts that the other network can carry.
    pub(crate) parts: Vec<String>,
}

#[derive(Debug)]
struct Held {
    until: Instant,
    author: PeerId,
    /// Bridges that it waits for.
    awaited: Vec<PeerId>,
    /// As its author would say it, being a bridge.
    own: String,
    line: Outgoing,
}

#[derive(Debug)]
struct Heard {
    at: Instant,
    room: String,
    from: PeerId,
    text: String,
}

/// What has to be remembered.
#[derive(Debug, Default)]
pub(crate) struct Bridge {
    held: VecDeque<Held>,
    heard: VecDeque<Heard>,
    brought: VecDeque<Instant>,
    /// Bridges that have spoken, and when last.
    heard_from: BTreeMap<PeerId, Instant>,
    /// When lines were waited for in vain.
    vain: VecDeque<Instant>,
}

impl Bridge {
    #[cfg(feature = "sim")]
    pub(crate) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        vec![
            crate::bounded::bounded("MAX_HELD", self.held.len(), MAX_HELD),
            crate::bounded::bounded("MAX_HELD", self.heard.len(), MAX_HELD),
            crate::bounded::bounded("MAX_BROUGHT", self.brought.len(), MAX_BROUGHT),
        ]
    }

    /// A line was said in a room. `before` are those who say to be bridges that go before this one. What comes back goes
    /// out now.
    pub(crate) fn spoken(&mut self, frame: &Frame, me: &PeerId, before: &[PeerId], now: Instant) -> Vec<Outgoing> {
        let Body::Message { nick, text } = &frame.body else { return Vec::new() };
        let own = parts(text).swap_remove(0);
        // The other network names us as the source: others' lines say whose they are.
        let nick = if nick.is_empty() { DEFAULT_NICK } else { nick };
        let said = if frame.author == *me { text.clone() } else { format!("{}: {text}", neutralise(nick, false)) };
        let line = Outgoing { room: frame.room.clone(), parts: parts(&said) };
        let awaited = self.awaited(before, now);
        let rank = awaited.len();
        if rank == 0 || frame.author == *me {
            return vec![line];
        }
        self.forget_heard(now);
        let wait = MAX_WAIT.min(WAIT_PER_RANK.saturating_mul(u32::try_from(rank).unwrap_or(u32::MAX)));
        let held = Held { until: now + wait, author: frame.author, awaited, own, line };
        if let Some(at) = self.heard.iter().position(|heard| held.is_said_by(&heard.room, &heard.from, &heard.text)) {
            self.heard.remove(at);
            return Vec::new();
        }
        self.held.push_back(held);
        let overflow = self.held.len().saturating_sub(MAX_HELD);
        self.held.drain(..overflow).map(|held| held.line).collect()
    }

    /// Of those who say to be bridges, whom to wait for.
    fn awaited(&mut self, before: &[PeerId], now: Instant) -> Vec<PeerId> {
        self.vain.retain(|at| now.saturating_duration_since(*at) < VAIN_SPAN);
        let believes_all = self.vain.len() < MAX_VAIN;
        let believed = before.iter().filter(|bridge| believes_all || self.heard_from.contains_key(bridge));
        believed.take(MAX_AWAITED).copied().collect()
    }

    /// Another bridge spoke on the other network.
    pub(crate) fn heard(&mut self, room: &str, from: PeerId, text: &str, now: Instant) {
        self.heard_from.insert(from, now);
        if self.heard_from.len() > MAX_HEARD_BRIDGES {
            let first = self.heard_from.iter().min_by_key(|(_, at)| **at).map(|(bridge, _)| *bridge);
            first.and_then(|first| self.heard_from.remove(&first));
        }
        if let Some(at) = self.held.iter().position(|held| held.is_said_by(room, &from, text)) {
            self.held.remove(at);
            return;
        }
        self.forget_heard(now);
        if self.heard.len() >= MAX_HELD {
            self.heard.pop_front();
        }
        self.heard.push_back(Heard { at: now, room: room.to_owned(), from, text: text.to_owned() });
    }

    /// Whether one more line may be brought in.
    pub(crate) fn may_bring(&mut self, now: Instant) -> bool {
        while self.brought.front().is_some_and(|at| now.duration_since(*at) >= RATE_SPAN) {
            self.brought.pop_front();
        }
        let may = self.brought.len() < MAX_BROUGHT;
        if may {
            self.brought.push_back(now);
        }
        may
    }

    /// Lines that no other bridge has said in time.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Outgoing> {
        let (due, held) = std::mem::take(&mut self.held).into_iter().partition(|held| held.until <= now);
        self.held = held;
        let due: VecDeque<Held> = due;
        for held in &due {
            self.vain.push_back(now);
            self.heard_from.retain(|bridge, _| !held.awaited.contains(bridge));
        }
        let surplus = self.vain.len().saturating_sub(MAX_VAIN);
        self.vain.drain(..surplus);
        due.into_iter().map(|held| held.line).collect()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.until).min()
    }

    fn forget_heard(&mut self, now: Instant) {
        self.heard.retain(|heard| now.duration_since(heard.at) < MAX_WAIT);
    }
}

impl Held {
    fn is_said_by(&self, room: &str, from: &PeerId, text: &str) -> bool {
        let expected = if *from == self.author { &self.own } else { &self.line.parts[0] };
        self.line.room == room && expected == text
    }
}

/// Splits a text into numbered parts; a text that fits is its own and only part.
fn parts(text: &str) -> Vec<String> {
    if text.len() <= MAX_PART_BYTES {
        return vec![text.to_owned()];
    }
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let end = (0..=MAX_PART_BYTES.min(rest.len())).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
        let (piece, left) = rest.split_at(end);
        pieces.push(piece);
        rest = left;
    }
    let count = pieces.len();
    pieces.iter().enumerate().map(|(index, piece)| format!("({}/{count}) {piece}", index + 1)).collect()
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::*;
    use crate::room::frame::{Draft, sign};

    fn frame(seed: u8, text: &str) -> Frame {
        let key = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        let body = Body::Message { nick: "ann".into(), text: text.into() };
        sign(&key, &Draft { room: "r", sequence: 1, previous: 0, time_ms: 1, body: &body }).unwrap()
    }

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn the_first_bridge_speaks_at_once_and_says_whose_line_it_is() {
        let (me, now) = (PeerId::random(), now());
        let out = Bridge::default().spoken(&frame(1, "hello"), &me, &[], now);
        assert_eq!(out[0].parts, ["ann: hello"]);
        let own = frame(1, "hello");
        assert_eq!(
            Bridge::default().spoken(&own, &own.author, &[me; 3], now)[0].parts,
            ["hello"],
            "its own it says itself"
        );
    }

    #[test]
    fn the_second_keeps_silent_when_the_first_spoke_before_or_after() {
        let (me, first, now) = (PeerId::random(), PeerId::random(), now());
        let mut bridge = Bridge::default();
        bridge.heard("r", first, "ann: one", now);
        assert!(bridge.spoken(&frame(1, "one"), &me, &[first], now).is_empty());
        assert_eq!(bridge.deadline(), None, "heard before it was held");
        assert!(bridge.spoken(&frame(1, "two"), &me, &[first], now).is_empty());
        bridge.heard("r", first, "ann: two", now);
        assert!(bridge.due(now + MAX_WAIT).is_empty());
        let mut own = frame(1, "three");
        own.author = first;
        bridge.spoken(&own, &me, &[first], now);
        bridge.heard("r", first, "three", now);
        assert_eq!(bridge.deadline(), None, "a bridge says its own lines without its nick");
    }

    #[test]
    fn the_second_speaks_for_a_silent_first_and_each_line_counts_once() {
        let (me, first, now) = (PeerId::random(), PeerId::random(), now());
        let mut bridge = Bridge::default();
        for _ in 0..2 {
            bridge.spoken(&frame(1, "again"), &me, &[first], now);
        }
        bridge.heard("r", first, "ann: again", now);
        assert!(bridge.due(now).is_empty());
        assert_eq!(bridge.due(now + WAIT_PER_RANK).len(), 1);
    }

    #[test]
    fn who_only_says_to_be_a_bridge_delays_few_lines() {
        let (me, real, now) = (PeerId::random(), PeerId::random(), now());
        let mut bridge = Bridge::default();
        for n in 0..MAX_VAIN {
            // Each time others, of which there may be as many as somebody likes.
            let liars: Vec<PeerId> = (0..256).map(|_| PeerId::random()).collect();
            assert!(bridge.spoken(&frame(1, &n.to_string()), &me, &liars, now).is_empty());
            assert_eq!(bridge.due(now + MAX_WAIT).len(), 1);
        }
        let (liar, later) = (PeerId::random(), now + MAX_WAIT);
        assert_eq!(bridge.spoken(&frame(1, "at once"), &me, &[liar, real], later).len(), 1);
        bridge.heard("r", real, "something", later);
        assert!(bridge.spoken(&frame(1, "waits"), &me, &[liar, real], later).is_empty(), "for the real one");
        assert_eq!(bridge.deadline(), Some(later + WAIT_PER_RANK));
        assert_eq!(bridge.due(later + WAIT_PER_RANK).len(), 1);
        assert_eq!(
            bridge.spoken(&frame(1, "gone"), &me, &[real], later).len(),
            1,
            "it has ended, and is not waited for"
        );
        assert!(bridge.spoken(&frame(1, "anew"), &me, &[liar], later + 2 * VAIN_SPAN).is_empty());
    }

    #[test]
    fn what_is_too_long_goes_in_parts_and_floods_are_not_brought_in() {
        let long = "ä".repeat(2000);
        let split = parts(&long);
        assert!(split.iter().all(|part| part.len() <= MAX_PART_BYTES + 16));
        let whole: String = split.iter().map(|part| part.split_once(") ").unwrap().1).collect();
        assert_eq!(whole, long);
        let (mut bridge, now) = (Bridge::default(), now());
        assert_eq!((0..1000).filter(|_| bridge.may_bring(now)).count(), MAX_BROUGHT);
        assert!(bridge.may_bring(now + RATE_SPAN));
    }
}
