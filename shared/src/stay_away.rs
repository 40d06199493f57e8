//! Hubs that told us to stay away: nothing here dials them for so long, be it Kademlia, discovery or a relay's client.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt,
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
        ToSwarm, dummy,
    },
};
use n0_future::time::Instant;

/// Hubs remembered; beyond it the one whose time ends first is forgotten.
const MAX_STAYED_AWAY_FROM: usize = 256;

/// The behaviour. It denies dials to these peers; their own connections are let in.
#[derive(Debug, Default)]
pub(crate) struct StayAway {
    until: HashMap<PeerId, Instant>,
}

/// Why a dial was not begun.
#[derive(Debug)]
struct ToldToStayAway;

impl fmt::Display for ToldToStayAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it told us to stay away for a while")
    }
}

impl std::error::Error for ToldToStayAway {}

impl StayAway {
    /// Does not dial `peer` until then.
    pub(crate) fn from(&mut self, peer: PeerId, until: Instant) {
        if self.until.len() >= MAX_STAYED_AWAY_FROM && !self.until.contains_key(&peer) {
            let first = self.until.iter().min_by_key(|(_, until)| **until).map(|(peer, _)| *peer);
            first.and_then(|first| self.until.remove(&first));
        }
        self.until.insert(peer, until);
    }

    /// It may be dialled again: a person wants it, or it has let us in.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.until.remove(peer);
    }

    /// All may be dialled again.
    pub(crate) fn forget_all(&mut self) {
        self.until.clear();
    }

    /// Forgets those whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.until.retain(|_, until| *until > now);
    }
}

impl NetworkBehaviour for StayAway {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        match peer.is_some_and(|peer| self.until.contains_key(&peer)) {
            true => Err(ConnectionDenied::new(ToldToStayAway)),
            false => Ok(Vec::new()),
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn whoever_said_so_is_not_dialled_until_the_time_is_over() {
        #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
        let now = Instant::now();
        let (hub, until) = (PeerId::random(), now + Duration::from_secs(30));
        let mut stay_away = StayAway::default();
        let dials = |stay_away: &mut StayAway, peer| {
            let connection = ConnectionId::new_unchecked(1);
            stay_away.handle_pending_outbound_connection(connection, peer, &[], Endpoint::Dialer).is_ok()
        };
        stay_away.from(hub, until);
        stay_away.expire(now);
        assert!(!dials(&mut stay_away, Some(hub)) && dials(&mut stay_away, Some(PeerId::random())));
        assert!(dials(&mut stay_away, None));
        stay_away.expire(until);
        assert!(dials(&mut stay_away, Some(hub)));
        for _ in 0..2 * MAX_STAYED_AWAY_FROM {
            stay_away.from(PeerId::random(), until);
        }
        assert_eq!(stay_away.until.len(), MAX_STAYED_AWAY_FROM);
    }
}
