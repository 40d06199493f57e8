//! One room: carried for others, joined, or both.

use std::collections::VecDeque;

use libp2p::PeerId;
use n0_future::time::Instant;

use super::{
    frame::{Body, Frame},
    gaps::Gaps,
    identity::Identity,
    lines::{message_of, remember, waiting_message},
    nicks::Nicks,
    now::Now,
    order::{Came, Order},
    outbox::Outbox,
    output::RoomOutput,
    ring::{Inserted, Ring},
    saved::{self, RoomEntry, SavedRoom},
    waiting::{self, Recheck, Waiting},
};
use crate::{Event, Limits, Message, config::ORDER_HOLD};

/// One room.
#[derive(Debug)]
pub struct Room {
    pub(super) name: String,
    pub(super) me: PeerId,
    pub(super) ring: Ring,
    pub(super) nicks: Nicks,
    pub(super) gaps: Gaps,
    pub(super) joined: Option<Joined>,
}

/// What a room has when this node is in it.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) plain: bool,
    /// Whether its members may connect to us directly, and learn our addresses by that.
    pub(super) direct: bool,
    pub(super) order: Order,
    pub(super) history: VecDeque<Message>,
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) recheck: Recheck,
    pub(super) outbox: Outbox,
    pub(super) last_line: u64,
    pub(super) last_presence: u64,
    /// Makes the ids of plain lines unique.
    pub(super) counter: u64,
    pub(super) max_waiting: usize,
    /// When this run joined, unix time in milliseconds.
    pub(super) joined_ms: u64,
}

impl Joined {
    /// What is stored of it, besides frames and lines.
    pub(super) fn entry(&self) -> RoomEntry {
        let Self { plain, direct, last_line, last_presence, .. } = *self;
        RoomEntry { plain, last_line, last_presence, direct }
    }

    /// Puts a line of somebody else into order; what can be shown now comes back. Bridged lines have none.
    pub(super) fn put(&mut self, frame: Frame, came: Came, now: Instant) -> Vec<Frame> {
        if frame.line_number().is_some() { self.order.push(frame, came, now) } else { vec![frame] }
    }
}

impl Room {
    /// A room that is carried for others and not joined.
    #[must_use]
    pub fn new(name: &str, me: PeerId, limits: &Limits) -> Self {
        Self {
            name: name.to_owned(),
            me,
            ring: Ring::new(limits.kept_frames, limits.kept_bytes, limits.kept_presences),
            nicks: Nicks::default(),
            gaps: Gaps::default(),
            joined: None,
        }
    }

    /// Joins, with what an earlier run left.
    pub fn join(&mut self, plain: bool, saved: SavedRoom, limits: &Limits, now: Now, out: &mut Vec<RoomOutput>) {
        if self.joined.is_some() {
            return;
        }
        let mut last_line = saved.last_line;
        let (waiting, numbered) = waiting::restore(saved.waiting, &mut last_line);
        out.extend(numbered.iter().map(|line| RoomOutput::Store(saved::put_waiting(&self.name, line))));
        self.joined = Some(Joined {
            plain,
            direct: saved.direct,
            order: Order::new(ORDER_HOLD),
            history: VecDeque::new(),
            counter: now.unix_ms,
            recheck: if plain || waiting.is_empty() { Recheck::Done } else { Recheck::Needed },
            waiting,
            outbox: Outbox::default(),
            last_line,
            last_presence: saved.last_presence,
            max_waiting: limits.waiting_lines,
            joined_ms: now.unix_ms,
        });
        // What was carried before, or kept by an earlier run, is the beginning of the screen.
        let mut kept: Vec<Frame> = self.ring.lines().cloned().collect();
        for frame in saved.frames {
            self.learn_nick(&frame, now);
            let line = frame.body.is_line();
            match self.ring.insert(frame.clone(), now.unix_ms) {
                Inserted::New { .. } if line => kept.push(frame),
                Inserted::New { .. } => {}
                // A line that is kept in another frame.
                Inserted::Known if !self.ring.all().any(|kept| kept.id == frame.id) => self.forget(&frame.id, out),
                Inserted::Known => {}
            }
        }
        kept.sort_by_key(Frame::sort_key);
        for frame in &kept {
            self.drop_sent(frame, out);
        }
        if let Some(joined) = &mut self.joined {
            let mut lines: Vec<Frame> =
                kept.into_iter().flat_map(|frame| joined.put(frame, Came::Synced, now.instant)).collect();
            lines.extend(joined.order.show_synced(|_| false));
            for frame in lines {
                remember(&mut joined.history, message_of(&frame, self.me));
            }
            out.push(RoomOutput::Store(saved::put_room(&self.name, &joined.entry())));
        }
    }

    /// Leaves; forgets what was said and what waits. What is carried for others stays.
    pub fn leave(&mut self, out: &mut Vec<RoomOutput>) {
        let Some(joined) = self.joined.take() else { return };
        out.push(RoomOutput::Store(saved::drop_room(&self.name)));
        out.extend(self.ring.all().map(|frame| RoomOutput::Store(saved::drop_frame(&self.name, &frame.id))));
        out.extend(joined.waiting.iter().map(|line| RoomOutput::Store(saved::drop_waiting(&self.name, &line.id))));
    }

    /// Whether this node is in it.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.joined.is_some()
    }

    /// Whether it is joined as a room of another program.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.joined.as_ref().is_some_and(|joined| joined.plain)
    }

    /// The nick somebody last used here.
    #[must_use]
    pub fn nick(&self, peer: &PeerId) -> Option<&str> {
        self.nicks.get(peer)
    }

    /// What is kept for sync.
    #[must_use]
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The screen: last lines, then what waits.
    #[must_use]
    pub fn messages(&self, me: Identity<'_>) -> Vec<Message> {
        let Some(joined) = &self.joined else { return Vec::new() };
        let waiting = joined.waiting.iter().map(|line| waiting_message(&self.name, line, joined.plain, me));
        joined.history.iter().cloned().chain(waiting).collect()
    }

    /// What is due: lines held back for too long, missing ones to be asked for again, lines on their way.
    pub fn tick(&mut self, now: Now, out: &mut Vec<RoomOutput>) {
        out.extend(self.gaps.due(now.instant).into_iter().map(RoomOutput::Gap));
        self.end_recheck(now.instant);
        self.tick_outbox(now.instant, out);
        let late = self.joined.as_mut().map(|joined| joined.order.tick(now.instant)).unwrap_or_default();
        self.show(late, out);
    }

    /// Forgets frames said before `gone_ms`; those said before `of_use_ms` are kept and not handed out.
    pub fn expire(&mut self, gone_ms: u64, of_use_ms: u64, out: &mut Vec<RoomOutput>) {
        for id in self.ring.expire(gone_ms, of_use_ms) {
            self.forget(&id, out);
        }
    }

    /// When [`Self::tick`] has something to show.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let joined = self.joined.as_ref();
        let order = joined.and_then(|joined| joined.order.deadline());
        let outbox = joined.and_then(|joined| joined.outbox.deadline());
        let own = [order, outbox, self.recheck_deadline(), self.flush_deadline(), self.gaps.deadline()];
        own.into_iter().flatten().min()
    }

    /// Puts a frame into the ring and the storage. Says whether it is new.
    pub(super) fn keep(&mut self, frame: Frame, now: Now, out: &mut Vec<RoomOutput>) -> bool {
        let change = saved::put_frame(&self.name, &frame);
        let Inserted::New { dropped } = self.ring.insert(frame, now.unix_ms) else { return false };
        if self.joined.is_some() {
            out.push(RoomOutput::Store(change));
        }
        for id in dropped {
            self.forget(&id, out);
        }
        true
    }

    fn forget(&self, id: &super::frame::FrameId, out: &mut Vec<RoomOutput>) {
        if self.joined.is_some() {
            out.push(RoomOutput::Store(saved::drop_frame(&self.name, id)));
        }
    }

    /// Lines that are in order go to the screen.
    pub(super) fn show(&mut self, frames: Vec<Frame>, out: &mut Vec<RoomOutput>) {
        let Some(joined) = &mut self.joined else { return };
        for frame in frames {
            let message = message_of(&frame, self.me);
            remember(&mut joined.history, message.clone());
            out.push(RoomOutput::Emit(Box::new(Event::Message(message))));
        }
    }

    /// Says whether the nick is news.
    pub(super) fn learn_nick(&mut self, frame: &Frame, now: Now) -> bool {
        let (Body::Message { nick, .. } | Body::Presence { nick, .. }) = &frame.body else { return false };
        // Nobody's clock makes a nick outlast those that come later; one that was far ahead says nothing of when it was used.
        let is_ahead = frame.time_ms > now.unix_ms && !now.is_near(frame.time_ms);
        let at_ms = if is_ahead { 0 } else { frame.time_ms.min(now.unix_ms) };
        !nick.is_empty() && self.nicks.learn(frame.author, nick, at_ms)
    }

    pub(super) fn store_numbers(&self, out: &mut Vec<RoomOutput>) {
        if let Some(joined) = &self.joined {
            out.push(RoomOutput::Store(saved::put_room(&self.name, &joined.entry())));
        }
    }
}
