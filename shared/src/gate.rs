//! Addresses that may not connect: refused before anything is said, so a listed range costs nothing.

use std::{
    convert::Infallible,
    fmt,
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

use crate::source::ip_of;

/// The behaviour.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    denied: Vec<IpNet>,
}

/// Why an address was turned away.
#[derive(Debug)]
pub(crate) struct DeniedRange(pub(crate) IpNet);

impl fmt::Display for DeniedRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the operator of this node denies {}", self.0)
    }
}

impl std::error::Error for DeniedRange {}

/// The first of these ranges that an address lies in. Behind a relay nobody's own address is seen.
pub(crate) fn range_of(address: &Multiaddr, ranges: &[IpNet]) -> Option<IpNet> {
    let ip = ip_of(address)?;
    let relayed = address.iter().any(|part| part == Protocol::P2pCircuit);
    ranges.iter().find(|range| !relayed && range.contains(&ip)).copied()
}

impl Gate {
    /// Denies these ranges and no others.
    pub(crate) fn set(&mut self, denied: Vec<IpNet>) {
        self.denied = denied;
    }

    fn check(&self, address: &Multiaddr) -> Result<(), ConnectionDenied> {
        range_of(address, &self.denied).map_or(Ok(()), |range| Err(ConnectionDenied::new(DeniedRange(range))))
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.check(remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(remote).map(|()| dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(address).map(|()| dummy::ConnectionHandler)
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
    use super::*;

    #[test]
    fn ranges_cover_both_families_and_nobody_behind_a_relay() {
        let mut gate = Gate::default();
        gate.set(vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        for (address, denied) in [
            ("/ip4/192.0.2.200/tcp/1", true),
            ("/ip4/192.0.3.1/tcp/1", false),
            ("/ip6/::ffff:192.0.2.1/tcp/1", true),
            ("/ip6/2001:db8:1::1/udp/1/quic-v1", true),
            ("/ip6/::1/tcp/1", false),
            ("/dns4/example.org/tcp/1", false),
            ("/ip4/192.0.2.1/tcp/1/p2p/12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7/p2p-circuit", false),
        ] {
            assert_eq!(range_of(&address.parse().unwrap(), &gate.denied).is_some(), denied, "{address}");
        }
    }
}
