//! What strangers said before they begin a handshake, which does not repeat it: the little that is kept of them.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Strangers that are remembered; the oldest are forgotten first.
pub const MAX_HERALDS: usize = 8192;
/// For how long, without a handshake.
pub const HERALD_TIMEOUT: Duration = Duration::from_secs(10);

/// What the last request of a stranger said.
#[derive(Debug, Clone)]
pub(super) struct Herald {
    /// Which says everything; it was read before.
    pub(super) username: String,
    /// Of ours, that it was sent to.
    pub(super) to: SocketAddr,
    pub(super) since: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Heralds {
    by_source: HashMap<SocketAddr, Herald>,
    /// Each source once, oldest first.
    order: VecDeque<SocketAddr>,
}

impl Heralds {
    pub(super) fn remember(&mut self, from: SocketAddr, new: Herald) {
        self.forget_old(new.since);
        if let Some(known) = self.by_source.get_mut(&from) {
            *known = Herald { since: known.since, ..new };
            return;
        }
        if self.order.len() >= MAX_HERALDS {
            self.forget_oldest();
        }
        self.by_source.insert(from, new);
        self.order.push_back(from);
    }

    /// What a stranger said. It stays for as long as if it had not been asked for: should its handshake have to make room
    /// for others before it was answered, the stranger repeats its hello, and begins again.
    pub(super) fn of(&self, from: SocketAddr) -> Option<&Herald> {
        self.by_source.get(&from)
    }

    pub(super) fn forget_old(&mut self, now: Instant) {
        while let Some(oldest) = self.order.front().and_then(|source| self.by_source.get(source)) {
            if now.duration_since(oldest.since) < HERALD_TIMEOUT {
                return;
            }
            self.forget_oldest();
        }
        // After a flood nothing of it stays, not even empty room.
        self.by_source.shrink_to_fit();
        self.order.shrink_to_fit();
    }

    fn forget_oldest(&mut self) {
        if let Some(source) = self.order.pop_front() {
            self.by_source.remove(&source);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a beginning is needed, any")]
    fn strangers_cost_nothing_lasting() {
        let (mut heralds, begin) = (Heralds::default(), Instant::now());
        let source = |n: usize| SocketAddr::from(([192, 0, 2, (n >> 12) as u8], 1024 + (n & 0xfff) as u16));
        for n in 0..3 * MAX_HERALDS {
            heralds.remember(source(n), Herald { username: n.to_string(), to: source(0), since: begin });
        }
        assert_eq!(heralds.order.len(), MAX_HERALDS);
        let known = |n| heralds.of(source(n)).map(|herald| herald.username.as_str());
        assert_eq!(known(2 * MAX_HERALDS - 1), None, "the oldest go first");
        assert_eq!(known(2 * MAX_HERALDS), Some((2 * MAX_HERALDS).to_string().as_str()));
        heralds.forget_old(begin + HERALD_TIMEOUT);
        assert!(heralds.is_empty() && heralds.by_source.capacity() == 0);
    }
}
