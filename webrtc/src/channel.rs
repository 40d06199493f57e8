//! What a stream needs of a data channel.

use bytes::Bytes;

/// A data channel, ordered and reliable. What happens to it is told to its stream's [`Feed`](crate::Feed).
pub trait Channel: Send + 'static {
    /// Whether it takes a message now. Once it did not, [`Feed::drained`](crate::Feed::drained) says that it does again.
    fn has_room(&self) -> bool;

    /// Sends a message.
    ///
    /// # Errors
    /// [`ChannelGone`].
    fn send(&mut self, message: Bytes) -> Result<(), ChannelGone>;

    /// Closes it once everything is sent, and frees what it holds. Nothing is asked of it afterwards. It may be called
    /// from within what calls the [`Feed`](crate::Feed).
    fn close(&mut self);
}

/// The channel is closed, or its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the channel is closed")]
pub struct ChannelGone;

/// Who opened a channel, and so closes it.
///
/// A channel's number is its opener's to use again. If both sides closed it, the answer to the one close could meet the
/// next channel of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It is closed when both sides have had their last word.
    Here,
    /// It is left to the other side for a while, then closed all the same.
    There,
}
