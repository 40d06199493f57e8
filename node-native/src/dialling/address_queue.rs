//! The order in which the addresses that a name resolves to are tried.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use libp2p::{Multiaddr, multiaddr::Protocol};

use super::lock;

/// Names whose number of dials is remembered; beyond this, all counts start anew.
const MAX_DIAL_COUNTS: usize = 256;
/// Addresses of one name that one dial tries; the next dial begins with another one.
const MAX_TRIED: usize = 16;

/// How often each name was dialled.
#[derive(Debug, Clone, Default)]
pub(crate) struct DialCounts(Arc<Mutex<HashMap<Multiaddr, usize>>>);

impl DialCounts {
    /// How often this address was dialled before.
    pub(crate) fn next(&self, address: &Multiaddr) -> usize {
        let mut counts = lock(&self.0);
        if counts.len() >= MAX_DIAL_COUNTS && !counts.contains_key(address) {
            counts.clear();
        }
        let dial_count = counts.entry(address.clone()).or_default();
        *dial_count += 1;
        *dial_count - 1
    }
}

/// Addresses still to be tried, IPv6 and IPv4 alternately as long as there are both.
#[derive(Debug)]
pub(crate) struct AddressQueue {
    dial_count: usize,
    left: usize,
    v6_next: bool,
    v6: VecDeque<Multiaddr>,
    others: VecDeque<Multiaddr>,
}

impl AddressQueue {
    /// `dial_count` is the number of dials before: each dial begins with another address.
    pub(crate) fn new(dial_count: usize) -> Self {
        Self {
            dial_count,
            left: MAX_TRIED,
            v6_next: dial_count.is_multiple_of(2),
            v6: VecDeque::new(),
            others: VecDeque::new(),
        }
    }

    /// Adds the answer to a look-up.
    pub(crate) fn add(&mut self, found: Vec<Multiaddr>) {
        let is_v6 = |address: &Multiaddr| matches!(address.iter().next(), Some(Protocol::Ip6(_)));
        let (mut v6, mut others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_v6);
        for (new, queued) in [(&mut v6, &mut self.v6), (&mut others, &mut self.others)] {
            let first = self.dial_count % new.len().max(1);
            new.rotate_left(first);
            queued.extend(new.drain(..).take(MAX_TRIED));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left == 0 || (self.v6.is_empty() && self.others.is_empty())
    }
}

impl Iterator for AddressQueue {
    type Item = Multiaddr;

    fn next(&mut self) -> Option<Multiaddr> {
        self.left = self.left.checked_sub(1)?;
        let (first, second) = match self.v6_next {
            true => (&mut self.v6, &mut self.others),
            false => (&mut self.others, &mut self.v6),
        };
        let (next, v6) = match first.pop_front() {
            Some(next) => (next, self.v6_next),
            None => (second.pop_front()?, !self.v6_next),
        };
        self.v6_next = !v6;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(hosts: &[&str]) -> Vec<Multiaddr> {
        hosts
            .iter()
            .map(|host| format!("/{}/{host}/tcp/1", if host.contains(':') { "ip6" } else { "ip4" }).parse().unwrap())
            .collect()
    }

    fn order(dial_count: usize, answers: &[&[&str]]) -> Vec<String> {
        let mut queue = AddressQueue::new(dial_count);
        answers.iter().for_each(|answer| queue.add(addresses(answer)));
        queue.map(|address| address.to_string().split('/').nth(2).unwrap().to_owned()).collect()
    }

    #[test]
    fn families_take_turns_and_each_dial_begins_elsewhere() {
        let answers: [&[&str]; 2] = [&["::1", "::2", "::3"], &["10.0.0.1", "10.0.0.2"]];
        assert_eq!(order(0, &answers), ["::1", "10.0.0.1", "::2", "10.0.0.2", "::3"]);
        assert_eq!(order(1, &answers), ["10.0.0.2", "::2", "10.0.0.1", "::3", "::1"]);
        let one: [&[&str]; 1] = [&["10.0.0.1", "10.0.0.2"]];
        let first = |dial_count| order(dial_count, &one)[0].clone();
        assert_eq!([first(0), first(1), first(2)], ["10.0.0.1", "10.0.0.2", "10.0.0.1"]);
    }

    #[test]
    fn a_name_with_many_addresses_is_tried_in_parts() {
        let many: Vec<String> = (1..=200).map(|n| format!("10.0.0.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(order(0, &[&many]).len(), MAX_TRIED);
        assert_eq!(order(20, &[&many])[0], "10.0.0.21");
    }

    #[test]
    fn few_turns_are_remembered() {
        let counts = DialCounts::default();
        let address = |n: usize| -> Multiaddr { format!("/dns/h{n}/tcp/1").parse().unwrap() };
        assert_eq!([counts.next(&address(0)), counts.next(&address(0)), counts.next(&address(1))], [0, 1, 0]);
        for n in 0..3 * MAX_DIAL_COUNTS {
            counts.next(&address(n));
        }
        assert!(lock(&counts.0).len() <= MAX_DIAL_COUNTS);
    }
}
