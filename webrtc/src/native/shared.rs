//! A core and what its streams, its driver and its muxer share besides.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use str0m::channel::{ChannelConfig, ChannelId};
use tokio::sync::Notify;

use super::{
    clock::now,
    core::{Core, NewStream},
    inspect::Gate,
};
use crate::{Account, Channel, ChannelGone, Opened, Stream};

/// See the [module](self).
pub(super) struct Shared {
    core: Mutex<Core>,
    /// There is something to send.
    pub(super) work: Notify,
    /// The other side has answered a STUN request of ours.
    pub(super) answered: Notify,
    pub(super) account: Account,
    pub(super) gate: Arc<Gate>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(core: Core, account: Account, gate: Arc<Gate>) -> Self {
        Self { core: Mutex::new(core), work: Notify::new(), answered: Notify::new(), account, gate }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic while it is held leaves a connection that still can be closed.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The other side has proved who it is, and may use more.
    pub(super) fn prove(&self) {
        self.account.prove();
        self.gate.prove();
    }

    /// Opens a stream.
    pub(super) fn open(self: &Arc<Self>) -> Stream {
        self.open_numbered(Opened::Here, ChannelConfig::default()).0
    }

    /// Opens a stream by a channel of this kind, and returns the channel's number, too.
    pub(super) fn open_numbered(self: &Arc<Self>, opened: Opened, config: ChannelConfig) -> (Stream, ChannelId) {
        let NewStream { stream, feed, outlet, id, stands } = self.lock().open(opened, config);
        outlet.connect(self.channel(id));
        if !stands {
            feed.closed();
        }
        self.work.notify_one();
        (stream, id)
    }

    /// The channel of a stream.
    pub(super) fn channel(self: &Arc<Self>, id: ChannelId) -> impl Channel + use<> {
        NativeChannel { shared: self.clone(), id }
    }

    /// Nothing more comes or goes.
    pub(super) fn end(&self, why: &'static str) {
        let ended = self.lock().end(why);
        ended.tell();
    }
}

struct NativeChannel {
    shared: Arc<Shared>,
    id: ChannelId,
}

impl Channel for NativeChannel {
    fn has_room(&self) -> bool {
        self.shared.lock().has_room(self.id)
    }

    fn send(&mut self, message: Bytes) -> Result<(), ChannelGone> {
        let sent = self.shared.lock().send(self.id, &message, now());
        self.shared.work.notify_one();
        sent
    }

    fn close(&mut self) {
        self.shared.lock().close(self.id);
        self.shared.work.notify_one();
    }
}
