//! What becomes of a second connection of a peer; [`doubles`](super::doubles) says why it matters.

use std::{collections::btree_map::Entry, time::Duration};

use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};

use super::{
    Core, Output,
    doubles::{Double, State},
};
use crate::{
    Path,
    hub::wire::{FromHub, Reason, TWIN},
    paths::how,
};

/// Whoever dialled twice has this time to close the later connection, and to open the hub stream on which it is told why it is
/// closed, on a slow way too.
const CLOSING_TIME: Duration = Duration::from_millis(1500);
/// Time in which a second program hears why it is closed.
const TOLD_TIME: Duration = Duration::from_millis(250);

impl Core {
    /// The older connection of a peer for which another one comes, where that has to be looked into.
    pub(super) fn older_connection(
        &self,
        peer: &PeerId,
        address: &Multiaddr,
        is_dialled: bool,
    ) -> Option<ConnectionId> {
        let known = self.peers.get(peer)?;
        // One that was arranged stands beside others for its own reasons.
        let is_direct = |address: &Multiaddr| how(address).0 == Path::Direct && how(address).1 != "webrtc";
        let is_tincan = known.info.agent.as_deref().is_some_and(|agent| agent.starts_with("tincan/"));
        let older = known.connections().iter().find(|older| is_direct(&older.address))?;
        let is_double = match is_dialled {
            true => older.is_dialled,
            false => is_tincan,
        };
        (is_double && is_direct(address)).then_some(older.id)
    }

    /// Another connection of a peer stands beside `older`: asks whether that still works.
    pub(super) fn doubled(&mut self, peer: PeerId, older: ConnectionId) {
        if let Entry::Vacant(place) = self.doubles.doubles.entry(peer) {
            place.insert(Double { older, state: State::Asked });
            self.out.push(Output::Probe { peer, connection: older });
        }
    }

    pub(super) fn probed(&mut self, peer: PeerId, connection: ConnectionId, is_answered: bool) {
        let Some(double) = self.doubles.doubles.get(&peer).copied() else { return };
        if double.older != connection || double.state != State::Asked {
            return;
        }
        if !is_answered {
            tracing::debug!(%peer, "came back before its old connection was found dead; starting anew with it");
            self.forget_double(&peer);
            self.out.push(Output::Disconnect(peer));
            return;
        }
        let Some(known) = self.peers.get(&peer) else { return };
        let is_ours = known.connections().iter().any(|older| older.id == connection && older.is_dialled);
        if is_ours {
            self.close_later(&peer, connection, true);
            self.forget_double(&peer);
        } else if self.is_hub() {
            let state = State::Answered(self.now.instant + CLOSING_TIME);
            self.doubles.doubles.insert(peer, Double { state, ..double });
        } else {
            self.forget_double(&peer);
        }
    }

    /// Later connections that nobody has closed in time, or that were told why.
    pub(super) fn close_doubles(&mut self) {
        let now = self.now.instant;
        let doubles = self.doubles.doubles.clone();
        for (peer, Double { older, state }) in doubles {
            match state {
                State::Answered(at) if at <= now => {
                    let is_there = self.later_connections(&peer, older).any(|later| !later.1);
                    let stream = self.doubles.second_streams.get(&peer).copied();
                    if is_there && self.doubles.cut(peer, now) {
                        tracing::info!(%peer, "the same key runs twice; the later one is closed");
                        self.tell_twin(peer, stream);
                        self.doubles.doubles.insert(peer, Double { older, state: State::Told(now + TOLD_TIME) });
                        continue;
                    }
                }
                State::Told(at) if at <= now => {}
                _ => continue,
            }
            self.close_later(&peer, older, false);
            self.forget_double(&peer);
        }
    }

    fn tell_twin(&mut self, peer: PeerId, stream: Option<u64>) {
        let Some(serial) = stream else { return };
        let text = "the same key runs twice, and this is the later one: end one of the two, or give \
                    this one a key of its own, then try again";
        let reason = Reason { code: TWIN.to_owned(), text: text.to_owned() };
        let message = FromHub { reason: Some(reason), ..self.hello().into() };
        self.out.push(Output::TellWatcher { peer, serial, message });
    }

    /// A peer's direct connections but `older`, and which of them this node dialled.
    fn later_connections(&self, peer: &PeerId, older: ConnectionId) -> impl Iterator<Item = (ConnectionId, bool)> {
        let all = self.peers.get(peer).into_iter().flat_map(|known| known.connections());
        let later = all.filter(move |one| one.id != older && how(&one.address).0 == Path::Direct);
        later.map(|later| (later.id, later.is_dialled))
    }

    fn close_later(&mut self, peer: &PeerId, older: ConnectionId, dialled: bool) {
        let later: Vec<_> = self.later_connections(peer, older).filter(|later| later.1 == dialled).collect();
        self.out.extend(later.into_iter().map(|(connection, _)| Output::Close(connection)));
    }

    /// A peer that has others left lost this connection.
    pub(super) fn double_lost(&mut self, peer: &PeerId, connection: ConnectionId) {
        let Some(Double { older, .. }) = self.doubles.doubles.get(peer).copied() else { return };
        if older == connection {
            // The one that remains is mute.
            self.forget_double(peer);
            self.out.push(Output::Disconnect(*peer));
        } else if self.later_connections(peer, older).next().is_none() {
            self.forget_double(peer);
        }
    }

    /// A peer has no second connection any more, or none that matters.
    pub(super) fn forget_double(&mut self, peer: &PeerId) {
        self.doubles.doubles.remove(peer);
        if let Some(serial) = self.doubles.second_streams.remove(peer) {
            // If it is not the later connection's, the peer opens it anew.
            self.out.push(Output::DropWatcher { peer: *peer, serial });
        }
    }

    /// A peer opened a hub stream. Says whether it is kept apart: it may be a second program's.
    pub(super) fn is_second_stream(&mut self, peer: PeerId, serial: u64) -> bool {
        if !self.watchers.is_open(&peer) || !self.doubles.doubles.contains_key(&peer) {
            return false;
        }
        if let Some(before) = self.doubles.second_streams.insert(peer, serial) {
            self.out.push(Output::DropWatcher { peer, serial: before });
        }
        true
    }

    pub(super) fn second_stream_closed(&mut self, peer: &PeerId, serial: u64) {
        if self.doubles.second_streams.get(peer) == Some(&serial) {
            self.doubles.second_streams.remove(peer);
        }
    }
}
