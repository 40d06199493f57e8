//! What a core hands out, to be dealt with once the core is unlocked.

use std::{collections::VecDeque, task::Waker};

use bytes::Bytes;
use str0m::channel::ChannelId;

use crate::{ChannelEvents, Stream, direct::address::Fingerprint, stream::ChannelSlot};

/// What happened to a connection or to one of its streams.
pub(super) enum CoreEvent {
    /// DTLS is up, with a peer that has this certificate.
    Connected(Fingerprint),
    /// The other side opened a stream.
    Opened(Stream, ChannelSlot, ChannelId),
    Message(ChannelEvents, Bytes),
    /// A channel that was full takes messages again.
    Drained(ChannelEvents),
    /// A channel was closed.
    Closed(ChannelEvents),
    /// The connection is over, for this reason.
    Ended(&'static str),
}

/// A stream that we opened.
pub(super) struct NewStream {
    pub(super) stream: Stream,
    pub(super) events: ChannelEvents,
    pub(super) slot: ChannelSlot,
    pub(super) id: ChannelId,
    /// The connection was over already.
    pub(super) is_over: bool,
}

/// What is left of a connection that has ended.
pub(super) struct Ended {
    pub(super) channels: Vec<ChannelEvents>,
    pub(super) inbound: VecDeque<Stream>,
    pub(super) wakers: [Option<Waker>; 3],
}

impl Ended {
    /// Drops streams that nobody has taken, closes the others and wakes all who wait.
    pub(super) fn notify(self) {
        drop(self.inbound);
        self.wakers.into_iter().flatten().for_each(Waker::wake);
        self.channels.iter().for_each(ChannelEvents::on_closed);
    }
}
