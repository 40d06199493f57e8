//! What strangers said before they begin a handshake, which does not repeat it: the little that is kept of them.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::direct::credentials::Agreed;

/// Strangers that are remembered; the oldest are forgotten first.
pub const MAX_HERALDS: usize = 8192;
/// For how long, without a handshake.
pub const HERALD_TIMEOUT: Duration = Duration::from_secs(10);

/// What the last request of a stranger said.
#[derive(Debug)]
pub(super) struct Herald {
    pub(super) agreed: Agreed,
    /// Bytes that it had more than its answer.
    pub(super) credit: usize,
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

    pub(super) fn take(&mut self, from: SocketAddr) -> Option<Herald> {
        let herald = self.by_source.remove(&from)?;
        self.order.retain(|source| *source != from);
        Some(herald)
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
            let agreed = Agreed::v1("abcdef");
            heralds.remember(source(n), Herald { agreed, credit: 0, to: source(0), since: begin });
        }
        assert_eq!(heralds.order.len(), MAX_HERALDS);
        assert!(heralds.take(source(0)).is_none() && heralds.take(source(3 * MAX_HERALDS - 1)).is_some());
        heralds.forget_old(begin + HERALD_TIMEOUT);
        assert!(heralds.is_empty() && heralds.by_source.capacity() == 0);
    }
}
