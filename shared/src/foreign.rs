//! What other programs say in rooms that a hub carries: passed on unread, within a budget, never kept or shown.
//!
//! Each payload counts for the peer that signed it, for the peer that handed it over, for its room, and for all rooms
//! together. A source is calm that has said little for a while. A part of what a forwarder may hand over is for calm
//! sources, and the last quarter of what a room and all rooms may spend is for that part: loud peers do not silence calm
//! ones, also not those behind the same hub, and who makes up sources gains no more than its own part.

use std::time::Duration;

use libp2p::PeerId;
use n0_future::time::Instant;

use self::spending::{Rate, Spenders, Spent};
use crate::{
    behaviour::{GOSSIP_READ_BYTES, MAX_GOSSIP_BYTES},
    room_id::RoomId,
};

mod spending;

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
/// Payloads a second of a calm source. With more it is loud, until it has said less for a while.
const MAX_CALM_MESSAGES: u32 = 1;
/// Bytes a second of a calm source.
const MAX_CALM_BYTES: u32 = 8 * 1024;
/// Payloads that one peer hands over and that are passed on in a second, its own and others'.
const MAX_FORWARDER_MESSAGES: u32 = 16;
/// Bytes that one peer hands over and that are passed on in a second.
const MAX_FORWARDER_BYTES: u32 = 128 * 1024;
/// An eighth of both is for calm sources.
const CALM_PART: u32 = 8;
/// Payloads of one room passed on in a second.
const MAX_ROOM_MESSAGES: u32 = 64;
/// Bytes of one room passed on in a second.
const MAX_ROOM_PAYLOAD_BYTES: u32 = 256 * 1024;
/// Payloads of all rooms passed on in a second.
const MAX_ALL_MESSAGES: u32 = 256;
/// Bytes of all rooms passed on in a second.
const MAX_ALL_BYTES: u32 = 1024 * 1024;
/// The same of a calm source: a few lines may follow each other closely.
const CALM_BURST: Duration = Duration::from_secs(8);
/// Part of a room's budget, and of that of all rooms, that everybody may use up.
const COMMON_SHARE: f64 = 0.75;

const SOURCE: Rate = Rate::new(MAX_SOURCE_MESSAGES, MAX_SOURCE_BYTES);
const CALM: Rate = Rate { messages: MAX_CALM_MESSAGES, bytes: MAX_CALM_BYTES, burst: CALM_BURST };
const FORWARDER_CALM: Rate = Rate::new(MAX_FORWARDER_MESSAGES / CALM_PART, MAX_FORWARDER_BYTES / CALM_PART);
const FORWARDER_COMMON: Rate =
    Rate::new(MAX_FORWARDER_MESSAGES - FORWARDER_CALM.messages, MAX_FORWARDER_BYTES - FORWARDER_CALM.bytes);
const ROOM: Rate = Rate::new(MAX_ROOM_MESSAGES, MAX_ROOM_PAYLOAD_BYTES);
const ALL: Rate = Rate::new(MAX_ALL_MESSAGES, MAX_ALL_BYTES);

/// What may still be passed on.
#[derive(Debug)]
pub(crate) struct Budget {
    sources: Spenders<PeerId>,
    /// The same by all that they said, passed on or not: who has something left is calm.
    saying: Spenders<PeerId>,
    /// Forwarders, by what they handed over of calm sources.
    of_calm: Spenders<PeerId>,
    /// Forwarders, by everything else that they handed over.
    common: Spenders<PeerId>,
    rooms: Spenders<RoomId>,
    all: Spenders<()>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            sources: Spenders::new(SOURCE),
            saying: Spenders::new(CALM),
            of_calm: Spenders::new(FORWARDER_CALM),
            common: Spenders::new(FORWARDER_COMMON),
            rooms: Spenders::new(ROOM),
            all: Spenders::new(ALL),
        }
    }
}

impl Budget {
    /// Whether a payload of so many bytes may be passed on; then it is counted everywhere. What the room or all rooms do
    /// not take still counts for its source and its forwarder. One that is too long is never passed on.
    pub(crate) fn spend(
        &mut self,
        source: PeerId,
        forwarder: PeerId,
        room: &RoomId,
        bytes: usize,
        now: Instant,
    ) -> bool {
        if bytes > MAX_PASSED_ON_BYTES {
            return false;
        }
        let is_calm = self.is_calm(&source, bytes, now);
        let Some(by_source) = self.sources.try_spend(&source, bytes, 1.0, now) else { return false };
        let by_calm = self.of_calm.try_spend(&forwarder, bytes, 1.0, now).filter(|_| is_calm);
        let share = if let Some(spent) = by_calm {
            self.of_calm.set(&forwarder, spent, now);
            1.0
        } else {
            let Some(spent) = self.common.try_spend(&forwarder, bytes, 1.0, now) else { return false };
            self.common.set(&forwarder, spent, now);
            COMMON_SHARE
        };
        self.sources.set(&source, by_source, now);
        let rest = (self.rooms.try_spend(room, bytes, share, now), self.all.try_spend(&(), bytes, share, now));
        let (Some(in_room), Some(in_all)) = rest else { return false };
        self.rooms.set(room, in_room, now);
        self.all.set(&(), in_all, now);
        true
    }

    /// Notes that a source says so much, and whether it has said little for a while.
    fn is_calm(&mut self, source: &PeerId, bytes: usize, now: Instant) -> bool {
        let spent = self.saying.try_spend(source, bytes, 1.0, now);
        // Who says too much is not calm again a second later.
        self.saying.set(source, spent.unwrap_or(Spent::everything(CALM, now)), now);
        spent.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        spending::{BURST, REMEMBERED_SPENDERS},
        *,
    };

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
        let (mut budget, now, room) = (Budget::default(), start(), RoomId::from("r"));
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
        let (mut budget, begin, room) = (Budget::default(), start(), RoomId::from("r"));
        let loud: Vec<PeerId> = (0..40).map(|_| PeerId::random()).collect();
        let calm = PeerId::random();
        for tenth in 0..600 {
            let now = begin + Duration::from_millis(tenth * 100);
            for _ in 0..5 {
                loud.iter().for_each(|loud| _ = budget.spend(*loud, *loud, &room, 100, now));
            }
            // In the first moment nobody is known to be loud.
            if tenth % 10 == 0 && tenth >= 20 {
                assert!(budget.spend(calm, calm, &room, 300, now), "once a second, after {tenth} tenths");
            }
        }
    }

    #[test]
    fn loud_peers_behind_a_hub_do_not_silence_a_calm_one_behind_the_same() {
        let (mut budget, begin, hub) = (Budget::default(), start(), PeerId::random());
        let loud: Vec<PeerId> = (0..40).map(|_| PeerId::random()).collect();
        let calm = PeerId::random();
        let (here, elsewhere) = (RoomId::from("r"), RoomId::from("another"));
        for tenth in 0..600 {
            let now = begin + Duration::from_millis(tenth * 100);
            for _ in 0..5 {
                for (n, loud) in loud.iter().enumerate() {
                    budget.spend(*loud, hub, if n % 2 == 0 { &here } else { &elsewhere }, 100, now);
                }
            }
            // In the first moment nobody is known to be loud.
            if tenth % 10 == 0 && tenth >= 20 {
                assert!(budget.spend(calm, hub, &here, 300, now), "once a second, after {tenth} tenths");
            }
        }
    }

    #[test]
    fn forwarders_just_below_their_budget_who_make_up_calm_sources_do_not_silence_a_calm_one() {
        let (mut budget, begin, room) = (Budget::default(), start(), RoomId::from("r"));
        let forwarders: Vec<PeerId> = (0..20).map(|_| PeerId::random()).collect();
        let made_up: Vec<PeerId> = (0..64).map(|_| PeerId::random()).collect();
        let (calm, mut said) = (PeerId::random(), 0);
        // 14 payloads a second each.
        for step in 0..14 * 60_u64 {
            let now = begin + Duration::from_secs(1) * step as u32 / 14;
            for forwarder in &forwarders {
                budget.spend(made_up[said % made_up.len()], *forwarder, &room, 10, now);
                said += 1;
            }
            if step % 14 == 0 && step >= 28 {
                assert!(budget.spend(calm, calm, &room, 100, now), "once a second, after {step} steps");
            }
        }
    }

    #[test]
    fn bytes_count_as_messages_do() {
        let (mut budget, now, room) = (Budget::default(), start(), RoomId::from("r"));
        let (source, hub) = (PeerId::random(), PeerId::random());
        let passed = (0..MANY).filter(|_| budget.spend(source, hub, &room, MAX_PASSED_ON_BYTES, now)).count();
        assert_eq!(passed, burst(MAX_SOURCE_BYTES) / MAX_PASSED_ON_BYTES);
    }

    #[test]
    fn fresh_keys_get_no_more_than_their_forwarder_room_and_hub() {
        let (mut budget, now, mut passed) = (Budget::default(), start(), 0);
        let one = PeerId::random();
        passed += (0..MANY).filter(|_| budget.spend(PeerId::random(), one, &"a".into(), 10, now)).count();
        assert_eq!(passed, burst(MAX_FORWARDER_MESSAGES));
        let same_room = (0..MANY).filter(|_| budget.spend(PeerId::random(), PeerId::random(), &"b".into(), 10, now));
        assert_eq!(same_room.count(), burst(MAX_ROOM_MESSAGES));
        let anywhere = |n: &usize| budget.spend(PeerId::random(), PeerId::random(), &format!("{n}").into(), 10, now);
        let rest = (0..MANY).filter(anywhere).count();
        assert_eq!(rest, burst(MAX_ALL_MESSAGES) - burst(MAX_ROOM_MESSAGES) - passed);
    }

    #[test]
    fn who_has_spent_nothing_lately_is_forgotten() {
        let (mut budget, mut now) = (Budget::default(), start());
        for _ in 0..MANY {
            now += Duration::from_millis(10);
            assert!(budget.spend(PeerId::random(), PeerId::random(), &PeerId::random().to_base58().into(), 10, now));
        }
        assert!(budget.sources.spent.len() <= REMEMBERED_SPENDERS);
        assert!(budget.of_calm.spent.len() <= REMEMBERED_SPENDERS);
        assert!(budget.common.spent.len() <= REMEMBERED_SPENDERS);
        assert!(budget.rooms.spent.len() <= REMEMBERED_SPENDERS);
    }
}
