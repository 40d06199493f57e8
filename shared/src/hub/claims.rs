//! What came on one hub's stream, and what of it counts.
//!
//! Whoever likes may call itself a hub. The word of a hub that this node chose counts as it is. Of what any other hub
//! says, a name counts once its owner has signed something in the room that reached this node: such a hub then makes
//! nobody a member who could not be one by connecting.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use libp2p::PeerId;

use super::{
    listing::{Listing, Presences, Tally},
    wire::Report,
};
use crate::{config::MAX_LISTED_MEMBERS, room_id::RoomId};

/// Rooms times hubs that one hub's stream may report on.
const MAX_REPORTS_PER_SOURCE: usize = 2048;

/// Members of one room that one hub's stream may name, at all hubs that it reports on.
pub(super) const MAX_NAMED_PER_SOURCE: usize = 512;

/// Members of one room that one hub's stream may count, at all hubs that it reports on.
const MAX_TOTAL: u32 = 100_000;

/// Members that one hub's stream may name in all rooms together.
pub(super) const MAX_NAMES_PER_SOURCE: usize = 8192;

/// Members of one room that a hub may name that this node did not choose, at all hubs that it reports on.
pub(super) const MAX_NAMED_PER_STRANGER: usize = 50;

/// How far a hub is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// It came by itself; whoever likes may call itself a hub. Only names with a frame of their own count, and no totals.
    Stranger,
    /// The operator or the person of this node chose it.
    Chosen,
}

/// What was said of one room at one hub.
#[derive(Debug, Clone)]
struct Claim {
    /// What of it counts.
    listing: Arc<Listing>,
    /// Names that a stranger gave and whose owners have signed nothing here.
    unproven: BTreeSet<PeerId>,
    /// How many it said there are.
    total: u32,
}

impl Claim {
    fn hub(&self) -> PeerId {
        self.listing.hub
    }

    fn named(&self) -> usize {
        self.listing.names().len() + self.unproven.len()
    }
}

/// What came on one hub's stream.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) trust: Trust,
    /// By room, of each hub reported on.
    rooms: BTreeMap<RoomId, Vec<Claim>>,
    reports: usize,
    names: usize,
}

impl Claims {
    pub(super) fn new(trust: Trust) -> Self {
        Self { trust, rooms: BTreeMap::new(), reports: 0, names: 0 }
    }

    /// Takes the hub's word, as far as it is within bounds. Says whether anything is different now. `is_proven`: whether
    /// somebody has signed something in the room.
    pub(super) fn take(
        &mut self,
        hub: PeerId,
        report: &Report,
        presences: Presences,
        is_proven: impl Fn(&PeerId) -> bool,
        tally: &Tally,
    ) -> bool {
        let mut there = self.rooms.get(report.room.as_str()).cloned().unwrap_or_default();
        let old = there.extract_if(.., |claim| claim.hub() == hub).next();
        let is_nothing = report.total == 0 && report.joined.is_empty();
        if old.is_none() && (is_nothing || self.reports >= MAX_REPORTS_PER_SOURCE) {
            return false;
        }
        let named = old.as_ref().map_or(0, Claim::named);
        let most = self.trust.most_named().saturating_sub(there.iter().map(Claim::named).sum());
        let most = most.min(MAX_LISTED_MEMBERS + 1).min(MAX_NAMES_PER_SOURCE - (self.names - named));
        let mut names: BTreeSet<PeerId> = BTreeSet::new();
        names.extend(old.iter().flat_map(|old| old.listing.names().iter().chain(&old.unproven)));
        for left in peers(&report.left) {
            names.remove(&left);
        }
        names.extend(peers(&report.joined));
        // A hub that lists more than it may is cut, not believed.
        while names.len() > most {
            names.pop_last();
        }
        let elsewhere = there.iter().map(|claim| claim.total).fold(0, u32::saturating_add);
        let total = match self.trust {
            Trust::Chosen => report.total.min(MAX_TOTAL.saturating_sub(elsewhere)),
            Trust::Stranger => report.total.min(count(&names)),
        };
        let was_proven = |peer: &PeerId| old.as_ref().is_some_and(|old| old.listing.contains(peer));
        let is_counted = |peer: &PeerId| self.trust == Trust::Chosen || was_proven(peer) || is_proven(peer);
        let (names, unproven): (BTreeSet<PeerId>, BTreeSet<PeerId>) = names.into_iter().partition(is_counted);
        let (counted, foreign) = match self.trust {
            Trust::Chosen => (total, report.foreign.min(total)),
            Trust::Stranger => (total.min(count(&names)), 0),
        };
        let mut said = old.as_ref().map(|old| old.listing.presences().clone()).unwrap_or_default();
        said.extend(presences);
        said.retain(|author, _| names.contains(author));
        let same = |old: &Claim| {
            old.total == total && old.unproven == unproven && old.listing.is_of((counted, foreign), &names, &said)
        };
        let is_empty = total == 0 && names.len() + unproven.len() == 0;
        if old.as_ref().map_or(is_empty, same) {
            return false;
        }
        self.names = self.names - named + names.len() + unproven.len();
        self.reports -= usize::from(old.is_some());
        if !is_empty {
            self.reports += 1;
            there.push(Claim { listing: Listing::new(hub, (counted, foreign), &names, said, tally), unproven, total });
        }
        if there.is_empty() {
            self.rooms.remove(report.room.as_str());
        } else {
            self.rooms.insert(report.room.as_str().into(), there);
        }
        true
    }

    /// Somebody has signed something in a room. Says whether that makes a name count.
    pub(super) fn prove(&mut self, room: &str, peer: &PeerId, tally: &Tally) -> bool {
        let mut is_news = false;
        for claim in self.rooms.get_mut(room).into_iter().flatten() {
            if claim.unproven.remove(peer) {
                let names = claim.listing.names().iter().chain([peer]).copied().collect();
                let total = claim.total.min(count(&names));
                let said = claim.listing.presences().clone();
                claim.listing = Listing::new(claim.hub(), (total, 0), &names, said, tally);
                is_news = true;
            }
        }
        is_news
    }

    /// What of the hub's word on a room counts.
    pub(super) fn listings(&self, room: &str) -> impl Iterator<Item = &Arc<Listing>> {
        let claims = self.rooms.get(room).into_iter().flatten().map(|claim| &claim.listing);
        claims.filter(|listing| listing.total > 0 || !listing.names().is_empty())
    }

    /// Whether it said anything of a room.
    pub(super) fn has(&self, room: &str) -> bool {
        self.rooms.contains_key(room)
    }

    /// Whether it names somebody in a room, whether or not that counts.
    pub(super) fn names(&self, room: &str, peer: &PeerId) -> bool {
        let mut claims = self.rooms.get(room).into_iter().flatten();
        claims.any(|claim| claim.listing.contains(peer) || claim.unproven.contains(peer))
    }

    /// Whether it names somebody who has signed nothing in the room.
    pub(super) fn has_unproven(&self, room: &str) -> bool {
        self.rooms.get(room).into_iter().flatten().any(|claim| !claim.unproven.is_empty())
    }

    pub(super) fn into_rooms(self) -> impl Iterator<Item = RoomId> {
        self.rooms.into_keys()
    }

    #[cfg(feature = "sim")]
    pub(super) fn bounds(&self) -> Vec<crate::bounded::Bounded> {
        use crate::bounded::bounded;
        let reports = self.rooms.values().map(Vec::len).sum();
        vec![
            bounded("MAX_REPORTS_PER_SOURCE", reports, MAX_REPORTS_PER_SOURCE),
            bounded("MAX_NAMES_PER_SOURCE", self.names, MAX_NAMES_PER_SOURCE),
        ]
    }

    pub(super) fn weight(&self) -> usize {
        self.rooms.values().flatten().map(|claim| claim.listing.weight()).sum()
    }
}

impl Trust {
    /// Members of a room that such a hub may name.
    fn most_named(self) -> usize {
        match self {
            Self::Stranger => MAX_NAMED_PER_STRANGER,
            Self::Chosen => MAX_NAMED_PER_SOURCE,
        }
    }
}

fn count(names: &BTreeSet<PeerId>) -> u32 {
    u32::try_from(names.len()).unwrap_or(u32::MAX)
}

fn peers(bytes: &[Vec<u8>]) -> impl Iterator<Item = PeerId> {
    bytes.iter().take(MAX_LISTED_MEMBERS + 1).filter_map(|bytes| PeerId::from_bytes(bytes).ok())
}
