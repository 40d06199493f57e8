//! Listening addresses whose listener has failed: they are listened on anew.

use std::{collections::HashMap, time::Duration};

use libp2p::{Multiaddr, core::transport::ListenerId, multiaddr::Protocol};
use n0_future::time::Instant;

/// How long a listener that failed is not opened again; after each further failure twice as long,
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// An address that nobody listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) address: Multiaddr,
    due: Instant,
    wait: Duration,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    open: HashMap<ListenerId, Multiaddr>,
    lost: Vec<Lost>,
}

impl Listeners {
    /// A listener was opened on this address.
    pub(crate) fn opened(&mut self, id: ListenerId, address: Multiaddr) {
        self.open.insert(id, address);
    }

    /// A listener has ended, which was bound to these addresses. Returns the address that will be listened on anew, if
    /// it is one of ours.
    pub(crate) fn closed(&mut self, id: ListenerId, bound: &[Multiaddr], now: Instant) -> Option<Multiaddr> {
        let address = with_port(self.open.remove(&id)?, bound);
        self.lost.push(Lost { address: address.clone(), due: now + FIRST_WAIT, wait: FIRST_WAIT });
        Some(address)
    }

    /// The addresses to be listened on now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Lost> {
        self.lost.extract_if(.., |lost| lost.due <= now).collect()
    }

    /// One of them cannot be listened on yet.
    pub(crate) fn failed(&mut self, lost: Lost, now: Instant) {
        let wait = (lost.wait * 2).min(LONGEST_WAIT);
        self.lost.push(Lost { due: now + wait, wait, ..lost });
    }

    /// When there is something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.lost.iter().map(|lost| lost.due).min()
    }
}

/// An address that asked for any port, with the port that it got: others know it by that.
fn with_port(asked: Multiaddr, bound: &[Multiaddr]) -> Multiaddr {
    let port = |part: Protocol<'_>| match part {
        Protocol::Tcp(port) | Protocol::Udp(port) => Some(port),
        _ => None,
    };
    let Some(known) = bound.iter().flatten().find_map(port) else { return asked };
    let part = |part| match part {
        Protocol::Tcp(0) => Protocol::Tcp(known),
        Protocol::Udp(0) => Protocol::Udp(known),
        other => other,
    };
    asked.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().expect("an address")
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "an origin for the tests' own clock")]
    fn a_listener_that_failed_is_due_again_and_ever_later() {
        let (mut listeners, start) = (Listeners::default(), Instant::now());
        let (id, other) = (ListenerId::next(), ListenerId::next());
        listeners.opened(id, address("/ip4/0.0.0.0/udp/0/webrtc-direct"));
        assert_eq!(listeners.closed(other, &[], start), None, "not ours");
        let bound = [address("/ip4/192.0.2.1/udp/4748/webrtc-direct")];
        let again = listeners.closed(id, &bound, start).expect("ours");
        assert_eq!(again, address("/ip4/0.0.0.0/udp/4748/webrtc-direct"), "on the port that it had");
        assert_eq!(listeners.closed(id, &bound, start), None, "once");
        assert!(listeners.due(start).is_empty());
        let (mut now, mut waits) = (start, Vec::new());
        for _ in 0..10 {
            let due = listeners.deadline().expect("it waits");
            waits.push((due - now).as_secs());
            now = due;
            let lost = listeners.due(now).pop().expect("it is due");
            listeners.failed(lost, now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    }
}
