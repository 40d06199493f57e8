//! Saying who we are in a room.

use std::time::Duration;

use super::{
    Now,
    frame::{Body, Draft, sign},
    state::{Me, Output, Room},
};
use crate::config::{FRAME_TIME_WINDOW, MAX_LISTED_MEMBERS};

/// What a presence says of somebody who is there.
const STATUS_HERE: &str = "here";
/// What it says of a node that brings lines from and to another network.
pub(super) const STATUS_BRIDGE: &str = "bridge";
/// How long a bridge counts as one after it said so.
pub(super) const ANNOUNCED_FOR: Duration = FRAME_TIME_WINDOW;
/// A bridge says so again after it.
const ANNOUNCED_AGAIN: Duration = Duration::from_secs(20 * 60);

impl Room {
    /// Says who we are here. Larger rooms go without: they would talk of nothing else. A bridge says it in any
    /// room, carried ones too, since other bridges have to know.
    pub fn announce(&mut self, total: u32, me: Me<'_>, now: Now, out: &mut Vec<Output>) {
        let last = match &self.voice {
            Some(voice) if voice.plain => return,
            Some(voice) => voice.last_presence,
            None => 0,
        };
        if !me.bridge && (self.voice.is_none() || total as usize > MAX_LISTED_MEMBERS) {
            return;
        }
        let sequence = now.unix_ms.max(last.saturating_add(1));
        let status = if me.bridge { STATUS_BRIDGE } else { STATUS_HERE };
        let body = Body::Presence { nick: me.nick.to_owned(), status: status.to_owned() };
        let draft = Draft { room: &self.name, sequence, previous: 0, time_ms: now.unix_ms, body: &body };
        let Ok(frame) = sign(me.keypair, &draft) else { return };
        if let Some(voice) = &mut self.voice {
            voice.last_presence = sequence;
        }
        self.store_numbers(out);
        out.push(Output::Publish(frame.bytes.clone()));
        self.keep(frame, now, out);
    }

    /// Has a bridge say again that it is one, in time: whoever came later may not have heard.
    pub fn announce_again(&mut self, me: Me<'_>, now: Now, out: &mut Vec<Output>) {
        let said = self.ring.presence(&self.me).map_or(0, |presence| presence.time_ms);
        if me.bridge && now.unix_ms.saturating_sub(said) >= ANNOUNCED_AGAIN.as_millis() as u64 {
            self.announce(0, me, now, out);
        }
    }
}
