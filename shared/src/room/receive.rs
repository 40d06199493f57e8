//! What arrives in a room, from gossip or from a sync, and what forwarding nodes say to it.

use libp2p::PeerId;

use super::{
    body::STATUS_BRIDGE,
    frame::{Body, Frame, FrameError, claimed_line, claimed_place, name_of, name_of_unreadable, verify},
    gaps::{lacks_previous, should_come},
    lines::{blank, remember},
    now::Now,
    order::Came,
    output::RoomOutput,
    state::{Joined, Room},
};
use crate::{Event, Message, config::MAX_TEXT_BYTES};

/// How old a line may be that a sync brings and that still counts as said just now.
const JUST_NOW_MS: u64 = 10_000;

/// Clocks of two machines may differ by so much without one's earlier lines looking like another run's.
const ELSEWHERE_AFTER_MS: u64 = 3_000;

/// What to tell gossipsub about a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Forward it.
    Accept,
    /// Neither forward it nor blame anybody.
    Ignore,
    /// Do not forward it; its source lies.
    Reject,
    /// Nothing to keep or show; a hub may pass it on.
    Unread(Unread),
}

/// Why a payload is neither a frame nor a plain line: it may be another program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// Text, but empty or longer than a line may be.
    LongText,
    /// No text and no frame.
    Binary,
    /// Begins as a frame of another version.
    UnknownVersion,
    /// Begins as a frame and does not decode, or breaks a bound.
    Malformed,
}

/// What a sync brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Payloads that were new here and that gossip carries, oldest first.
    pub new: Vec<Vec<u8>>,
    /// Frames with a wrong signature or of another room: whoever handed them over did not check, or lies. What is only
    /// beyond this Tincan's bounds may be a later Tincan's.
    pub invalid: u32,
}

impl Room {
    /// A payload from gossip that `from` handed over; `source` is the peer that gossipsub's own signature names, and
    /// its number for the payload. `is_large`: the room has too many members for gossip to carry what each says of itself.
    pub fn receive(
        &mut self,
        payload: &[u8],
        from: PeerId,
        (source, number): (PeerId, u64),
        is_large: bool,
        now: Now,
        out: &mut Vec<RoomOutput>,
    ) -> Verdict {
        if self.knows(payload) {
            return Verdict::Ignore;
        }
        if claims_no_time_in_window(payload, now) {
            return Verdict::Ignore;
        }
        let frame = match verify(payload) {
            Ok(frame) => frame,
            Err(FrameError::NotAFrame) => return self.receive_plain(payload, source, number, now, out),
            Err(FrameError::UnknownVersion) => return Verdict::Unread(Unread::UnknownVersion),
            Err(FrameError::Malformed) => return Verdict::Unread(Unread::Malformed),
            Err(FrameError::Signature) => return Verdict::Reject,
        };
        if frame.room != self.name {
            return Verdict::Reject;
        }
        if !in_window(&frame, now) || !self.take(frame.clone(), Came::Live, now, out) {
            return Verdict::Ignore;
        }
        self.look_for_gap(&frame, from, now, out);
        if is_large && is_handed_over(&frame) {
            return Verdict::Ignore;
        }
        out.push(RoomOutput::Spoken(Box::new(frame)));
        Verdict::Accept
    }

    fn receive_plain(
        &mut self,
        payload: &[u8],
        source: PeerId,
        number: u64,
        now: Now,
        out: &mut Vec<RoomOutput>,
    ) -> Verdict {
        let Ok(text) = std::str::from_utf8(payload) else { return Verdict::Unread(Unread::Binary) };
        if text.is_empty() || text.len() > MAX_TEXT_BYTES {
            return Verdict::Unread(Unread::LongText);
        }
        if let Some(joined) = &mut self.joined {
            let message = Message {
                id: format!("{source}-{number:016x}"),
                text: text.to_owned(),
                plain: true,
                ..blank(&self.name, source, "", now.unix_ms)
            };
            remember(&mut joined.history, message.clone());
            out.push(RoomOutput::Emit(Box::new(Event::Message(message))));
        }
        Verdict::Accept
    }

    /// Has the line before one that was said just now asked for, if it is missing.
    fn look_for_gap(&mut self, frame: &Frame, from: PeerId, now: Now, out: &mut Vec<RoomOutput>) {
        let is_held = self.joined.as_ref().is_some_and(|joined| joined.order.holds(frame));
        if is_held || lacks_previous(&self.ring, frame) {
            self.gaps.found(frame, from, now.instant);
            out.push(RoomOutput::Gap(from));
        }
    }

    /// Frames that `from` handed over in a sync. `listed` tells whether somebody is a member: a member's presence
    /// has no age. `is_large` as for [`Self::receive`].
    pub fn merge(
        &mut self,
        payloads: &[Vec<u8>],
        from: PeerId,
        listed: impl Fn(&PeerId) -> bool,
        is_large: bool,
        now: Now,
        out: &mut Vec<RoomOutput>,
    ) -> Merged {
        let mut merged = Merged::default();
        let mut frames: Vec<Frame> = Vec::new();
        for payload in payloads {
            // A member's presence has no age.
            let is_of_no_use = claimed_line(payload) && claims_no_time_in_window(payload, now);
            if is_of_no_use || self.knows(payload) {
                continue;
            }
            match verify(payload) {
                Ok(frame) if frame.room == self.name => frames.push(frame),
                Ok(_) | Err(FrameError::Signature) => merged.invalid += 1,
                Err(FrameError::NotAFrame | FrameError::UnknownVersion | FrameError::Malformed) => {
                    self.pass_over_unreadable(payload);
                }
            }
        }
        frames.sort_by_key(Frame::sort_key);
        for frame in frames {
            let ageless = frame.body.is_presence() && listed(&frame.author);
            if !ageless && !in_window(&frame, now) {
                continue;
            }
            // Gossip passes a newcomer by until the mesh has formed; what is older is history.
            let is_new = now.unix_ms.abs_diff(frame.time_ms) < JUST_NOW_MS;
            let came = if is_new { Came::Live } else { Came::Synced };
            if self.take(frame.clone(), came, now, out) {
                if !(is_large && is_handed_over(&frame)) {
                    merged.new.push(frame.bytes.clone());
                }
                if is_new {
                    self.look_for_gap(&frame, from, now, out);
                    out.push(RoomOutput::Spoken(Box::new(frame)));
                }
            }
        }
        self.show_synced(now, out);
        merged
    }

    /// Whether somebody was asked for this room's frames and has not answered.
    pub fn set_syncing(&mut self, is_syncing: bool, now: Now, out: &mut Vec<RoomOutput>) {
        if let Some(joined) = &mut self.joined {
            joined.order.set_syncing(is_syncing);
        }
        self.show_synced(now, out);
    }

    /// Shows what waited for syncs alone.
    fn show_synced(&mut self, now: Now, out: &mut Vec<RoomOutput>) {
        let Self { joined, ring, .. } = self;
        let should_come = |frame: &Frame| should_come(ring, frame, now.unix_ms);
        let settled = joined.as_mut().map(|joined| joined.order.show_synced(should_come)).unwrap_or_default();
        self.show(settled, out);
    }

    /// A frame that this Tincan cannot read counts as seen: else every sync would offer it again.
    pub fn pass_over_unreadable(&mut self, payload: &[u8]) {
        if let Some(id) = name_of_unreadable(payload) {
            self.ring.pass_over(id);
        }
    }

    /// A payload of somebody who is denied counts as seen.
    pub fn pass_over(&mut self, payload: &[u8]) {
        if let Some(id) = name_of(payload) {
            self.ring.pass_over(id);
        }
    }

    /// Whether a payload names itself as a frame that was seen before: no signature is checked twice.
    pub(crate) fn knows(&self, payload: &[u8]) -> bool {
        name_of(payload).is_some_and(|id| self.ring.has_seen(&id))
    }

    /// Keeps a frame that was never seen and shows what is in order. Says whether it was new.
    pub(super) fn take(&mut self, frame: Frame, came: Came, now: Now, out: &mut Vec<RoomOutput>) -> bool {
        // Where names had to be forgotten, a line that was shown may come again.
        let was_shown = |joined: &Joined| joined.order.has_shown(&frame) || self.is_ours(&frame);
        if self.ring.forgot_some(now.unix_ms) && self.joined.as_ref().is_some_and(was_shown) {
            return false;
        }
        if !self.keep(frame.clone(), now, out) {
            return false;
        }
        out.push(RoomOutput::Signed(frame.author));
        self.gaps.filled(&frame);
        if self.is_from_elsewhere(&frame) {
            out.push(RoomOutput::Emit(Box::new(Event::RunsElsewhere)));
        }
        if self.learn_nick(&frame, now) {
            out.push(RoomOutput::Changed);
        }
        if !frame.body.is_line() {
            return true;
        }
        let me = self.me;
        let Some(joined) = &mut self.joined else { return true };
        let shown = if frame.author == me {
            // A line of an earlier run that we had forgotten: nobody else's order depends on it.
            joined.last_line = joined.last_line.max(frame.line_number().unwrap_or(0));
            if let Some(line) = self.drop_sent(&frame, out) {
                self.show_sent(line.id, &frame, out);
                return true;
            }
            vec![frame]
        } else {
            joined.put(frame, came, now.instant)
        };
        self.show(shown, out);
        true
    }

    /// Whether our key signed a frame that this run did not make: our own are known before they come back. What has a number
    /// that we gave may be our own all the same, where its name had to be forgotten.
    fn is_from_elsewhere(&self, frame: &Frame) -> bool {
        let joined_ms = self.joined.as_ref().map(|joined| joined.joined_ms);
        let is_later = joined_ms.is_some_and(|joined| frame.time_ms > joined + ELSEWHERE_AFTER_MS);
        frame.author == self.me && is_later && !self.is_ours(frame)
    }

    /// Whether a line has our key and a number that we gave.
    fn is_ours(&self, frame: &Frame) -> bool {
        let last = self.joined.as_ref().map_or(0, |joined| joined.last_line);
        frame.author == self.me && frame.line_number().is_some_and(|number| number <= last)
    }
}

/// Whether a large room's hubs hand this over with their reports, and gossip does not carry it.
fn is_handed_over(frame: &Frame) -> bool {
    matches!(&frame.body, Body::Presence { status, .. } if status != STATUS_BRIDGE)
}

fn in_window(frame: &Frame, now: Now) -> bool {
    now.is_near(frame.time_ms)
}

/// Whether a payload is a frame that would be ignored for its time: no signature is checked for it.
fn claims_no_time_in_window(payload: &[u8], now: Now) -> bool {
    let (time_ms, _) = claimed_place(payload);
    time_ms != 0 && !now.is_near(time_ms)
}
