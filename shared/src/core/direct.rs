//! Direct connections to peers that cannot listen; [`direct`](crate::direct) says how they come about.

use std::{collections::BTreeSet, time::Duration};

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol, swarm::ConnectionId};
use tincan_webrtc::signalling::OfferId;

use super::{Core, Dial, Output, Unless, peers::Peer};
use crate::{
    Error, Path,
    access::Action,
    direct::{RoomView, choose},
    paths::how,
    room::MAX_RELAYS,
    room_id::RoomId,
};

/// How long a circuit stays open beside a direct connection, which the other side may hold to be ready a moment later.
const CIRCUIT_LINGER: Duration = Duration::from_secs(3);
/// Of the last speakers in a room so many count when direct connections are chosen.
const SPEAKERS: usize = 8;

impl Core {
    /// This node can arrange direct connections, and may.
    pub(crate) fn arrange_directly(&mut self) {
        self.arranges = true;
    }

    /// Members of a room may connect to us directly from now on, or may no longer.
    pub(super) fn set_direct(&mut self, name: &str, direct: bool) -> Result<(), Error> {
        let joined = self.rooms.get_key_value(name).filter(|(_, room)| room.is_joined());
        let Some((name, _)) = joined else { return Err(Error::NotInRoom { room: name.to_owned() }) };
        let name = name.clone();
        if self.with_room(&name, |room, _, _, out| room.set_direct(direct, out)) == Some(true) {
            self.announce(&name);
            self.direct.changed(self.now.instant);
            self.changed.insert(name);
            self.close_unagreed();
        }
        Ok(())
    }

    /// Closes connections that were arranged with peers who share no room any more in which that is agreed to.
    pub(super) fn close_unagreed(&mut self) {
        let arranged = self.peers.infos().filter(|info| info.transport == "webrtc").map(|info| info.peer);
        for peer in arranged.filter(|peer| !self.is_agreed_with(peer)).collect::<Vec<_>>() {
            let connections = self.peers.get(&peer).into_iter().flat_map(Peer::connections);
            let arranged = connections.filter(|connection| how(&connection.address).1 == "webrtc");
            self.out.extend(arranged.map(|connection| Output::Close(connection.id)));
        }
    }

    /// Whether a peer is in a room whose members may connect to us.
    fn is_agreed_with(&self, peer: &PeerId) -> bool {
        let mut rooms = self.rooms.iter().filter(|(_, room)| room.is_direct());
        rooms.any(|(name, _)| self.members.lists(name, peer))
    }

    /// Reserves places at hubs, and dials whom to be connected with. Closes circuits that are no longer needed.
    pub(super) fn keep_direct(&mut self) {
        if !self.arranges {
            return;
        }
        let now = self.now.instant;
        if self.direct.deadline().is_none_or(|at| at > now) {
            return;
        }
        self.direct.looked(now);
        let circuits: Vec<ConnectionId> =
            self.direct.surplus.extract_if(.., |_, at| *at <= now).map(|(circuit, _)| circuit).collect();
        self.out.extend(circuits.into_iter().map(Output::Close));
        self.reserve();
        self.dial_directly();
    }

    fn reserve(&mut self) {
        let now = self.now.instant;
        let is_wanted = self.rooms.values().any(|room| room.is_direct());
        let taken = self.direct.reservations.taken();
        if !is_wanted {
            for hub in taken {
                self.out.push(Output::Unreserve(hub));
                self.direct.reservations.forget(&hub);
            }
            return;
        }
        let free = MAX_RELAYS.saturating_sub(taken.len());
        let may_ask = |hub: &&PeerId| {
            let is_ready = self.peers.get(hub).is_some_and(|known| known.welcome && known.info.path == Path::Direct);
            is_ready && self.is_chosen(hub) && self.direct.reservations.may_ask(hub, now)
        };
        for hub in self.hubs.keys().filter(may_ask).take(free).copied().collect::<Vec<_>>() {
            if let Some(address) = self.circuit_at(&hub) {
                self.direct.reservations.asked(hub);
                self.out.push(Output::Reserve { hub, address });
            }
        }
    }

    /// `HUB/p2p/ID/p2p-circuit`, as we reach that hub.
    fn circuit_at(&self, hub: &PeerId) -> Option<Multiaddr> {
        let known = self.peers.get(hub)?;
        let ours = known.connections().iter().find(|connection| connection.is_dialled)?;
        Some(ours.address.clone().with_p2p(*hub).ok()?.with(Protocol::P2pCircuit))
    }

    /// A hub keeps a place for us.
    pub(super) fn reservation_up(&mut self, hub: PeerId) {
        if self.direct.reservations.up(&hub) {
            self.announce_directly();
        }
    }

    /// It does not, or no longer.
    pub(super) fn unreserved(&mut self, hub: PeerId) {
        let is_news = match self.peers.is_connected(&hub) {
            true => self.direct.reservations.down(&hub, self.now.instant),
            false => self.direct.reservations.forget(&hub),
        };
        self.direct.changed(self.now.instant);
        if is_news {
            self.announce_directly();
        }
    }

    /// Says in rooms that want it by which hubs we are reached.
    pub(super) fn announce_directly(&mut self) {
        let rooms = self.rooms.iter().filter(|(_, room)| room.is_direct());
        for name in rooms.map(|(name, _)| name.clone()).collect::<Vec<RoomId>>() {
            self.announce(&name);
        }
        self.direct.changed(self.now.instant);
    }

    fn dial_directly(&mut self) {
        let now = self.now.instant;
        let views: Vec<RoomView> =
            self.rooms.iter().filter(|(_, room)| room.is_direct()).map(|(name, _)| self.view(name)).collect();
        let chosen = choose(self.me, &views, self.config.limits.direct);
        let wanted = chosen.into_iter().filter(|peer| !self.is_direct(peer)).collect::<Vec<_>>();
        let places = self.config.limits.direct.saturating_sub(self.direct_peers() + self.direct.tries.under_way());
        let due = self.direct.tries.due(self.me, wanted.into_iter(), now);
        for peer in due.into_iter().take(places) {
            let Some(address) = self.direct_address(&peer) else { continue };
            let id = self.dials.next();
            self.direct.tries.dialled(peer, id);
            let dial = Dial { id, peer: Some(peer), addresses: vec![address], unless: Unless::Never, staggered: false };
            self.out.push(Output::Dial(dial));
        }
    }

    /// A room's members that can be connected to directly, or are.
    fn view(&self, name: &RoomId) -> RoomView {
        let Some(room) = self.rooms.get(name) else { return RoomView::default() };
        let (listed, _) = self.members.of(name, &self.me);
        let members: BTreeSet<PeerId> =
            listed.into_iter().filter(|peer| self.is_direct(peer) || self.relay_of(name, peer).is_some()).collect();
        let mut speakers = Vec::new();
        for frame in room.ring().lines().collect::<Vec<_>>().into_iter().rev() {
            if speakers.len() < SPEAKERS && !speakers.contains(&frame.author) {
                speakers.push(frame.author);
            }
        }
        RoomView { members, speakers }
    }

    /// A hub of ours over which a member of a room takes direct connections.
    fn relay_of(&self, room: &RoomId, peer: &PeerId) -> Option<PeerId> {
        let relays = self.rooms.get(room)?.relays_of(peer);
        relays.iter().find(|relay| self.circuit_at(relay).is_some()).copied()
    }

    fn direct_address(&self, peer: &PeerId) -> Option<Multiaddr> {
        if self.peers.is_connected(peer) {
            return Some(Multiaddr::from(Protocol::WebRTC));
        }
        let mut rooms = self.rooms.iter().filter(|(_, room)| room.is_direct());
        let relay = rooms.find_map(|(name, _)| self.relay_of(name, peer))?;
        Some(self.circuit_at(&relay)?.with(Protocol::WebRTC))
    }

    /// Whether a peer has a direct connection with us, of whatever kind.
    fn is_direct(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|known| known.info.path == Path::Direct)
    }

    /// Peers with which a connection was arranged.
    fn direct_peers(&self) -> usize {
        self.peers.infos().filter(|info| info.transport == "webrtc").count()
    }

    /// A connection stands: where it is a direct one, circuits beside it are no longer needed, and of two one stays.
    pub(super) fn went_direct(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(known) = self.peers.get(&peer) else { return };
        let of = |transport: &'static str| {
            known.connections().iter().filter(move |connection| how(&connection.address).1 == transport)
        };
        let arranged: Vec<(ConnectionId, bool)> = of("webrtc").map(|it| (it.id, it.is_dialled)).collect();
        if arranged.is_empty() {
            return;
        }
        let until = self.now.instant + CIRCUIT_LINGER;
        for circuit in of("circuit").map(|circuit| circuit.id).collect::<Vec<_>>() {
            self.direct.surplus.entry(circuit).or_insert(until);
        }
        // Both sides keep what the smaller id dialled.
        let is_kept = |is_dialled: bool| is_dialled == (self.me < peer);
        if arranged.len() > 1 && arranged.iter().any(|(_, is_dialled)| is_kept(*is_dialled)) {
            for (other, _) in arranged.iter().filter(|(_, is_dialled)| !is_kept(*is_dialled)) {
                self.direct.surplus.entry(*other).or_insert(until);
            }
        }
        if arranged.iter().any(|(known, _)| *known == id) {
            self.direct.tries.connected(peer, self.now.instant);
        }
        self.direct.changed(self.now.instant);
    }

    /// A connection is lost.
    pub(super) fn lost_direct(&mut self, peer: PeerId, connection: ConnectionId, was_arranged: bool) {
        self.direct.surplus.remove(&connection);
        if was_arranged && !self.is_direct(&peer) {
            let spread = self.spread();
            self.direct.tries.lost(peer, self.now.instant, spread);
            self.direct.changed(self.now.instant);
        }
    }

    /// A peer offers a direct connection. The answer tells it our addresses, so only members of a room are answered in which
    /// that was agreed to.
    pub(super) fn offered(&mut self, peer: PeerId, offer: OfferId) {
        let may = self.access.check(&peer, Action::Connect, self.now.instant).is_ok();
        let has_place = self.direct_peers() < self.config.limits.direct.saturating_mul(2);
        let is_taken = self.arranges && may && has_place && self.is_agreed_with(&peer);
        tracing::debug!(%peer, is_taken, "a direct connection is offered");
        self.out.push(Output::AnswerOffer { offer, is_taken });
    }
}
