//! Connections that have arrived and are not yet authenticated, by source: one address leaves room for the others.

use std::{
    collections::HashMap,
    convert::Infallible,
    task::{Context, Poll},
};

use ipnet::IpNet;
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
        ToSwarm, dummy,
    },
};

use crate::{
    Config,
    source::{ip_of, source},
};

/// One source holds at most this fraction of `pending_incoming`.
const SOURCE_DIVISOR: usize = 4;

/// The behaviour.
#[derive(Debug)]
pub(crate) struct Arrivals {
    most: usize,
    trusted: Vec<IpNet>,
    pending: HashMap<ConnectionId, IpNet>,
    by_source: HashMap<IpNet, usize>,
}

/// Why a connection was turned away.
#[derive(Debug, thiserror::Error)]
#[error("too many connections of {0} are not yet authenticated")]
pub(crate) struct Crowded(IpNet);

impl Arrivals {
    pub(crate) fn new(config: &Config) -> Self {
        let mut new = Self {
            most: 0,
            trusted: config.trusted_proxies.clone(),
            pending: HashMap::new(),
            by_source: HashMap::new(),
        };
        new.set(config.limits.pending_incoming);
        new
    }

    /// Changes how many connections may be pending in all.
    pub(crate) fn set(&mut self, pending_incoming: u32) {
        self.most = (usize::try_from(pending_incoming).unwrap_or(usize::MAX) / SOURCE_DIVISOR).max(1);
    }

    /// Whom a connection counts for; nobody for this machine, trusted proxies and relayed connections, as many people
    /// share these.
    fn counted(&self, remote: &Multiaddr) -> Option<IpNet> {
        let ip = ip_of(remote).filter(|ip| !ip.is_loopback())?;
        let shared = self.trusted.iter().any(|range| range.contains(&ip));
        let relayed = remote.iter().any(|part| part == Protocol::P2pCircuit);
        (!shared && !relayed).then(|| source(ip))
    }

    fn over(&mut self, connection: ConnectionId) {
        let Some(source) = self.pending.remove(&connection) else { return };
        if let Some(count) = self.by_source.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(&source);
            }
        }
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
        let Some(source) = self.counted(remote) else { return Ok(()) };
        let count = self.by_source.entry(source).or_default();
        if *count >= self.most {
            return Err(ConnectionDenied::new(Crowded(source)));
        }
        *count += 1;
        self.pending.insert(connection, source);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.over(connection);
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
        if let FromSwarm::ListenFailure(failure) = event {
            self.over(failure.connection_id);
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
    use super::*;

    fn arrive(arrivals: &mut Arrivals, id: usize, from: &str) -> bool {
        let here = "/ip4/198.51.100.1/tcp/1".parse().unwrap();
        let connection = ConnectionId::new_unchecked(id);
        arrivals.handle_pending_inbound_connection(connection, &here, &from.parse().unwrap()).is_ok()
    }

    #[test]
    fn one_source_leaves_room_for_others_and_gets_its_own_back() {
        let config = Config { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Config::hub() };
        let mut arrivals = Arrivals::new(&config);
        arrivals.set(8);
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
        arrivals.over(ConnectionId::new_unchecked(1));
        arrivals.over(ConnectionId::new_unchecked(1));
        assert!(
            arrive(&mut arrivals, 31, "/ip4/192.0.2.1/tcp/1") && !arrive(&mut arrivals, 32, "/ip4/192.0.2.1/tcp/1")
        );
        for id in [2, 4, 5, 6, 31] {
            arrivals.over(ConnectionId::new_unchecked(id));
        }
        assert!(arrivals.pending.is_empty() && arrivals.by_source.is_empty());
    }
}
