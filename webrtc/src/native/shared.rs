//! A connection as its driver, its streams and its muxer share it: the core behind a lock, and what wakes the driver.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use str0m::channel::{ChannelConfig, ChannelId};
use tokio::sync::Notify;

use super::{clock::now, core::Core, events::NewStream, sctp_state::SctpState};
use crate::{Channel, ChannelGone, ConnectionBudget, Opener, Stream};

/// See the [module](self).
pub(super) struct Shared {
    core: Mutex<Core>,
    /// Wakes the driver: there is something to send.
    pub(super) work: Notify,
    /// The other side has answered a STUN request of ours.
    pub(super) answered: Notify,
    pub(super) memory: ConnectionBudget,
    pub(super) sctp: Arc<SctpState>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("sctp", &self.sctp).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(core: Core, memory: ConnectionBudget, sctp: Arc<SctpState>) -> Self {
        Self { core: Mutex::new(core), work: Notify::new(), answered: Notify::new(), memory, sctp }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic while it is held leaves a connection that can still be closed.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lifts the tighter bounds that hold until the other side is authenticated.
    pub(super) fn set_authenticated(&self) {
        self.memory.set_authenticated();
        self.sctp.set_authenticated();
    }

    /// Opens a stream.
    pub(super) fn open(self: &Arc<Self>) -> Stream {
        self.open_with(Opener::Local, ChannelConfig::default()).0
    }

    /// Opens a stream over a channel of this kind. Returns the channel's id, too.
    pub(super) fn open_with(self: &Arc<Self>, opener: Opener, config: ChannelConfig) -> (Stream, ChannelId) {
        let NewStream { stream, events, slot, id, is_over } = self.lock().open(opener, config);
        slot.connect(self.channel(id));
        if is_over {
            events.on_closed();
        }
        self.work.notify_one();
        (stream, id)
    }

    /// The channel of a stream.
    pub(super) fn channel(self: &Arc<Self>, id: ChannelId) -> impl Channel + use<> {
        NativeChannel { shared: self.clone(), id }
    }

    /// Ends the connection: nothing more is sent or received.
    pub(super) fn end(&self, why: &'static str) {
        let ended = self.lock().end(why);
        ended.notify();
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
