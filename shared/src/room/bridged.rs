//! Lines from a network without frames.

use libp2p::PeerId;

use super::{
    elsewhere::Elsewhere,
    frame::{Body, Draft, read_stored, sign},
    identity::Identity,
    now::Now,
    output::RoomOutput,
    presence::ANNOUNCED_FOR,
    state::Room,
};
use crate::text::check_text;

impl Room {
    /// Brings a line in, as a frame that names its origin. One that another bridge has brought, or that breaks a
    /// bound, is passed over.
    pub fn bring(&mut self, line: Elsewhere, me: Identity<'_>, now: Now, out: &mut Vec<RoomOutput>) {
        if self.is_plain() || check_text(&line.text).is_err() {
            return;
        }
        let body = Body::Bridged { source: line.source.to_bytes(), number: line.number, text: line.text };
        let draft = Draft { room: &self.name, sequence: now.unix_ms, previous: 0, time_ms: now.unix_ms, body: &body };
        // A stranger chose room and number: what others would refuse, and hold against us, is not published.
        let Some(frame) = sign(me.keypair, &draft).ok().filter(|frame| read_stored(&frame.bytes).is_ok()) else {
            return;
        };
        if !self.keep(frame.clone(), now, out) {
            return;
        }
        out.push(RoomOutput::Publish(frame.bytes.clone()));
        self.show(vec![frame], out);
    }

    /// Whether somebody signs frames here, or bridges: what it says elsewhere has come as a frame, or will.
    #[must_use]
    pub fn has_heard(&self, peer: &PeerId) -> bool {
        self.nicks.get(peer).is_some() || self.ring.all().any(|frame| frame.author == *peer)
    }

    /// Who says to be a bridge of this room that goes before this one with a line of `author`'s: a bridge says its own
    /// lines.
    #[must_use]
    pub fn bridges_before(&self, author: &PeerId, now: Now) -> Vec<PeerId> {
        let since = now.unix_ms.saturating_sub(ANNOUNCED_FOR.as_millis() as u64);
        let bridges = self.ring.bridges().filter(|presence| presence.time_ms >= since);
        let before = bridges.filter(|presence| presence.author < self.me || presence.author == *author);
        before.map(|presence| presence.author).collect()
    }
}
