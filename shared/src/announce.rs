//! Which addresses a protocol tells to whom: our private ones, and those of others, stay in their network.
//!
//! identify, Kademlia and the relay tell every peer the same addresses. This wraps each of them and takes out, of what a
//! connection is about to say, the addresses that are not for the other end of that connection.

use std::{
    collections::HashMap,
    net::IpAddr,
    ops::{Deref, DerefMut},
    task::{Context, Poll},
};

use either::Either;
use ipnet::IpNet;
use libp2p::{
    Multiaddr, PeerId,
    core::{ConnectedPoint, Endpoint, transport::PortUse},
    identify, kad,
    multiaddr::Protocol,
    relay,
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionHandler, ConnectionId, ExternalAddresses, FromSwarm,
        ListenAddresses, NetworkBehaviour, NotifyHandler, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::ConnectionEstablished,
    },
};

use crate::{Config, reach::Seen, source::ip_of};

/// A protocol that tells peers addresses.
pub(crate) trait TellsAddresses: NetworkBehaviour {
    /// What a new connection says first of our addresses.
    fn greeting(_own: Vec<Multiaddr>) -> Option<THandlerInEvent<Self>> {
        None
    }

    /// Takes out of what a connection is to say the addresses that `told` refuses.
    fn keep(event: &mut THandlerInEvent<Self>, told: &dyn Fn(&Multiaddr) -> bool);
}

/// See the [module](self).
pub(crate) struct Announce<B> {
    inner: B,
    /// What the operator announces: told to everybody.
    external: Vec<Multiaddr>,
    /// Whoever comes from there may be anywhere.
    proxies: Vec<IpNet>,
    listening: ListenAddresses,
    confirmed: ExternalAddresses,
    /// Where the other end of each connection is.
    seen: HashMap<PeerId, HashMap<ConnectionId, Seen>>,
}

impl<B: TellsAddresses> Announce<B> {
    /// Tells what the operator announces to everybody.
    pub(crate) fn new(inner: B, config: &Config) -> Self {
        Self {
            inner,
            external: config.external.iter().map(without_id).collect(),
            proxies: config.trusted_proxies.clone(),
            listening: ListenAddresses::default(),
            confirmed: ExternalAddresses::default(),
            seen: HashMap::new(),
        }
    }

    fn keep(&self, seen: &[Seen], event: &mut THandlerInEvent<B>) {
        let own: Vec<IpAddr> = self.listening.iter().filter_map(ip_of).collect();
        let told = |address: &Multiaddr| {
            self.external.contains(&without_id(address)) || seen.iter().all(|seen| seen.is_told(address, &own))
        };
        B::keep(event, &told);
    }

    fn greet(&self, mut handler: THandler<B>, seen: Seen) -> THandler<B> {
        let own = self.listening.iter().chain(self.confirmed.iter()).cloned().collect();
        if let Some(mut greeting) = B::greeting(own) {
            self.keep(&[seen], &mut greeting);
            handler.on_behaviour_event(greeting);
        }
        handler
    }

    /// Where the peer is, by the connection or, where any may be taken, by all of them.
    fn seen(&self, peer: &PeerId, handler: &NotifyHandler) -> Vec<Seen> {
        let connections = self.seen.get(peer).into_iter().flatten();
        let taken = |connection: &ConnectionId| match handler {
            NotifyHandler::One(one) => one == connection,
            NotifyHandler::Any => true,
        };
        let seen: Vec<Seen> = connections.filter(|(id, _)| taken(id)).map(|(_, seen)| *seen).collect();
        if seen.is_empty() { vec![Seen::Anywhere] } else { seen }
    }
}

fn without_id(address: &Multiaddr) -> Multiaddr {
    match address.iter().last() {
        Some(Protocol::P2p(_)) => {
            let mut bare = address.clone();
            bare.pop();
            bare
        }
        _ => address.clone(),
    }
}

impl<B> Deref for Announce<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.inner
    }
}

impl<B> DerefMut for Announce<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.inner
    }
}

impl<B: TellsAddresses> NetworkBehaviour for Announce<B> {
    type ConnectionHandler = THandler<B>;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let handler = self.inner.handle_established_inbound_connection(connection, peer, local, remote)?;
        Ok(self.greet(handler, Seen::arrived(local, remote, &self.proxies)))
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner.handle_pending_outbound_connection(connection, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        remote: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let handler = self.inner.handle_established_outbound_connection(connection, peer, remote, role, port_use)?;
        Ok(self.greet(handler, Seen::through(remote, &self.proxies)))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.listening.on_swarm_event(&event);
        self.confirmed.on_swarm_event(&event);
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. }) => {
                let seen = match endpoint {
                    ConnectedPoint::Listener { local_addr, send_back_addr } => {
                        Seen::arrived(local_addr, send_back_addr, &self.proxies)
                    }
                    ConnectedPoint::Dialer { address, .. } => Seen::through(address, &self.proxies),
                };
                self.seen.entry(peer_id).or_default().insert(connection_id, seen);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, remaining_established, .. }) => {
                if remaining_established == 0 {
                    self.seen.remove(&peer_id);
                } else if let Some(connections) = self.seen.get_mut(&peer_id) {
                    connections.remove(&connection_id);
                }
            }
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx).map(|asked| match asked {
            ToSwarm::NotifyHandler { peer_id, handler, mut event } => {
                self.keep(&self.seen(&peer_id, &handler), &mut event);
                ToSwarm::NotifyHandler { peer_id, handler, event }
            }
            other => other,
        })
    }
}

type IdentifyIn = THandlerInEvent<identify::Behaviour>;

impl TellsAddresses for identify::Behaviour {
    fn greeting(own: Vec<Multiaddr>) -> Option<THandlerInEvent<Self>> {
        Some(IdentifyIn::AddressesChanged(own.into_iter().collect()))
    }

    fn keep(event: &mut THandlerInEvent<Self>, told: &dyn Fn(&Multiaddr) -> bool) {
        if let IdentifyIn::AddressesChanged(own) = event {
            own.retain(told);
        }
    }
}

type KadIn = THandlerInEvent<kad::Behaviour<kad::store::MemoryStore>>;

impl<S: kad::store::RecordStore + Send + 'static> TellsAddresses for kad::Behaviour<S> {
    fn keep(event: &mut THandlerInEvent<Self>, told: &dyn Fn(&Multiaddr) -> bool) {
        let keep = |peers: &mut Vec<kad::KadPeer>| peers.iter_mut().for_each(|peer| peer.multiaddrs.retain(told));
        match event {
            KadIn::FindNodeRes { closer_peers, .. } | KadIn::GetRecordRes { closer_peers, .. } => keep(closer_peers),
            KadIn::GetProvidersRes { closer_peers, provider_peers, .. } => {
                keep(closer_peers);
                keep(provider_peers);
            }
            KadIn::AddProvider { provider, .. } => provider.multiaddrs.retain(told),
            _ => {}
        }
    }
}

/// Names the first of two kinds, whose name the relay does not publish.
trait First {
    type First;
}

impl<L, R> First for Either<L, R> {
    type First = L;
}

type RelayIn = <THandlerInEvent<relay::Behaviour> as First>::First;

impl TellsAddresses for relay::Behaviour {
    fn keep(event: &mut THandlerInEvent<Self>, told: &dyn Fn(&Multiaddr) -> bool) {
        if let Either::Left(RelayIn::AcceptReservationReq { addrs, .. }) = event {
            addrs.retain(told);
        }
    }
}
