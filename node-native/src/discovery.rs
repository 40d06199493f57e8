//! mDNS on IPv4 and on IPv6: libp2p's behaviour speaks one of them, so there are two of it.

use std::{
    collections::BTreeMap,
    fmt, io,
    task::{Context, Poll},
    time::Instant,
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    mdns::{Config, Event, tokio::Behaviour},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
        ToSwarm, dummy,
    },
};
use tincan_shared::HostEvent;

use crate::addresses;

/// Finds peers on the local network. What both families tell is told once, and forgotten when neither tells it.
pub struct Discovery {
    families: [Behaviour; 2],
    found: Found,
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovery").field("found", &self.found).finish_non_exhaustive()
    }
}

impl Discovery {
    /// With these times; `config` decides no family.
    ///
    /// # Errors
    /// Where network interfaces cannot be watched.
    pub fn new(config: &Config, peer: PeerId) -> io::Result<Self> {
        let family = |enable_ipv6| Behaviour::new(Config { enable_ipv6, ..config.clone() }, peer);
        Ok(Self { families: [family(false)?, family(true)?], found: Found::new(Instant::now()) })
    }
}

/// Addresses of found peers that are remembered, and of these those of one peer; further ones are passed over until they
/// are found anew. Whoever is on the network may invent them; a peer has up to about ten.
const MAX_FOUND: usize = 1024;
const MAX_FOUND_PER_PEER: usize = 16;
/// Finds that are told in a second, once as many as are remembered were told.
const FINDS_PER_SECOND: u32 = 8;

/// Whom which family has found where.
#[derive(Debug)]
struct Found {
    addresses: BTreeMap<(PeerId, Multiaddr), [bool; 2]>,
    /// How many more may be told, as of a moment.
    allowed: (f64, Instant),
}

impl Found {
    fn new(now: Instant) -> Self {
        Self { addresses: BTreeMap::new(), allowed: (MAX_FOUND as f64, now) }
    }

    /// Whether one more address of this peer may be told of now.
    fn takes(&mut self, peer: PeerId, now: Instant) -> bool {
        let (left, at) = self.allowed;
        let left = left + f64::from(FINDS_PER_SECOND) * now.saturating_duration_since(at).as_secs_f64();
        self.allowed = (left.min(MAX_FOUND as f64), now);
        let theirs = self.addresses.range((peer, Multiaddr::empty())..).take_while(|((other, _), _)| *other == peer);
        let takes = self.addresses.len() < MAX_FOUND && theirs.count() < MAX_FOUND_PER_PEER && self.allowed.0 >= 1.0;
        self.allowed.0 -= f64::from(u8::from(takes));
        takes
    }

    /// What is news of a family's event; an empty list when nothing is.
    fn news(&mut self, family: usize, event: Event, now: Instant) -> HostEvent {
        match event {
            Event::Discovered(all) => {
                let mut new = |entry: &(PeerId, Multiaddr)| {
                    if let Some(families) = self.addresses.get_mut(entry) {
                        families[family] = true;
                        return false;
                    }
                    let takes = self.takes(entry.0, now);
                    if takes {
                        self.addresses.insert(entry.clone(), [family == 0, family == 1]);
                    }
                    takes
                };
                HostEvent::Discovered(all.into_iter().filter(can_dial).filter(&mut new).collect())
            }
            Event::Expired(all) => {
                let mut gone = |entry: &(PeerId, Multiaddr)| {
                    let Some(families) = self.addresses.get_mut(entry) else { return false };
                    families[family] = false;
                    !families.contains(&true)
                };
                let gone: Vec<_> = all.into_iter().filter(&mut gone).collect();
                self.addresses.retain(|_, families| families.contains(&true));
                HostEvent::Expired(gone)
            }
        }
    }
}

/// Link-local addresses come without the interface that they belong to.
fn can_dial((_, address): &(PeerId, Multiaddr)) -> bool {
    addresses::is_dialable(address)
}

impl NetworkBehaviour for Discovery {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = HostEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let known = self.found.addresses.keys().filter(|(found, _)| Some(*found) == peer);
        Ok(known.map(|(_, address)| address.clone()).collect())
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

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.families.iter_mut().for_each(|family| family.on_swarm_event(event));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        for (family, mdns) in self.families.iter_mut().enumerate() {
            while let Poll::Ready(event) = mdns.poll(cx) {
                match event {
                    ToSwarm::GenerateEvent(event) => match self.found.news(family, event, Instant::now()) {
                        HostEvent::Discovered(none) | HostEvent::Expired(none) if none.is_empty() => {}
                        news => return Poll::Ready(ToSwarm::GenerateEvent(news)),
                    },
                    ToSwarm::NewExternalAddrOfPeer { peer_id, address } if can_dial(&(peer_id, address.clone())) => {
                        return Poll::Ready(ToSwarm::NewExternalAddrOfPeer { peer_id, address });
                    }
                    // It asks the swarm for nothing else.
                    _ => {}
                }
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn told(event: HostEvent) -> Vec<String> {
        match event {
            HostEvent::Discovered(all) => all.iter().map(|(_, address)| format!("+{address}")).collect(),
            HostEvent::Expired(all) => all.iter().map(|(_, address)| format!("-{address}")).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_families_tell_of_a_peer_once() {
        let (began, peer) = (Instant::now(), PeerId::random());
        let mut found = Found::new(began);
        let news = |found: &mut Found, family, event| told(found.news(family, event, began));
        let (one, other) = ("/ip4/192.0.2.1/tcp/1", "/ip6/2001:db8::1/tcp/1");
        let all = |texts: &[&str]| texts.iter().map(|text| (peer, text.parse().unwrap())).collect::<Vec<_>>();
        let discovered = |texts: &[&str]| Event::Discovered(all(texts));
        assert_eq!(news(&mut found, 0, discovered(&[one])), ["+/ip4/192.0.2.1/tcp/1"]);
        assert_eq!(news(&mut found, 1, discovered(&[one, other])), ["+/ip6/2001:db8::1/tcp/1"]);
        assert!(news(&mut found, 1, discovered(&["/ip6/fe80::1/tcp/1"])).is_empty(), "of which interface?");
        assert!(news(&mut found, 0, Event::Expired(all(&[one]))).is_empty(), "it is still heard of by IPv6");
        assert_eq!(news(&mut found, 1, Event::Expired(all(&[one, other]))).len(), 2);
        assert!(found.addresses.is_empty());
    }

    #[test]
    fn who_invents_peers_fills_neither_the_memory_nor_the_screen() {
        let began = Instant::now();
        let mut found = Found::new(began);
        let discovered = |found: &mut Found, peers: usize, seconds: u64| {
            let all = (0..peers).map(|_| (PeerId::random(), "/ip4/192.0.2.1/tcp/1".parse().unwrap())).collect();
            told(found.news(0, Event::Discovered(all), began + Duration::from_secs(seconds))).len()
        };
        assert_eq!(discovered(&mut found, 2 * MAX_FOUND, 0), MAX_FOUND);
        let all = found.addresses.keys().cloned().collect();
        told(found.news(0, Event::Expired(all), began));
        assert_eq!(discovered(&mut found, 2 * MAX_FOUND, 2), 16, "of the next ones some a second");
        let peer = PeerId::random();
        let many = (0..100).map(|n| (peer, format!("/ip4/192.0.2.{n}/tcp/1").parse().unwrap())).collect();
        assert_eq!(
            told(found.news(0, Event::Discovered(many), began + Duration::from_secs(99))).len(),
            MAX_FOUND_PER_PEER
        );
    }
}
