//! What a core hands out, to be dealt with once the core is unlocked.

use std::{collections::VecDeque, task::Waker};

use bytes::Bytes;
use str0m::channel::ChannelId;

use crate::{Feed, Stream, direct::address::Fingerprint, stream::Outlet};

/// What happened to a connection or to one of its streams.
pub(super) enum CoreEvent {
    /// DTLS is up, with a peer that has this certificate.
    Connected(Fingerprint),
    /// The other side opened a stream.
    Opened(Stream, Outlet, ChannelId),
    Message(Feed, Bytes),
    /// A channel that was full takes messages again.
    Drained(Feed),
    /// A channel was closed.
    Closed(Feed),
    /// The connection is over, for this reason.
    Ended(&'static str),
}

/// A stream that we opened.
pub(super) struct NewStream {
    pub(super) stream: Stream,
    pub(super) feed: Feed,
    pub(super) outlet: Outlet,
    pub(super) id: ChannelId,
    /// The connection was over already.
    pub(super) is_over: bool,
}

/// What is left of a connection that has ended.
pub(super) struct Ended {
    pub(super) feeds: Vec<Feed>,
    pub(super) inbound: VecDeque<Stream>,
    pub(super) wakers: [Option<Waker>; 3],
}

impl Ended {
    /// Drops streams that nobody has taken, closes the others and wakes all who wait.
    pub(super) fn notify(self) {
        drop(self.inbound);
        self.wakers.into_iter().flatten().for_each(Waker::wake);
        self.feeds.iter().for_each(Feed::closed);
    }
}
