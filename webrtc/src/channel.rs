//! What a stream needs of a data channel.

use bytes::Bytes;

/// A data channel, ordered and reliable. Its owner reports what happens to it to the stream's [`ChannelEvents`](crate::ChannelEvents).
pub trait Channel: Send + 'static {
    /// Whether it takes a message now. After it did not, [`ChannelEvents::on_drained`](crate::ChannelEvents::on_drained) says that it does again.
    fn has_room(&self) -> bool;

    /// Sends a message.
    ///
    /// # Errors
    /// [`ChannelGone`].
    fn send(&mut self, message: Bytes) -> Result<(), ChannelGone>;

    /// Closes it once everything is sent, and frees what it holds. Nothing is called afterwards. It may be called from within
    /// a call of the [`ChannelEvents`](crate::ChannelEvents).
    fn close(&mut self);
}

/// The channel is closed, or its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the channel is closed")]
pub struct ChannelGone;

/// Which side opened a channel, and so closes it.
///
/// The opener may reuse a channel's id once it is closed. If both sides closed it, the answer to one close could hit the next
/// channel of that id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opener {
    /// We did: it is closed when the stream is over.
    Local,
    /// The other side did: it may close the channel within [`FIN_ACK_TIMEOUT`](crate::machine::FIN_ACK_TIMEOUT), then we do.
    Remote,
}
