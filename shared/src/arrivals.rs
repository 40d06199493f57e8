//! Connections from outside, by source: one address leaves room for the others, while they are not yet authenticated and
//! after that, and shakes hands only so often.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use ipnet::IpNet;
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
        ToSwarm, dummy,
    },
};
use n0_future::time::Instant;

use crate::{
    Config, Limits,
    access::{Buckets, Counts, Rate},
    source::counted_source,
};

/// One source holds at most this fraction of `pending_incoming`.
const SOURCE_DIVISOR: usize = 4;
/// Handshakes that one source begins at once: each costs us a key exchange. Pages try several addresses at a time.
const MAX_HANDSHAKES_PER_SOURCE: usize = 4_096;
/// The same in a second after that.
const SOURCE_HANDSHAKES_PER_SECOND: usize = 128;

/// The behaviour.
#[derive(Debug)]
pub(crate) struct Arrivals {
    most_pending: usize,
    most_established: usize,
    trusted: Vec<IpNet>,
    handshakes: Buckets<IpNet, Instant>,
    pending: Counts<ConnectionId, IpNet>,
    established: Counts<ConnectionId, IpNet>,
}

/// Why a connection was turned away.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Crowded {
    #[error("too many connections of {0} are not yet authenticated")]
    Pending(IpNet),
    #[error("too many connections of {0} were begun")]
    Begun(IpNet),
    #[error("{0} has as many connections as one address may have")]
    Established(IpNet),
}

impl Arrivals {
    pub(crate) fn new(config: &Config) -> Self {
        let mut new = Self {
            most_pending: 0,
            most_established: 0,
            trusted: config.trusted_proxies.clone(),
            handshakes: Buckets::new(Rate::per_second(MAX_HANDSHAKES_PER_SOURCE, SOURCE_HANDSHAKES_PER_SECOND)),
            pending: Counts::default(),
            established: Counts::default(),
        };
        new.set(&config.limits);
        new
    }

    /// Changes how many connections may be pending in all, and how many one source may have.
    pub(crate) fn set(&mut self, limits: &Limits) {
        self.most_pending = (usize::try_from(limits.pending_incoming).unwrap_or(usize::MAX) / SOURCE_DIVISOR).max(1);
        self.most_established = usize::try_from(limits.connections_per_source).unwrap_or(usize::MAX);
    }

    /// A connection is under way. Nothing is counted for this machine, trusted proxies and relayed connections, as many
    /// people share these.
    fn begin(&mut self, connection: ConnectionId, remote: &Multiaddr, now: Instant) -> Result<(), Crowded> {
        let Some(source) = counted_source(remote, &self.trusted) else { return Ok(()) };
        if !self.handshakes.has_room(&source, now) {
            return Err(Crowded::Begun(source));
        }
        if !self.pending.hold(connection, source, self.most_pending) {
            return Err(Crowded::Pending(source));
        }
        self.handshakes.take(source, 1, now);
        Ok(())
    }

    /// Its peer is authenticated.
    fn establish(&mut self, connection: ConnectionId, remote: &Multiaddr) -> Result<(), Crowded> {
        self.pending.release(&connection);
        let Some(source) = counted_source(remote, &self.trusted) else { return Ok(()) };
        match self.established.hold(connection, source, self.most_established) {
            true => Ok(()),
            false => Err(Crowded::Established(source)),
        }
    }

    fn over(&mut self, connection: ConnectionId) {
        self.pending.release(&connection);
        self.established.release(&connection);
    }
}

impl NetworkBehaviour for Arrivals {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        #[allow(clippy::disallowed_methods, reason = "the swarm tells no time")]
        let now = Instant::now();
        self.begin(connection, remote, now).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.establish(connection, remote).map_err(ConnectionDenied::new)?;
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

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ListenFailure(failure) => self.over(failure.connection_id),
            FromSwarm::ConnectionClosed(closed) => self.over(closed.connection_id),
            _ => {}
        }
    }

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

    #[allow(clippy::disallowed_methods, reason = "an origin for the test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    fn of(pending_incoming: u32, connections_per_source: u32) -> Arrivals {
        let mut config = Config { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Config::hub() };
        (config.limits.pending_incoming, config.limits.connections_per_source) =
            (pending_incoming, connections_per_source);
        Arrivals::new(&config)
    }

    fn id(id: usize) -> ConnectionId {
        ConnectionId::new_unchecked(id)
    }

    fn arrive(arrivals: &mut Arrivals, number: usize, from: &str) -> bool {
        arrivals.begin(id(number), &from.parse().unwrap(), start()).is_ok()
    }

    #[test]
    fn one_source_leaves_room_for_others_and_gets_its_own_back() {
        let mut arrivals = of(8, 1000);
        for (id, from, taken) in [
            (1, "/ip4/192.0.2.1/tcp/1", true),
            (2, "/ip4/192.0.2.1/udp/2/quic-v1", true),
            (3, "/ip4/192.0.2.1/tcp/3/ws", false),
            (4, "/ip4/192.0.2.2/tcp/4", true),
            (5, "/ip6/2001:db8::1/tcp/1", true),
            (6, "/ip6/2001:db8::2/tcp/1", true),
            (7, "/ip6/2001:db8::3/tcp/1", false),
        ] {
            assert_eq!(arrive(&mut arrivals, id, from), taken, "{id} from {from}");
        }
        for id in 10..30 {
            assert!(
                arrive(&mut arrivals, id, "/ip4/127.0.0.1/tcp/1") && arrive(&mut arrivals, id, "/ip4/10.1.2.3/tcp/1")
            );
        }
        arrivals.over(id(1));
        arrivals.over(id(1));
        assert!(
            arrive(&mut arrivals, 31, "/ip4/192.0.2.1/tcp/1") && !arrive(&mut arrivals, 32, "/ip4/192.0.2.1/tcp/1")
        );
        [2, 4, 5, 6, 31].into_iter().for_each(|number| arrivals.over(id(number)));
        assert!(arrivals.pending.is_empty());
    }

    #[test]
    fn one_source_has_so_many_connections_and_a_closed_one_makes_place() {
        let mut arrivals = of(1000, 2);
        let (ours, other) = ("/ip4/192.0.2.1/tcp/1".parse().unwrap(), "/ip4/192.0.2.2/tcp/1".parse().unwrap());
        for number in 1..=3 {
            assert!(arrivals.begin(id(number), &ours, start()).is_ok());
            assert_eq!(arrivals.establish(id(number), &ours).is_ok(), number < 3, "{number}");
        }
        assert!(arrivals.establish(id(4), &other).is_ok());
        arrivals.over(id(1));
        assert!(arrivals.establish(id(5), &ours).is_ok() && arrivals.establish(id(6), &ours).is_err());
        let shared = "/ip4/10.1.2.3/tcp/1".parse().unwrap();
        assert!((10..20).all(|number| arrivals.establish(id(number), &shared).is_ok()));
        [2, 4, 5].into_iter().for_each(|number| arrivals.over(id(number)));
        assert!(arrivals.pending.is_empty() && arrivals.established.is_empty());
    }

    #[test]
    fn one_source_shakes_hands_only_so_often() {
        let (mut arrivals, now, from) = (of(100_000, 1000), start(), "/ip6/2001:db8::1/tcp/1".parse().unwrap());
        let mut begun = |seconds: u64| {
            let tries = (0..10_000).filter(|number| {
                let begun = arrivals.begin(id(*number), &from, now + Duration::from_secs(seconds)).is_ok();
                arrivals.over(id(*number));
                begun
            });
            tries.count()
        };
        assert_eq!(begun(0), MAX_HANDSHAKES_PER_SOURCE);
        assert_eq!(begun(2), 2 * SOURCE_HANDSHAKES_PER_SECOND);
    }
}
