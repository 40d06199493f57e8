//! What strangers told in STUN before their DTLS handshake.
//!
//! A ClientHello does not repeat the ICE user name, which carries the version and the password of the connection. So the
//! user name of a stranger's last STUN request is kept for a while: the only state that an unproven address costs.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Strangers remembered at once; beyond this the oldest are forgotten.
pub const MAX_INTRODUCTIONS: usize = 8192;
/// How long a stranger is remembered.
pub const INTRODUCTION_TIMEOUT: Duration = Duration::from_secs(10);

/// What a stranger's last STUN request told.
#[derive(Debug, Clone)]
pub(super) struct StunIntroduction {
    /// The ICE user name, which was validated.
    pub(super) username: String,
    /// Our address that it was sent to.
    pub(super) to: SocketAddr,
    pub(super) since: Instant,
}

#[derive(Debug, Default)]
pub(super) struct StunIntroductions {
    by_source: HashMap<SocketAddr, StunIntroduction>,
    /// Each source once, oldest first.
    order: VecDeque<SocketAddr>,
}

impl StunIntroductions {
    pub(super) fn remember(&mut self, from: SocketAddr, new: StunIntroduction) {
        self.expire(new.since);
        if let Some(known) = self.by_source.get_mut(&from) {
            *known = StunIntroduction { since: known.since, ..new };
            return;
        }
        if self.order.len() >= MAX_INTRODUCTIONS {
            self.forget_oldest();
        }
        self.by_source.insert(from, new);
        self.order.push_back(from);
    }

    /// What the stranger at this address told. It is kept until it expires: if the handshake is evicted before it was
    /// answered, the stranger repeats its ClientHello and begins again.
    pub(super) fn get(&self, from: SocketAddr) -> Option<&StunIntroduction> {
        self.by_source.get(&from)
    }

    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(oldest) = self.order.front().and_then(|source| self.by_source.get(source)) {
            if now.duration_since(oldest.since) < INTRODUCTION_TIMEOUT {
                return;
            }
            self.forget_oldest();
        }
        // After a flood, give its memory back.
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
        let (mut introductions, begin) = (StunIntroductions::default(), Instant::now());
        let source = |n: usize| SocketAddr::from(([192, 0, 2, (n >> 12) as u8], 1024 + (n & 0xfff) as u16));
        for n in 0..3 * MAX_INTRODUCTIONS {
            introductions
                .remember(source(n), StunIntroduction { username: n.to_string(), to: source(0), since: begin });
        }
        assert_eq!(introductions.order.len(), MAX_INTRODUCTIONS);
        let known = |n| introductions.get(source(n)).map(|introduction| introduction.username.as_str());
        assert_eq!(known(2 * MAX_INTRODUCTIONS - 1), None, "the oldest go first");
        assert_eq!(known(2 * MAX_INTRODUCTIONS), Some((2 * MAX_INTRODUCTIONS).to_string().as_str()));
        introductions.expire(begin + INTRODUCTION_TIMEOUT);
        assert!(introductions.is_empty() && introductions.by_source.capacity() == 0);
    }
}
