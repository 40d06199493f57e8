//! Dials: begun for a caller, for a hub to stay connected to, for a peer that was discovered; and how they failed.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    num::NonZeroU8,
};

use libp2p::{
    Multiaddr, PeerId,
    swarm::{
        ConnectionId, DialError,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use n0_future::time::Instant;

use super::{Actor, wording::describe_dial_error};
use crate::{
    Error, Event, HostBehaviour,
    access::Action,
    command::Reply,
    links::{Due, SILENCE, peer_of},
    pending::Asked,
};

/// Addresses of one dial that are tried at a time, where the host starts them one after another: all there can be.
const MAX_AT_ONCE: u8 = 64;
const AT_ONCE: NonZeroU8 = NonZeroU8::new(MAX_AT_ONCE).expect("not zero");

/// Peers found on the local network that are dialled at once.
const MAX_FINDS_DIALLED: usize = 16;
/// Further ones that wait.
const MAX_WAITING_FINDS: usize = 256;

/// Peers found on the local network that are being dialled, or are to be.
#[derive(Debug, Default)]
pub(super) struct Finds {
    dialling: HashSet<ConnectionId>,
    waiting: VecDeque<(PeerId, Vec<Multiaddr>)>,
}

impl<B: HostBehaviour> Actor<B> {
    pub(super) fn dial(&mut self, address: Multiaddr, reply: Reply<Result<PeerId, Error>>) {
        let peer = peer_of(&address);
        if let Some(peer) = peer {
            let now = self.now();
            if let Err(denied) = self.access.check(&peer, Action::Connect, now.instant) {
                drop(reply.send(Err(Error::Denied { peer: peer.to_string(), reason: denied.to_string() })));
                return;
            }
            if let Some(known) = self.peers.get_mut(&peer) {
                known.chosen = true;
                self.follow_chosen();
                drop(reply.send(Ok(peer)));
                return;
            }
            // Whoever asks for it may know better.
            self.swarm.behaviour_mut().stay_away.forget(&peer);
        }
        let options = match peer {
            Some(peer) => {
                DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(vec![address.clone()]).build()
            }
            None => DialOpts::unknown_peer_id().address(address.clone()).build(),
        };
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                let since = self.now().instant;
                self.pending.insert_dial(connection, Asked { address: address.to_string(), since, reply });
            }
            Err(error) => {
                let reason = describe_dial_error(&error);
                drop(reply.send(Err(Error::Dial { address: address.to_string(), reason })));
            }
        }
    }

    /// Peers found on the local network, each dialled once at all its addresses.
    pub(super) fn discovered(&mut self, found: Vec<(PeerId, Multiaddr)>) {
        let now = self.now().instant;
        let mut peers: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
        for (peer, address) in found {
            tracing::info!(%peer, %address, "discovered");
            self.emit(Event::Discovered { peer, address: address.clone() });
            self.kad().add_address(&peer, address.clone());
            peers.entry(peer).or_default().push(address.clone());
            self.links.found(peer, address, now);
        }
        self.finds.waiting.extend(peers);
        // Whoever tells of them may invent them.
        self.finds.waiting.truncate(MAX_WAITING_FINDS);
        self.dial_found();
    }

    /// Dials peers that were found, some at a time.
    fn dial_found(&mut self) {
        while self.finds.dialling.len() < MAX_FINDS_DIALLED
            && let Some((peer, addresses)) = self.finds.waiting.pop_front()
        {
            let options = self.options(peer, addresses, PeerCondition::DisconnectedAndNotDialing);
            let connection = options.connection_id();
            // Refused when we are connected already.
            if self.swarm.dial(options).is_ok() {
                self.finds.dialling.insert(connection);
            }
        }
    }

    /// A dial has ended.
    pub(super) fn dial_ended(&mut self, connection: &ConnectionId) {
        if self.finds.dialling.remove(connection) {
            self.dial_found();
        }
    }

    /// A dial of these addresses. Where the host starts them one after another none waits for one of the first to fail.
    fn options(&self, peer: PeerId, addresses: Vec<Multiaddr>, condition: PeerCondition) -> DialOpts {
        let options = DialOpts::peer_id(peer).condition(condition).addresses(addresses);
        match self.config.all_addresses {
            true => options.override_dial_concurrency_factor(AT_ONCE).build(),
            false => options.build(),
        }
    }

    pub(super) fn dial_links(&mut self, now: Instant) {
        self.swarm.behaviour_mut().stay_away.expire(now);
        self.give_up_silent_dials(now);
        for peer in self.links.too_wide(now) {
            if !self.peers.contains_key(&peer) {
                // Also ends dials to it that are under way. It says that it was not connected.
                let _ = self.swarm.disconnect_peer_id(peer);
            }
        }
        for Due { link, peer, addresses, wide, at_once } in self.links.due(now, self.config.all_addresses) {
            let options = match peer {
                Some(peer) if self.peers.contains_key(&peer) => {
                    self.links.up(peer, ConnectionId::new_unchecked(usize::MAX), now);
                    continue;
                }
                Some(peer) => {
                    let condition = match at_once {
                        true => PeerCondition::Disconnected,
                        false => PeerCondition::DisconnectedAndNotDialing,
                    };
                    self.options(peer, addresses, condition)
                }
                None => {
                    let Some(address) = addresses.into_iter().next() else { continue };
                    DialOpts::unknown_peer_id().address(address).build()
                }
            };
            let connection = options.connection_id();
            match self.swarm.dial(options) {
                Ok(()) => self.links.dialling(link, connection, wide, now),
                Err(DialError::DialPeerConditionFalse(_)) => self.links.busy(link, now),
                Err(error) => {
                    tracing::debug!(%error, "a hub cannot be dialled now");
                    let reason = describe_dial_error(&error);
                    let news = self.links.refused(link, &reason, now, rand::random());
                    // Who told us to stay away said so itself.
                    self.tell_unreachable(news.filter(|_| !matches!(error, DialError::Denied { .. })), reason);
                }
            }
        }
    }

    pub(super) fn dial_failed(&mut self, connection: ConnectionId, error: &DialError) {
        self.dial_ended(&connection);
        if matches!(error, DialError::WrongPeerId { .. }) {
            self.links.mistaken(connection);
        }
        // We ended it ourselves, and the next try tells why.
        self.failed(connection, describe_dial_error(error), !matches!(error, DialError::Aborted));
    }

    /// Whatever a dial may meet ends it, but for a fault in a transport: its task is gone then, and the swarm waits for
    /// ever.
    fn give_up_silent_dials(&mut self, now: Instant) {
        let silent = self.links.silent(now).into_iter().chain(self.pending.silent_dials(now)).collect::<Vec<_>>();
        for connection in silent {
            tracing::warn!("a dial has told nothing for {} s; it counts as failed", SILENCE.as_secs());
            self.failed(connection, "the dial ended without a result; try again, and report it".to_owned(), true);
        }
    }

    fn failed(&mut self, connection: ConnectionId, reason: String, is_news: bool) {
        let (now, spread) = (self.now().instant, rand::random());
        let news = if is_news { self.links.reason(connection, &reason) } else { None };
        self.links.failed(connection, now, spread);
        self.tell_unreachable(news, reason.clone());
        if let Some(Asked { address, reply, .. }) = self.pending.take_dial(&connection) {
            let _ = reply.send(Err(Error::Dial { address, reason }));
        }
    }

    fn tell_unreachable(&self, news: Option<Multiaddr>, reason: String) {
        if let Some(address) = news {
            self.emit(Event::Unreachable { address, reason });
        }
    }
}
