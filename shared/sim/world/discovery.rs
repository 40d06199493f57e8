//! The local network, where nodes find each other: as mDNS does, with shorter times.

use std::collections::BTreeMap;

use super::{Happening, World, node::address_of};
use crate::core::Input;

/// When nodes ask for the first time.
pub(super) const FIRST_DISCOVERY_MS: u64 = 300;
/// How often they ask again.
const ASK_EVERY_MS: u64 = 100_000;
/// How often they look who is no longer there.
const LOOK_EVERY_MS: u64 = 5_000;
/// How long somebody is there after it was last heard of.
const TTL_MS: u64 = 120_000;

/// Until when each node holds others for found, by who found whom.
#[derive(Debug, Default)]
pub(super) struct Found {
    until: BTreeMap<(usize, usize), (u64, u64)>,
    asked: Option<u64>,
}

impl World {
    pub(super) fn discover(&mut self) {
        let now = self.now_ms;
        let asks = self.found.asked.is_none_or(|at| now >= at + ASK_EVERY_MS);
        if asks {
            self.found.asked = Some(now);
        }
        let local = (0..self.nodes.len()).filter(|node| self.plan.members[*node].local).collect::<Vec<_>>();
        for (node, other) in local.iter().flat_map(|node| local.iter().map(|other| (*node, *other))) {
            let is_there = node != other && self.nodes[node].is_up() && self.nodes[other].is_up();
            let run = self.nodes[node].run;
            let entry = vec![(self.nodes[other].peer, address_of(other))];
            let known = self.found.until.get(&(node, other)).copied().filter(|(_, found_by)| *found_by == run);
            if asks && is_there && !self.network.is_cut(node, other, now) {
                self.found.until.insert((node, other), (now + TTL_MS, run));
                if known.is_none() {
                    self.handle(node, Input::Discovered(entry));
                }
            } else if known.is_some_and(|(until, _)| until <= now) {
                self.found.until.remove(&(node, other));
                self.handle(node, Input::Expired(entry));
            }
        }
        self.after(LOOK_EVERY_MS, Happening::Discover);
    }
}
