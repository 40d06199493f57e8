//! What other programs say in rooms that a hub carries: passed on unread, within a budget, never kept or shown.
//!
//! Each payload counts for the peer that signed it, for the peer that handed it over, for its room, and for all rooms
//! together. The last quarter of what a room and all rooms may spend is for those who spent little of their own budget, so
//! loud peers, however many, do not silence calm ones.

use std::{collections::HashMap, hash::Hash, time::Duration};

use libp2p::PeerId;
use n0_future::time::Instant;

use crate::behaviour::{GOSSIP_READ_BYTES, MAX_GOSSIP_BYTES};

/// Bytes of a gossip RPC around its payload: topic, source, number, signature, and a key as long as RSA's.
const ENVELOPE_BYTES: usize = 2 * 1024;
/// Bytes of a payload that is passed on. A longer one may fill the reader of a program with gossipsub's own bound, which
/// then closes the stream and loses what others said on it.
pub(crate) const MAX_PASSED_ON_BYTES: usize = 54 * 1024;
const _: () = assert!(MAX_PASSED_ON_BYTES + ENVELOPE_BYTES + GOSSIP_READ_BYTES <= MAX_GOSSIP_BYTES);
/// Payloads of one gossip source passed on in a second.
const MAX_SOURCE_MESSAGES: u32 = 8;
/// Bytes of one gossip source passed on in a second.
const MAX_SOURCE_BYTES: u32 = 64 * 1024;
/// Payloads that one peer hands over and that are passed on in a second, its own and others'.
const MAX_FORWARDER_MESSAGES: u32 = 16;
/// Bytes that one peer hands over and that are passed on in a second.
const MAX_FORWARDER_BYTES: u32 = 128 * 1024;
/// Payloads of one room passed on in a second.
const MAX_ROOM_MESSAGES: u32 = 64;
/// Bytes of one room passed on in a second.
const MAX_ROOM_PAYLOAD_BYTES: u32 = 256 * 1024;
/// Payloads of all rooms passed on in a second.
const MAX_ALL_MESSAGES: u32 = 256;
/// Bytes of all rooms passed on in a second.
const MAX_ALL_BYTES: u32 = 1024 * 1024;
/// What was not used is saved up for so long: the longest payload needs most of a second's bytes of its source.
const BURST: Duration = Duration::from_secs(2);
/// Part of a room's budget, and of that of all rooms, that everybody may use up.
const COMMON_SHARE: f64 = 0.75;
/// Who has spent no more than this part of its own budget may also use the rest.
const CALM_SHARE: f64 = 0.25;
/// Sources, forwarders or rooms with something spent that are remembered; further ones have spent nothing.
const REMEMBERED_SPENDERS: usize = 8192;
/// How often those are looked for that have spent nothing any more.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What may be spent in a second.
#[derive(Debug, Clone, Copy)]
struct Rate {
    messages: u32,
    bytes: u32,
}

const SOURCE: Rate = Rate { messages: MAX_SOURCE_MESSAGES, bytes: MAX_SOURCE_BYTES };
const FORWARDER: Rate = Rate { messages: MAX_FORWARDER_MESSAGES, bytes: MAX_FORWARDER_BYTES };
const ROOM: Rate = Rate { messages: MAX_ROOM_MESSAGES, bytes: MAX_ROOM_PAYLOAD_BYTES };
const ALL: Rate = Rate { messages: MAX_ALL_MESSAGES, bytes: MAX_ALL_BYTES };

/// What was spent, as of a moment; it is paid back at the rate.
#[derive(Debug, Clone, Copy)]
struct Spent {
    messages: f64,
    bytes: f64,
    at: Instant,
}

impl Spent {
    fn nothing(now: Instant) -> Self {
        Self { messages: 0.0, bytes: 0.0, at: now }
    }

    fn at(self, rate: Rate, now: Instant) -> Self {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        Self {
            messages: (self.messages - seconds * f64::from(rate.messages)).max(0.0),
            bytes: (self.bytes - seconds * f64::from(rate.bytes)).max(0.0),
            at: now,
        }
    }

    fn and(self, bytes: usize) -> Self {
        Self { messages: self.messages + 1.0, bytes: self.bytes + bytes as f64, ..self }
    }

    /// Whether it is at most this share of what may be spent at once.
    fn is_within(self, rate: Rate, share: f64) -> bool {
        let seconds = BURST.as_secs_f64() * share;
        self.messages <= seconds * f64::from(rate.messages) && self.bytes <= seconds * f64::from(rate.bytes)
    }

    fn is_nothing(self) -> bool {
        self.messages <= 0.0 && self.bytes <= 0.0
    }
}

/// What each kind of spender has spent.
#[derive(Debug)]
struct Spenders<K> {
    rate: Rate,
    spent: HashMap<K, Spent>,
    /// When the table was full and swept.
    swept: Option<Instant>,
}

impl<K: Clone + Eq + Hash> Spenders<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, spent: HashMap::new(), swept: None }
    }

    /// What `who` will have spent with so many bytes more; nothing when that is more than this share of its budget.
    fn try_spend(&self, who: &K, bytes: usize, share: f64, now: Instant) -> Option<Spent> {
        let spent = self.spent.get(who).map_or(Spent::nothing(now), |spent| spent.at(self.rate, now)).and(bytes);
        spent.is_within(self.rate, share).then_some(spent)
    }

    fn set(&mut self, who: &K, spent: Spent, now: Instant) {
        let full = self.spent.len() >= REMEMBERED_SPENDERS;
        if full && self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_EVERY) {
            let rate = self.rate;
            self.spent.retain(|_, spent| !spent.at(rate, now).is_nothing());
            self.swept = Some(now);
        }
        if self.spent.len() < REMEMBERED_SPENDERS || self.spent.contains_key(who) {
            self.spent.insert(who.clone(), spent);
        }
    }
}

/// What may still be passed on.
#[derive(Debug)]
pub(crate) struct Budget {
    sources: Spenders<PeerId>,
    forwarders: Spenders<PeerId>,
    rooms: Spenders<String>,
    all: Spenders<()>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            sources: Spenders::new(SOURCE),
            forwarders: Spenders::new(FORWARDER),
            rooms: Spenders::new(ROOM),
            all: Spenders::new(ALL),
        }
    }
}

impl Budget {
    /// Whether a payload of so many bytes may be passed on; then it is counted everywhere, else for its source alone.
    /// One that is too long is never passed on.
    pub(crate) fn spend(
        &mut self,
        source: PeerId,
        forwarder: PeerId,
        room: &String,
        bytes: usize,
        now: Instant,
    ) -> bool {
        if bytes > MAX_PASSED_ON_BYTES {
            return false;
        }
        let own =
            (self.sources.try_spend(&source, bytes, 1.0, now), self.forwarders.try_spend(&forwarder, bytes, 1.0, now));
        let (Some(by_source), Some(by_forwarder)) = own else { return false };
        // Also where the room has no place for it: who tries often is not calm.
        self.sources.set(&source, by_source, now);
        self.forwarders.set(&forwarder, by_forwarder, now);
        let is_calm = by_source.is_within(SOURCE, CALM_SHARE) && by_forwarder.is_within(FORWARDER, CALM_SHARE);
        let share = if is_calm { 1.0 } else { COMMON_SHARE };
        let common = (self.rooms.try_spend(room, bytes, share, now), self.all.try_spend(&(), bytes, share, now));
        let (Some(in_room), Some(in_all)) = common else { return false };
        self.rooms.set(room, in_room, now);
        self.all.set(&(), in_all, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than anything bears at once.
    const MANY: usize = 10_000;

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    fn burst(rate: u32) -> usize {
        rate as usize * BURST.as_secs() as usize
    }

    #[test]
    fn one_source_has_its_share_and_leaves_the_others_theirs() {
        let (mut budget, now, room) = (Budget::default(), start(), "r".to_owned());
        let (loud, calm, hub) = (PeerId::random(), PeerId::random(), PeerId::random());
        let passed = (0..MANY).filter(|_| budget.spend(loud, hub, &room, 10, now)).count();
        assert_eq!(passed, burst(MAX_SOURCE_MESSAGES));
        assert!(!budget.spend(calm, hub, &room, MAX_PASSED_ON_BYTES + 1, now), "longer than any may be");
        assert!(budget.spend(calm, hub, &room, MAX_PASSED_ON_BYTES, now), "the longest payload of somebody else");
        assert!(!budget.spend(loud, hub, &room, 10, now));
        let later = now + Duration::from_secs(1);
        let again = (0..MANY).filter(|_| budget.spend(loud, hub, &room, 10, later)).count();
        assert_eq!(again, MAX_SOURCE_MESSAGES as usize, "a second gives back a second's worth");
    }

    #[test]
    fn loud_peers_however_many_do_not_silence_a_calm_one() {
        let (mut budget, begin, room) = (Budget::default(), start(), "r".to_owned());
        let loud: Vec<PeerId> = (0..40).map(|_| PeerId::random()).collect();
        let calm = PeerId::random();
        for tenth in 0..600 {
            let now = begin + Duration::from_millis(tenth * 100);
            for _ in 0..5 {
                loud.iter().for_each(|loud| _ = budget.spend(*loud, *loud, &room, 100, now));
            }
            // In the first moment nobody is known to be loud.
            if tenth % 5 == 0 && tenth >= 20 {
                assert!(budget.spend(calm, calm, &room, 300, now), "twice a second, after {tenth} tenths");
            }
        }
    }

    #[test]
    fn bytes_count_as_messages_do() {
        let (mut budget, now, room) = (Budget::default(), start(), "r".to_owned());
        let (source, hub) = (PeerId::random(), PeerId::random());
        let passed = (0..MANY).filter(|_| budget.spend(source, hub, &room, MAX_PASSED_ON_BYTES, now)).count();
        assert_eq!(passed, burst(MAX_SOURCE_BYTES) / MAX_PASSED_ON_BYTES);
    }

    #[test]
    fn fresh_keys_get_no_more_than_their_forwarder_room_and_hub() {
        let (mut budget, now, mut passed) = (Budget::default(), start(), 0);
        let one = PeerId::random();
        passed += (0..MANY).filter(|_| budget.spend(PeerId::random(), one, &"a".to_owned(), 10, now)).count();
        assert_eq!(passed, burst(MAX_FORWARDER_MESSAGES));
        let same_room =
            (0..MANY).filter(|_| budget.spend(PeerId::random(), PeerId::random(), &"b".to_owned(), 10, now));
        assert_eq!(same_room.count(), burst(MAX_ROOM_MESSAGES));
        let anywhere = |n: &usize| budget.spend(PeerId::random(), PeerId::random(), &format!("{n}"), 10, now);
        let rest = (0..MANY).filter(anywhere).count();
        assert_eq!(rest, burst(MAX_ALL_MESSAGES) - burst(MAX_ROOM_MESSAGES) - passed);
    }

    #[test]
    fn who_has_spent_nothing_lately_is_forgotten() {
        let (mut budget, mut now) = (Budget::default(), start());
        for _ in 0..MANY {
            now += Duration::from_millis(10);
            assert!(budget.spend(PeerId::random(), PeerId::random(), &PeerId::random().to_base58(), 10, now));
        }
        assert!(budget.sources.spent.len() <= REMEMBERED_SPENDERS);
        assert!(budget.forwarders.spent.len() <= REMEMBERED_SPENDERS);
        assert!(budget.rooms.spent.len() <= REMEMBERED_SPENDERS);
    }
}
