//! Saying who we are in a room.

use std::{collections::BTreeSet, time::Duration};

use libp2p::PeerId;

use super::{
    body::{STATUS_BRIDGE, STATUS_HERE},
    frame::{Body, Draft, Frame, FrameError, name_of, sign, verify},
    identity::Identity,
    now::Now,
    order::Came,
    output::RoomOutput,
    state::Room,
};
use crate::{
    config::{FRAME_TIME_WINDOW, LARGE_ROOM},
    hub::listing::{Presences, SignedPresence},
};

/// How long a bridge counts as one after it said so.
pub(super) const ANNOUNCED_FOR: Duration = FRAME_TIME_WINDOW;
/// A bridge says so again after it.
const ANNOUNCED_AGAIN: Duration = Duration::from_secs(20 * 60);

/// Whether a room with so many others is too large for gossip to carry what each says of itself.
pub(crate) fn is_large(total: u32) -> bool {
    total as usize > LARGE_ROOM
}

impl Room {
    /// Says who we are here. In large rooms gossip would carry nothing else: there it is kept until a sync takes it to a
    /// hub, which hands it over with its reports. A bridge says it in any room, carried ones too, since other bridges
    /// have to know.
    pub fn announce(&mut self, total: u32, me: Identity<'_>, now: Now, out: &mut Vec<RoomOutput>) {
        let last = match &self.joined {
            Some(joined) if joined.plain => return,
            Some(joined) => joined.last_presence,
            None => 0,
        };
        if !me.bridge && self.joined.is_none() {
            return;
        }
        let sequence = now.unix_ms.max(last.saturating_add(1));
        let status = if me.bridge { STATUS_BRIDGE } else { STATUS_HERE };
        let relays = if self.is_direct() { me.relays.to_vec() } else { Vec::new() };
        let body = Body::Presence { nick: me.nick.to_owned(), status: status.to_owned(), relays };
        let draft = Draft { room: &self.name, sequence, previous: 0, time_ms: now.unix_ms, body: &body };
        let Ok(frame) = sign(me.keypair, &draft) else { return };
        if let Some(joined) = &mut self.joined {
            joined.last_presence = sequence;
        }
        self.store_numbers(out);
        if me.bridge || !is_large(total) {
            out.push(RoomOutput::Publish(frame.bytes.clone()));
        }
        self.keep(frame, now, out);
    }

    /// Hubs over which a member arranges direct connections, as it last said.
    pub(crate) fn relays_of(&self, member: &PeerId) -> &[PeerId] {
        match self.ring.presence(member).map(|frame| &frame.body) {
            Some(Body::Presence { relays, .. }) => relays,
            _ => &[],
        }
    }

    /// What these members last said of themselves, as far as it is kept.
    pub(crate) fn presences_of(&self, members: &BTreeSet<PeerId>) -> Presences {
        members.iter().filter_map(|author| Some((*author, signed(self.ring.presence(author)?)))).collect()
    }

    /// Takes presences that a hub handed over. Returns those that verify, and whether all do.
    pub(crate) fn take_presences(
        &mut self,
        payloads: &[Vec<u8>],
        now: Now,
        out: &mut Vec<RoomOutput>,
    ) -> (Presences, bool) {
        let (mut presences, mut all_verify) = (Presences::new(), true);
        for payload in payloads {
            let known = name_of(payload).and_then(|id| self.ring.all().find(|frame| frame.id == id));
            let frame = match known.cloned().map_or_else(|| verify(payload), Ok) {
                Ok(frame) if frame.room == self.name && matches!(frame.body, Body::Presence { .. }) => frame,
                Err(FrameError::Signature) => {
                    all_verify = false;
                    continue;
                }
                // Of no use; a later Tincan's may look so.
                Ok(_) | Err(_) => continue,
            };
            presences.insert(frame.author, signed(&frame));
            self.take(frame, Came::Synced, now, out);
        }
        (presences, all_verify)
    }

    /// Has a bridge say again that it is one, in time: whoever came later may not have heard.
    pub fn announce_again(&mut self, me: Identity<'_>, now: Now, out: &mut Vec<RoomOutput>) {
        let said = self.ring.presence(&self.me).map_or(0, |presence| presence.time_ms);
        if me.bridge && now.unix_ms.saturating_sub(said) >= ANNOUNCED_AGAIN.as_millis() as u64 {
            self.announce(0, me, now, out);
        }
    }
}

fn signed(frame: &Frame) -> SignedPresence {
    SignedPresence { sequence: frame.sequence, bytes: frame.bytes.as_slice().into() }
}
